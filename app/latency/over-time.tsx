import { type BandPoint, LatencyBands } from "#app/_charts/latency-bands.tsx";
import { LatencyParts, type PartsBar } from "#app/_charts/latency-parts.tsx";
import { hrefOf } from "#app/_frame/view.ts";
import { formatCount, formatDuration, formatShare } from "#app/_ui/format.ts";
import { Link } from "#app/_ui/link.tsx";
import { ScrollBox } from "#app/_ui/scroll-box.tsx";
import { timeParts } from "#app/_ui/time.ts";
import type { Column } from "#db/queries/latency-page.ts";
import { MODALITIES } from "#lib/modalities.ts";
import { columnName } from "./cuts.ts";
import { clock } from "./finding-sentence.ts";
import type { LatencyView } from "./latency-view.ts";
import { METRICS } from "./metrics.ts";
import type { Pace } from "./read.ts";
import { latencyTicks, timeTicks } from "./ticks.ts";

/** One modality over time: its percentiles, and whose time its calls took. */
export function OverTime({ pace, view }: { pace: Pace; view: LatencyView }) {
  return (
    <div className="grid min-w-0 content-start gap-4">
      <Bands pace={pace} view={view} />
      <Parts pace={pace} view={view} />
    </div>
  );
}

function Bands({ pace, view }: { pace: Pace; view: LatencyView }) {
  const { modality, metric, columns } = pace;
  const points = pointsOf(pace, view);
  const known = points.flatMap(({ p50, p95, p99 }) => [p50, p95, p99].flatMap((ms) => ms ?? []));
  const title = `${METRICS[metric].short} per ${columnName(view, columns)}, log scale`;
  const sentence = bandsSentence(points);
  return (
    <section aria-label={`${labelOf(modality)}: ${title}`} data-testid={`bands-${modality}`} className="min-w-0">
      <h4 className="flex flex-wrap items-baseline gap-x-3">
        <span className="font-semibold first-letter:uppercase">{title}</span>
        <span className="text-xs text-muted">{sentence}</span>
      </h4>
      {known.length > 0 && (
        <LatencyBands
          points={points}
          ticks={timeTicks(view)}
          latencies={latencyTicks(...domainOf(known))}
          domain={domainOf(known)}
          span={[view.interval.fromMs, view.interval.toMs]}
          colour={`var(--${modality})`}
          rank={view.rank}
          label={`${labelOf(modality)}: ${title}. ${sentence}`}
          table={
            <details>
              <summary className="inline-flex items-center underline underline-offset-2">View as table</summary>
              <AsTable pace={pace} points={points} view={view} />
            </details>
          }
        />
      )}
    </section>
  );
}

function AsTable({ pace, points, view }: { pace: Pace; points: readonly BandPoint[]; view: LatencyView }) {
  const { modality, columns } = pace;
  const filter = { ...view.filter, modality: [modality] };
  return (
    <ScrollBox name={`${labelOf(modality)} over time`} className="max-h-80 overflow-y-auto">
      <table className="figures">
        <thead>
          <tr>
            <th scope="col">From</th>
            <th scope="col">p50</th>
            <th scope="col">p95</th>
            <th scope="col">p99</th>
            <th scope="col">n</th>
            <th scope="col">Upstream</th>
            <th scope="col">Omnimeter</th>
            <th scope="col">Client</th>
          </tr>
        </thead>
        <tbody>
          {pace.points.map((column) => {
            const point = points[column.column];
            const from = { at: columns.edges[column.column] as number };
            const to = { at: columns.edges[column.column + 1] as number };
            return (
              <tr key={column.column}>
                <th scope="row">
                  <Link
                    className="text-link"
                    href={hrefOf("/calls", view, { range: { kind: "between", from, to }, filter })}
                  >
                    {point?.from}
                  </Link>
                </th>
                <td>{formatDuration(point?.p50 ?? null)}</td>
                <td>{formatDuration(point?.p95 ?? null)}</td>
                <td>{formatDuration(point?.p99 ?? null)}</td>
                <td>{formatCount(point?.n ?? 0)}</td>
                <td>{formatDuration(column.upstreamMs)}</td>
                <td>{formatDuration(column.ownMs)}</td>
                <td>{formatDuration(column.clientMs)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
      <p className="py-2 text-xs text-muted">
        Times without calls are left out. The last three are means of the whole duration.
      </p>
    </ScrollBox>
  );
}

function Parts({ pace, view }: { pace: Pace; view: LatencyView }) {
  const { modality, strip, before } = pace;
  const { clientMs, ownMs, upstreamMs, callsTimed } = strip;
  if (clientMs === null || ownMs === null || upstreamMs === null) return null;
  const bars = barsOf(pace, view);
  const whole = clientMs + ownMs + upstreamMs;
  const rows = [
    { name: "Upstream", now: upstreamMs, lastWeek: before?.upstreamMs ?? null },
    { name: "Omnimeter", now: ownMs, lastWeek: before?.ownMs ?? null },
    { name: "Client", now: clientMs, lastWeek: before?.clientMs ?? null },
  ];
  return (
    <section aria-label={`${labelOf(modality)}: where the time went`} data-testid={`parts-${modality}`}>
      <h4 className="flex flex-wrap items-baseline gap-x-3">
        <span className="font-semibold">Where the time went, mean per call</span>
        <span className="text-xs text-muted">n {formatCount(callsTimed)}</span>
      </h4>
      <div className="grid items-start gap-x-4 sm:grid-cols-[1fr_auto]">
        <div className="min-w-0">
          <LatencyParts
            bars={bars}
            ticks={timeTicks(view).map(({ at, label }) => ({ slot: slotAt(pace, at), label }))}
            label={`Where the time of ${labelOf(modality).toLowerCase()} calls went, mean per ${columnName(view, pace.columns)}: ${rows
              .map(({ name, now }) => `${name} ${formatDuration(now)}`)
              .join(", ")} over the range.`}
          />
        </div>
        <table className="figures [&_td]:!px-1.5 [&_td]:!py-1 [&_th]:!px-1.5 [&_th]:!py-1">
          <thead>
            <tr>
              <th scope="col">Whose</th>
              <th scope="col">Mean</th>
              <th scope="col">Share</th>
              <th scope="col">Last week</th>
            </tr>
          </thead>
          <tbody>
            {rows.map(({ name, now, lastWeek }) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td>{formatDuration(now)}</td>
                <td>{formatShare(now, whole)}</td>
                <td className="text-muted">{formatDuration(lastWeek)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

const labelOf = (modality: string): string => MODALITIES.find(({ name }) => name === modality)?.label ?? modality;

/** One point per column, those without calls included: they are gaps. */
function pointsOf({ columns: { edges }, points }: Pace, view: LatencyView): BandPoint[] {
  const found = new Map(points.map((one) => [one.column, one]));
  return edges.slice(0, -1).map((from, i) => {
    const to = edges[i + 1] as number;
    const { p50Ms = null, p95Ms = null, p99Ms = null, n = 0 } = found.get(i)?.percentiles ?? {};
    return {
      at: (from + to) / 2,
      ...spanText(from, to, view),
      p50: p50Ms,
      p95: p95Ms,
      p99: p99Ms,
      n,
      unfinished: to > view.nowMs,
    };
  });
}

function barsOf({ columns: { edges }, points }: Pace, view: LatencyView): PartsBar[] {
  const found = new Map<number, Column>(points.map((one) => [one.column, one]));
  return edges.slice(0, -1).map((from, i) => {
    const to = edges[i + 1] as number;
    const { clientMs, ownMs, upstreamMs, callsTimed = 0 } = found.get(i) ?? {};
    return {
      slot: i + 1,
      ...spanText(from, to, view),
      client: clientMs ?? 0,
      own: ownMs ?? 0,
      upstream: upstreamMs ?? 0,
      n: callsTimed,
      unfinished: to > view.nowMs,
    };
  });
}

const spanText = (from: number, to: number, { zone }: LatencyView) => ({
  from: clock(from, zone, ""),
  to: clock(to, zone, timeParts(from, zone).day),
});

const slotAt = ({ columns: { edges } }: Pace, at: number): number =>
  Math.max(1, edges.findLastIndex((edge) => edge <= at) + 1);

/** From a little below the least to a little above the most. */
function domainOf(known: readonly number[]): [number, number] {
  return [Math.min(...known) * 0.8, Math.max(...known) * 1.25];
}

/** "p95 between 842 ms and 2.91 s, last 901 ms." */
function bandsSentence(points: readonly BandPoint[]): string {
  const p95s = points.flatMap(({ p95 }) => p95 ?? []);
  const last = p95s.at(-1);
  if (last === undefined) return "No stretch of time has the 20 calls that a p95 takes.";
  return `p95 between ${formatDuration(Math.min(...p95s))} and ${formatDuration(Math.max(...p95s))}, last ${formatDuration(last)}.`;
}
