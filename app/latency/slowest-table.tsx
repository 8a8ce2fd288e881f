import { hrefOf } from "#app/_frame/view.ts";
import { endpointName } from "#app/_ui/endpoint-name.ts";
import { formatCount, formatDuration } from "#app/_ui/format.ts";
import { Link } from "#app/_ui/link.tsx";
import { ScrollBox } from "#app/_ui/scroll-box.tsx";
import { formatMoment } from "#app/_ui/time.ts";
import type { SlowCall } from "#db/queries/latency-slowest.ts";
import { STALL_MS } from "#lib/call.ts";
import type { LatencyView } from "./latency-view.ts";
import { METRICS } from "./metrics.ts";
import { SLOWEST_MAX } from "./read.ts";

/** The slowest calls, each leading to its page. */
export function SlowestTable({ calls, view }: { calls: readonly SlowCall[]; view: LatencyView }) {
  const metric = view.metric ?? "duration";
  return (
    <section aria-labelledby="slowest-title" data-testid="table-slowest" className="mt-8">
      <h2 id="slowest-title" className="text-lg font-semibold">
        Slowest calls, by {METRICS[metric].short}
      </h2>
      {calls.length === 0 ? (
        <p className="mt-1 text-muted">No completed call with this time.</p>
      ) : (
        <>
          <ScrollBox name="Slowest calls" className="mt-2">
            <table className="figures w-full">
              <thead>
                <tr>
                  <th scope="col">Time</th>
                  <th scope="col" className="!text-left">
                    Feature
                  </th>
                  <th scope="col" className="!text-left">
                    Model
                  </th>
                  <th scope="col" className="!text-left">
                    Endpoint
                  </th>
                  {metric !== "duration" && <th scope="col">{METRICS[metric].label}</th>}
                  <th scope="col">Duration</th>
                  <th scope="col">First token</th>
                  <th scope="col">First text</th>
                  <th scope="col">First audio</th>
                  <th scope="col">
                    <span title={`Pauses of more than ${formatDuration(STALL_MS)} in a stream`}>Stalls</span>
                  </th>
                  <th scope="col">Upstream</th>
                  <th scope="col">Omnimeter</th>
                  <th scope="col">Client</th>
                  <th scope="col">Output tokens</th>
                </tr>
              </thead>
              <tbody>
                {calls.map((call) => (
                  <Row key={call.id} call={call} view={view} />
                ))}
              </tbody>
            </table>
          </ScrollBox>
          {calls.length === SLOWEST_MAX && (
            <p className="py-2 text-xs text-muted">The slowest {SLOWEST_MAX}; there are more calls.</p>
          )}
        </>
      )}
    </section>
  );
}

function Row({ call, view }: { call: SlowCall; view: LatencyView }) {
  return (
    <tr data-testid={`slow-${call.id}`}>
      <th scope="row">
        <Link className="text-link" href={hrefOf(`/calls/${call.id}`, view)}>
          {formatMoment(call.startedAt.getTime(), view.zone)}
        </Link>
      </th>
      <td className="max-w-48 truncate !text-left">{call.feature ?? "—"}</td>
      <td className="max-w-56 truncate !text-left">{call.model ?? call.requestModel ?? "—"}</td>
      <td className="!text-left">{endpointName(call.endpoint)}</td>
      {view.metric !== null && view.metric !== "duration" && (
        <td className="font-semibold">{formatDuration(call.metricMs)}</td>
      )}
      <td className={view.metric === null || view.metric === "duration" ? "font-semibold" : ""}>
        {formatDuration(call.durationMs)}
      </td>
      <td>{formatDuration(call.firstTokenMs)}</td>
      <td>{formatDuration(call.firstTextMs)}</td>
      <td>{formatDuration(call.firstAudioMs)}</td>
      <td>{formatCount(call.stalls)}</td>
      <td>{formatDuration(call.upstreamMs)}</td>
      <td>{formatDuration(call.ownMs)}</td>
      <td>{formatDuration(call.clientMs)}</td>
      <td>{formatCount(call.outputTokens)}</td>
    </tr>
  );
}
