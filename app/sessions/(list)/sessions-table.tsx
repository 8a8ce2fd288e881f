import { hrefOf, type View } from "#app/_frame/view.ts";
import { formatCount, formatDuration, plural, UNKNOWN } from "#app/_ui/format.ts";
import { Link } from "#app/_ui/link.tsx";
import { Money } from "#app/_ui/money.tsx";
import { ScrollBox } from "#app/_ui/scroll-box.tsx";
import { formatMoment, formatMomentFully, formatOffset } from "#app/_ui/time.ts";
import { END_NAMES } from "#app/sessions/[id]/session-sentences.ts";
import { SESSION_KINDS } from "#app/sessions/[id]/session-words.ts";
import type { SessionRow } from "#db/queries/session-list.ts";

/** One row per connection, newest first. */
export function SessionsTable({ rows, view }: { rows: readonly SessionRow[]; view: View }) {
  return (
    <>
      <ScrollBox name="Sessions, newest first" className="md:max-h-[78vh] md:overflow-y-auto">
        <table className="figures w-full" data-testid="table-sessions">
          <caption className="sr-only">Sessions, newest first</caption>
          <thead>
            <tr>
              <th scope="col">Began, {formatOffset(view.nowMs, view.zone)}</th>
              {["Kind", "Feature", "Customer", "Model"].map((name) => (
                <th key={name} scope="col" className="!text-left">
                  {name}
                </th>
              ))}
              <th scope="col">Lasted</th>
              <th scope="col">Turns</th>
              <th scope="col">
                <span title="Median of the waits from the end of the user's input to the first audio">First audio</span>
              </th>
              <th scope="col">Barge-ins</th>
              <th scope="col">Never heard</th>
              <th scope="col">Cost</th>
              <th scope="col" className="!text-left">
                Ended
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <Row key={row.id} row={row} view={view} />
            ))}
          </tbody>
        </table>
      </ScrollBox>
      <p className="mt-2 max-w-4xl text-xs text-muted">
        First audio: the median over the turns that were answered in audio, with their number. Barge-ins: confirmed, and
        false ones after the plus. Cost: of all that came out of the session; ≥ where a part has no price.
      </p>
    </>
  );
}

function Row({ row, view }: { row: SessionRow; view: View }) {
  const at = row.startedAt.getTime();
  return (
    <tr data-testid={`session-${row.id}`}>
      <th scope="row">
        <Link
          className="text-link inline-flex min-h-6 items-center"
          href={hrefOf(`/sessions/${row.id}`, view)}
          title={formatMomentFully(at, view.zone)}
        >
          {formatMoment(at, view.zone)}
        </Link>
      </th>
      <td className="!text-left">{SESSION_KINDS[row.kind]}</td>
      <Name text={row.feature} />
      <Name text={row.customer} />
      <Name text={row.model} />
      <td>{row.endedAt === null ? "open" : formatDuration(row.endedAt.getTime() - at)}</td>
      <td>{formatCount(row.turns)}</td>
      <td>
        {formatDuration(row.latencyMs)}
        {row.latencies > 0 && <span className="ml-1.5 text-xs text-muted">n {formatCount(row.latencies)}</span>}
      </td>
      <td>
        {formatCount(row.bargeIns)}
        {row.falseBargeIns > 0 && <span className="text-muted"> + {formatCount(row.falseBargeIns)}</span>}
      </td>
      <td>{row.wastedMs > 0 ? formatDuration(row.wastedMs) : <span className="text-muted">0</span>}</td>
      <td>
        {row.callsUnpriced > 0 && Number(row.costUsd ?? 0) !== 0 && "≥ "}
        <Money usd={row.costUsd} unknownCalls={row.callsUnpriced} />
      </td>
      <td className="!text-left">
        {row.endReason === null ? "still open" : END_NAMES[row.endReason]}
        {row.errors > 0 && <span className="ml-1.5 text-bad">{plural(row.errors, "error")}</span>}
      </td>
    </tr>
  );
}

function Name({ text }: { text: string | null }) {
  return (
    <td className="max-w-48 truncate !text-left" title={text ?? undefined}>
      {text ?? UNKNOWN}
    </td>
  );
}
