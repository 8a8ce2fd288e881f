import { hrefOf } from "#app/_frame/view.ts";
import { endpointName } from "#app/_ui/endpoint-name.ts";
import { formatCount, formatDuration, formatShare } from "#app/_ui/format.ts";
import { Link } from "#app/_ui/link.tsx";
import { ScrollBox } from "#app/_ui/scroll-box.tsx";
import { OTHER } from "#db/queries/call-filter.ts";
import type { Route } from "#db/queries/latency-routes.ts";
import { MODALITIES } from "#lib/modalities.ts";
import { Change, PercentileFigure, rankMs, speedText } from "./figures.tsx";
import { type LatencyView, latencyHref, type Rank } from "./latency-view.ts";
import { ROUTES_MAX } from "./read.ts";

/** Feature × model × endpoint, those first whose calls lost most time against last week. Every row leads to its calls. */
export function RoutesTable({ routes, view }: { routes: readonly Route[]; view: LatencyView }) {
  const shown = inOrder(routes, view.rank).slice(0, ROUTES_MAX);
  const excess = routes.reduce((sum, { excessSeconds }) => sum + (excessSeconds ?? 0), 0);
  const compared = routes.some(({ before }) => before !== null);
  return (
    <section aria-labelledby="routes-title" data-testid="table-routes" className="mt-8">
      <div className="flex flex-wrap items-baseline gap-x-4">
        <h2 id="routes-title" className="text-lg font-semibold">
          Worst routes
        </h2>
        <p className="text-muted">
          {compared
            ? "Most excess seconds first: what calls took above the median of the same hours last week."
            : `No route has 20 calls in the same hours last week: slowest p${view.rank} first.`}
        </p>
      </div>
      <ScrollBox name="Worst routes" className="mt-2">
        <table className="figures w-full [&_th:first-child]:sticky [&_th:first-child]:left-0 [&_th:first-child]:bg-bg">
          <thead>
            <tr>
              <th scope="col">Feature</th>
              <th scope="col" className="!text-left">
                Model
              </th>
              <th scope="col" className="!text-left">
                Endpoint
              </th>
              <th scope="col">Calls</th>
              <th scope="col">p50</th>
              {view.rank !== 50 && <th scope="col">p{view.rank}</th>}
              <th scope="col">p{view.rank} against last week</th>
              <th scope="col">First token p50</th>
              <th scope="col">Speed</th>
              <th scope="col">Errors</th>
              <th scope="col">Excess</th>
              <th scope="col">Share</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((route) => (
              <Row key={keyOf(route)} {...{ route, view, excess }} />
            ))}
          </tbody>
        </table>
      </ScrollBox>
      <p className="py-2 text-xs text-muted">
        {routes.length > ROUTES_MAX && `The worst ${ROUTES_MAX} are listed; there are more. `}
        Share: of the excess of all listed routes.
      </p>
    </section>
  );
}

function Row({ route, view, excess }: { route: Route; view: LatencyView; excess: number }) {
  const { feature, model, endpoint, modality, percentiles, before, excessSeconds } = route;
  const folded = feature === OTHER || model === OTHER;
  const filter = { ...view.filter, feature: [feature], model: [model], endpoint: [endpoint], modality: [modality] };
  const now = rankMs(percentiles, view.rank);
  const then = before && (view.rank === 50 ? before.p50Ms : view.rank === 95 ? before.p95Ms : null);
  const label = MODALITIES.find(({ name }) => name === modality)?.label.toLowerCase() ?? "unknown";
  const name = feature || "none given";
  return (
    <tr data-testid={`route-${name}`}>
      <th scope="row" className="max-w-60 truncate">
        {folded ? (
          <span title="Values beyond the first 500 of a quarter of an hour are kept together">{name}</span>
        ) : (
          <Link
            className={`text-link ${feature ? "" : "italic"}`}
            href={latencyHref(view, { filter: { ...view.filter, feature: [feature] } })}
          >
            {name}
          </Link>
        )}
      </th>
      <td className="max-w-60 truncate !text-left">{model || "—"}</td>
      <td className="!text-left">
        {endpointName(endpoint)} <span className="text-xs text-muted">{label}</span>
      </td>
      <td>
        {folded ? (
          formatCount(route.calls)
        ) : (
          <Link
            className="text-link"
            href={hrefOf("/calls", view, { filter })}
            aria-label={`${formatCount(route.calls)} calls of ${name}, ${model}, ${endpointName(endpoint)}, ${label}`}
          >
            {formatCount(route.calls)}
          </Link>
        )}
      </td>
      <td>
        <PercentileFigure percentiles={percentiles} rank={50} />
      </td>
      {view.rank !== 50 && (
        <td>
          <PercentileFigure percentiles={percentiles} rank={view.rank} />
        </td>
      )}
      <td>{now !== null && then !== null ? <Change nowMs={now} beforeMs={then} /> : "—"}</td>
      <td>{route.firstToken.n > 0 ? <PercentileFigure percentiles={route.firstToken} rank={50} /> : "—"}</td>
      <td>{speedText(route.tokensPerSecond)}</td>
      <td className={route.callsFailed > 0 ? "text-bad" : ""}>{formatShare(route.callsFailed, route.calls)}</td>
      <td>{excessSeconds === null ? "—" : formatDuration(excessSeconds * 1000)}</td>
      <td>{excessSeconds === null ? "—" : formatShare(excessSeconds, excess)}</td>
    </tr>
  );
}

const keyOf = ({ feature, model, endpoint, modality }: Route) => [feature, model, endpoint, modality].join("\n");

/** Those with an excess first, most of it first; the others by the percentile that stands out, those that have none last. */
function inOrder(routes: readonly Route[], rank: Rank): Route[] {
  const slowness = ({ percentiles }: Route) => rankMs(percentiles, rank) ?? -1;
  return routes.toSorted(
    (a, b) => (b.excessSeconds ?? -1) - (a.excessSeconds ?? -1) || slowness(b) - slowness(a) || b.calls - a.calls,
  );
}
