import type { View } from "#app/_frame/view.ts";
import { formatCount, formatDuration, UNKNOWN } from "#app/_ui/format.ts";
import { ScrollBox } from "#app/_ui/scroll-box.tsx";
import { formatMoment, formatOffset } from "#app/_ui/time.ts";
import type { SpoolHealth } from "#db/queries/health-spools.ts";
import { SPOOLS_MAX } from "./read-health.ts";

const LATE_SECONDS = 60;
/** A spool that nobody has read for so long belongs to a worker that is gone (db/queries/frame.ts). */
const GONE_SECONDS = 86_400;

/** One row per spool: up to when it is stored, who reads it, and its part of the equation. */
export function Spools({ spools, view }: { spools: readonly SpoolHealth[]; view: View }) {
  if (spools.length === 0) return <p className="mt-1 text-muted">No recorder has read a spool yet.</p>;
  const shown = spools.slice(0, SPOOLS_MAX);
  return (
    <>
      <ScrollBox name="Spools" className="mt-1">
        <table className="figures" data-testid="spools">
          <thead>
            <tr>
              <th scope="col">Spool</th>
              <th scope="col" className="!text-left">
                Recorder
              </th>
              <th scope="col">Stored to, {formatOffset(view.nowMs, view.zone)}</th>
              <th scope="col">Behind</th>
              <th scope="col">Accepted</th>
              <th scope="col">Stored</th>
              <th scope="col">Set aside</th>
              <th scope="col">Dropped</th>
              <th scope="col">In flight</th>
              <th scope="col">Missing</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((spool) => (
              <tr key={spool.spool}>
                <th scope="row" className="font-mono [overflow-wrap:anywhere]">
                  {spool.spool.slice(0, 24)}
                </th>
                <State spool={spool} />
                <td>{spool.watermarkAt ? formatMoment(spool.watermarkAt.getTime(), view.zone) : UNKNOWN}</td>
                <td>
                  {spool.behindSeconds === null ? UNKNOWN : formatDuration(Math.max(0, spool.behindSeconds) * 1000)}
                </td>
                <td>{formatCount(spool.accepted)}</td>
                <td>{formatCount(spool.stored)}</td>
                <td>{formatCount(spool.setAside)}</td>
                <td>{formatCount(spool.dropped)}</td>
                <td>{formatCount(spool.open)}</td>
                <td className={spool.missing > 0 ? "text-bad" : undefined}>{formatCount(spool.missing)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </ScrollBox>
      <p className="mt-2 max-w-4xl text-muted">
        {spools.length > SPOOLS_MAX && `The ${SPOOLS_MAX} that moved last. `}
        One spool per proxy worker. A recorder moves “stored to” on when nothing comes, too: behind by more than a
        minute, it is stopped, cannot reach the database, or gets more than it can store.
      </p>
    </>
  );
}

function State({ spool: { held, behindSeconds } }: { spool: SpoolHealth }) {
  const { words, colour } = stateOf(held, behindSeconds);
  return <td className={`!text-left ${colour}`}>{words}</td>;
}

function stateOf(held: boolean, behindSeconds: number | null): { words: string; colour: string } {
  if (behindSeconds !== null && behindSeconds > GONE_SECONDS)
    return { words: "gone, with its worker", colour: "text-muted" };
  if (!held) return { words: "none reads it", colour: "text-warn" };
  if (behindSeconds !== null && behindSeconds > LATE_SECONDS) return { words: "behind", colour: "text-warn" };
  return { words: "reads it", colour: "text-good" };
}
