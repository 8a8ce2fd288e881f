import { hrefOf, type View } from "#app/_frame/view.ts";
import { formatDuration } from "#app/_ui/format.ts";
import { Link } from "#app/_ui/link.tsx";
import { ScrollBox } from "#app/_ui/scroll-box.tsx";
import type { CallFacts } from "#db/queries/call-page.ts";
import type { CallParent } from "#db/queries/call-parent.ts";

/** A call that is no exchange of its own has no request that was uploaded, sent and answered: what is known of its course. */
export function ChildTiming({ call, parent, view }: { call: CallFacts; parent: CallParent | null; view: View }) {
  const moments = [
    ["First content", call.firstTokenMs],
    ["First text", call.firstTextMs],
    ["First audio", call.firstAudioMs],
    ["Last content", call.lastTokenMs],
    ["Done", call.durationMs],
  ] as const;
  const known = moments.filter(([, ms]) => ms !== null);
  return (
    <>
      <p className="mb-3 max-w-4xl text-base" data-testid="child-timing">
        It came out of {whatOf(parent, call.endpoint)}: no time of it is an upload's, a connection's or Omnimeter's own.{" "}
        {parent && (
          <Link className="text-link" href={hrefOf(`/${parent.kind}s/${parent.id}`, view)}>
            {parent.kind === "session" ? "Its session shows the wait from the end of the user's speech" : "That call"}
          </Link>
        )}
      </p>
      {known.length === 0 ? (
        <p className="text-muted">When its answer began and ended was not seen.</p>
      ) : (
        <ScrollBox name="Moments">
          <table className="figures" data-testid="table-moments">
            <caption className="sr-only">Moments of the call, since it began</caption>
            <thead>
              <tr>
                <th scope="col">Moment</th>
                <th scope="col">Since it began</th>
              </tr>
            </thead>
            <tbody>
              {known.map(([name, ms]) => (
                <tr key={name}>
                  <th scope="row">{name}</th>
                  <td>{formatDuration(ms)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </ScrollBox>
      )}
    </>
  );
}

function whatOf(parent: CallParent | null, endpoint: string): string {
  if (parent === null) return "another exchange, which is not stored (any more)";
  if (parent.kind === "session") return "a session";
  return endpoint === "batch" ? "the results of a batch, read by another call" : "another exchange";
}
