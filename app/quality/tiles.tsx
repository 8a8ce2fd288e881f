import type { View } from "#app/_frame/view.ts";
import { formatCount, plural } from "#app/_ui/format.ts";
import { formatBounds, formatPointBounds, formatPoints, formatRate } from "#app/_ui/format-rate.ts";
import { Tile } from "#app/_ui/tile.tsx";
import { formatEdge } from "#app/_ui/time.ts";
import type { Waiting } from "#db/queries/quality-page.ts";
import { newcombe } from "#lib/stats/newcombe.ts";
import { type VerdictWord, verdicts } from "#lib/stats/verdict.ts";
import { type Count, wilson } from "#lib/stats/wilson.ts";
import type { Quality, Said } from "./read.ts";
import { VerdictMark } from "./verdict-mark.tsx";

/** Coverage that moved by more than this share of itself may have brought other people's ratings. */
const COVERAGE_MOVED = 0.3;

const countOf = ({ up, down }: Said): Count => ({ successes: up, n: up + down });

/** Rate and coverage beside each other: a change of the second can look like one of the first. */
export function Tiles({ quality, view }: { quality: Quality; view: View }) {
  const { total, before } = quality;
  const against = `${formatEdge(before.fromMs, view.zone)} – ${formatEdge(before.toMs, view.zone)}`;
  return (
    <dl className="grid gap-4 sm:grid-cols-2 xl:grid-cols-4">
      <RateTile now={countOf(total)} before={countOf(before)} against={against} />
      <CoverageTile now={total} before={before} against={against} />
      <Tile name="Corrections" testId="tile-corrections" value={formatCount(total.corrections)}>
        <p className="text-muted">answers that somebody rewrote</p>
      </Tile>
      <WaitingTile waiting={quality.waiting} nowMs={view.nowMs} />
    </dl>
  );
}

const WORDS: Record<VerdictWord, string> = {
  regressed: "worse",
  improved: "better",
  "no clear change": "no clear change",
  "not enough data": "not enough data",
};

function RateTile({ now, before, against }: { now: Count; before: Count; against: string }) {
  const rate = wilson(now.successes, now.n);
  const [verdict] = verdicts([{ before, after: now }]);
  return (
    <Tile
      name="Thumbs-up rate"
      testId="tile-rate"
      value={
        <>
          {formatRate(rate?.rate ?? null)}{" "}
          <span className="text-sm font-normal text-muted">
            {rate && formatBounds(rate)} n {formatCount(now.n)}
          </span>
        </>
      }
    >
      {verdict && (
        <p className="flex flex-wrap gap-x-2">
          <VerdictMark word={verdict.word} as={WORDS[verdict.word]} />
          {verdict.difference && (
            <span>
              {formatPoints(verdict.difference.difference)} {formatPointBounds(verdict.difference)}
            </span>
          )}
        </p>
      )}
      <p className="text-muted">
        against {against}, n {formatCount(before.n)}
      </p>
      {verdict?.needs && <p className="text-muted">{verdict.needs}</p>}
    </Tile>
  );
}

function CoverageTile({ now, before, against }: { now: Said; before: Said; against: string }) {
  const share = (said: Said) => wilson(said.ratedCalls, said.ratableCalls)?.rate ?? null;
  const [after, earlier] = [share(now), share(before)];
  const moved = newcombe(
    { successes: before.ratedCalls, n: before.ratableCalls },
    { successes: now.ratedCalls, n: now.ratableCalls },
  );
  const apart = after !== null && earlier ? Math.abs(after - earlier) / earlier > COVERAGE_MOVED : false;
  return (
    <Tile name="Coverage" testId="tile-coverage" value={formatRate(after)}>
      <p className="text-muted">
        {formatCount(now.ratedCalls)} of {plural(now.ratableCalls, "call")} that could be rated
      </p>
      {moved && (
        <p className={apart ? "text-warn" : "text-muted"}>
          {formatPoints(moved.difference)} against {against}
          {apart && ": other people may be rating now, compare the rates with care"}
        </p>
      )}
    </Tile>
  );
}

const TARGETS = { call: "call", response: "response", session: "session" } as const;

function WaitingTile({ waiting, nowMs }: { waiting: readonly Waiting[]; nowMs: number }) {
  const count = waiting.reduce((sum, one) => sum + one.count, 0);
  const oldestMs = Math.min(...waiting.map(({ oldestAt }) => oldestAt.getTime()));
  return (
    <Tile name="Waiting for their call" testId="tile-waiting" value={formatCount(count)}>
      <p className="text-muted">
        {count === 0
          ? "every feedback has found its call"
          : `${waiting.map((one) => `${formatCount(one.count)} about a ${TARGETS[one.kind]}`).join(", ")}; the oldest ${age(nowMs - oldestMs)}`}
      </p>
    </Tile>
  );
}

/** "3 days old" */
function age(ms: number): string {
  const minutes = Math.max(0, Math.floor(ms / 60_000));
  if (minutes < 1) return "less than a minute old";
  if (minutes < 120) return `${plural(minutes, "minute")} old`;
  if (minutes < 48 * 60) return `${plural(Math.floor(minutes / 60), "hour")} old`;
  return `${plural(Math.floor(minutes / 1440), "day")} old`;
}
