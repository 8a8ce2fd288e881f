import type { View } from "#app/_frame/view.ts";
import { formatBytes, formatCount } from "#app/_ui/format.ts";
import { ScrollBox } from "#app/_ui/scroll-box.tsx";
import { formatMoment, formatMomentFully, formatOffset } from "#app/_ui/time.ts";
import type { SetAsideRow } from "#db/queries/set-aside.ts";
import { HEALTH_PATH } from "./health-path.ts";
import { SET_ASIDE_MAX } from "./read-health.ts";

/** Calls that could not be stored: kept, with why, and a button that has them tried again. */
export function SetAside({ rows, view: { nowMs, zone } }: { rows: readonly SetAsideRow[]; view: View }) {
  if (rows.length === 0)
    return (
      <p className="mt-1 text-muted">Nothing: every call that was read could be stored, or was dropped as above.</p>
    );
  const shown = rows.slice(0, SET_ASIDE_MAX);
  return (
    <>
      <p className="mt-1 max-w-4xl text-muted">
        Kept sealed and in no figure, until it can be stored. After an update of Omnimeter or a repair of the database
        try again: the recorder that has the key of the spool does within seconds.
      </p>
      <form method="post" action={HEALTH_PATH} className="mt-2">
        <button type="submit" name="retry" value="all" className="control">
          Try all again
        </button>
      </form>
      <ScrollBox name="Set aside" className="mt-2">
        <table className="figures" data-testid="set-aside">
          <thead>
            <tr>
              <th scope="col">Since, {formatOffset(nowMs, zone)}</th>
              <th scope="col" className="!text-left">
                Call
              </th>
              <th scope="col" className="!text-left">
                Why
              </th>
              <th scope="col">Size</th>
              <th scope="col">Tries</th>
              <th scope="col" className="!text-left">
                <span className="sr-only">Try again</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {shown.map((row) => (
              <tr key={row.id}>
                <td title={formatMomentFully(row.setAsideAt.getTime(), zone)}>
                  {formatMoment(row.setAsideAt.getTime(), zone)}
                </td>
                <th scope="row" className="!text-left font-mono">
                  {row.id}
                </th>
                <td className="min-w-60 !whitespace-normal !text-left [overflow-wrap:anywhere]">{row.reason}</td>
                <td>{formatBytes(row.bytes)}</td>
                <td title={row.triedAt ? `last ${formatMomentFully(row.triedAt.getTime(), zone)}` : undefined}>
                  {formatCount(row.tries)}
                </td>
                <td className="!text-left">
                  {row.retryAskedAt ? (
                    <span className="text-muted">waits for its recorder</span>
                  ) : (
                    <Retry id={row.id} />
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </ScrollBox>
      {rows.length > SET_ASIDE_MAX && <p className="mt-2 text-muted">The newest {SET_ASIDE_MAX}; there are more.</p>}
    </>
  );
}

function Retry({ id }: { id: string }) {
  return (
    <form method="post" action={HEALTH_PATH}>
      <button type="submit" name="retry" value={id} className="control">
        Try again<span className="sr-only"> to store {id}</span>
      </button>
    </form>
  );
}
