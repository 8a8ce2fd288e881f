import { hrefOf, type View } from "#app/_frame/view.ts";
import { Cost } from "#app/_ui/cost.tsx";
import { endpointName } from "#app/_ui/endpoint-name.ts";
import { formatDuration, plural, UNKNOWN } from "#app/_ui/format.ts";
import { Link } from "#app/_ui/link.tsx";
import { ScrollBox } from "#app/_ui/scroll-box.tsx";
import { Status } from "#app/_ui/status.tsx";
import { formatMoment } from "#app/_ui/time.ts";
import { RELATED_MAX, type RelatedCall, type Relation } from "#db/queries/related-calls.ts";

const WHY: Record<Relation, string> = {
  socket: "same session or file",
  response: "one continues the other's answer",
  conversation: "same conversation",
  session: "same session name",
  cache_key: "same prompt cache key",
};

/** The other calls of the same conversation, and why they are taken for that. */
export function Related({ calls, view }: { calls: readonly RelatedCall[]; view: View }) {
  return (
    <>
      <details open={calls.length <= 10}>
        <summary className="text-muted">{plural(calls.length, "other call")}</summary>
        <ScrollBox name="Calls of the same conversation" className="mt-1 max-h-96 overflow-y-auto">
          <table className="figures w-full" data-testid="table-related">
            <caption className="sr-only">Calls of the same conversation, in the order in which they began</caption>
            <thead>
              <tr>
                <th scope="col">Began</th>
                {["Why", "What", "Model"].map((name) => (
                  <th key={name} scope="col" className="!text-left">
                    {name}
                  </th>
                ))}
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
                    <Link
                      className="text-link inline-flex min-h-6 items-center"
                      href={hrefOf(`/calls/${call.id}`, view)}
                    >
                      {formatMoment(call.startedAt.getTime(), view.zone)}
                    </Link>
                  </th>
                  <td className="!text-left">{call.why.map((why) => WHY[why]).join(", ")}</td>
                  <td className="!text-left">{endpointName(call.endpoint)}</td>
                  <td className="!text-left">{call.model ?? UNKNOWN}</td>
                  <td>{formatDuration(call.durationMs)}</td>
                  <td>
                    <Cost {...call} usageSource={call.costUsd === null ? "none" : "reported"} problems={[]} />
                  </td>
                  <td className="!text-left">
                    <Status outcome={call.outcome} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </ScrollBox>
      </details>
      <p className="mt-2 text-xs text-muted">
        Looked for in the seven days on both sides; at most the nearest {RELATED_MAX}. A prompt cache key may be shared
        by many users.
      </p>
    </>
  );
}
