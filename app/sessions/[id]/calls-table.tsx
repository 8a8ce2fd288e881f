import { hrefOf, type View } from "#app/_frame/view.ts";
import { Cost } from "#app/_ui/cost.tsx";
import { endpointName } from "#app/_ui/endpoint-name.ts";
import { formatCount, formatDuration } from "#app/_ui/format.ts";
import { Link } from "#app/_ui/link.tsx";
import { ScrollBox } from "#app/_ui/scroll-box.tsx";
import { Status } from "#app/_ui/status.tsx";
import { Tokens } from "#app/_ui/tokens.tsx";
import type { CallOfSession } from "#db/queries/session-view.ts";

interface Props {
  calls: readonly CallOfSession[];
  startedAtMs: number;
  /** There may be more than were read. */
  inAll: number;
  view: View;
}

/** Everything in the session that can cost money: its responses, and transcriptions of what the user said. */
export function CallsTable({ calls, startedAtMs, inAll, view }: Props) {
  if (calls.length === 0)
    return <p className="text-muted">No response was asked for in this session, or none is stored yet.</p>;
  return (
    <>
      <ScrollBox name="Calls of the session" className="max-h-[70vh] overflow-y-auto">
        <table className="figures w-full" data-testid="table-session-calls">
          <caption className="sr-only">Calls of the session, in the order in which they began</caption>
          <thead>
            <tr>
              <th scope="col">At</th>
              <th scope="col" className="!text-left">
                What
              </th>
              <th scope="col" className="!text-left">
                Model
              </th>
              <th scope="col">Tokens in</th>
              <th scope="col">Cached</th>
              <th scope="col">Out</th>
              <th scope="col">Took</th>
              <th scope="col">Cost</th>
              <th scope="col" className="!text-left">
                Ended
              </th>
            </tr>
          </thead>
          <tbody>
            {calls.map((call) => (
              <tr key={call.id}>
                <th scope="row">
                  <Link className="text-link inline-flex min-h-6 items-center" href={hrefOf(`/calls/${call.id}`, view)}>
                    {formatDuration(Math.max(0, call.startedAt.getTime() - startedAtMs))}
                  </Link>
                </th>
                <td className="!text-left">{endpointName(call.endpoint)}</td>
                <td className="!text-left">{call.model ?? "—"}</td>
                <td>
                  <Tokens count={call.inputTokens} source={call.usageSource} />
                </td>
                <td>
                  <Tokens count={call.cachedTokens} source={call.usageSource} />
                </td>
                <td>
                  <Tokens count={call.outputTokens} source={call.usageSource} />
                </td>
                <td>{formatDuration(call.durationMs)}</td>
                <td>
                  <Cost {...call} />
                </td>
                <td className="!text-left" title={call.errorCode ?? undefined}>
                  <Status outcome={call.outcome} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </ScrollBox>
      {inAll > calls.length && (
        <p className="py-2 text-xs text-muted">
          The first {formatCount(calls.length)} of {formatCount(inAll)}; the cost above is of all.
        </p>
      )}
    </>
  );
}
