import { type BandPoint, LatencyBands } from "#app/_charts/latency-bands.tsx";
import type { View } from "#app/_frame/view.ts";
import { formatCount, formatDuration } from "#app/_ui/format.ts";
import { ScrollBox } from "#app/_ui/scroll-box.tsx";
import { timeParts } from "#app/_ui/time.ts";
import { clock } from "#app/latency/finding-sentence.ts";
import { latencyTicks, timeTicks } from "#app/latency/ticks.ts";
import type { FoundSessions } from "./read-sessions.ts";
import { WaitsByGroup } from "./waits-by-group.tsx";

/** From so many turns on a column of the chart has one: as on the latency page. */
const COLUMN_LEAST = { p50: 5, p95: 20, p99: 100 } as const;

type Waits = FoundSessions["waits"];

/** Since when people wait longer, in which feature and model, and for what. */
export function Waits({ waits, view }: { waits: Waits; view: View }) {
  if (waits.over.length === 0) return null;
  return (
    <section aria-labelledby="waits-title" className="mb-6 min-w-0" data-testid="waits">
      <h2 id="waits-title" className="text-lg font-semibold">
        How long people waited for an answer
      </h2>
      <div className="grid min-w-0 gap-x-8 gap-y-3 xl:grid-cols-[2fr_3fr]">
        <OverTime waits={waits} view={view} />
        <WaitsByGroup groups={waits.groups} before={waits.before} view={view} />
      </div>
    </section>
  );
}

function OverTime({ waits: { over, buckets }, view }: { waits: Waits; view: View }) {
  const points = pointsOf(over, buckets.edges, view);
  const known = points.flatMap(({ p50, p95, p99 }) => [p50, p95, p99].flatMap((ms) => ms ?? []));
  const title = `First audio per ${buckets.width.name}, log scale`;
  const table = <AsTable points={points} />;
  if (known.length === 0)
    return (
      <div className="min-w-0">
        <p className="font-semibold">{title}</p>
        <p className="text-muted">
          No {buckets.width.name} has the {COLUMN_LEAST.p50} turns that a p50 takes here.
        </p>
        {table}
      </div>
    );
  const domain: [number, number] = [Math.min(...known) * 0.8, Math.max(...known) * 1.25];
  return (
    <div className="min-w-0" data-testid="waits-over-time">
      <p className="flex flex-wrap items-baseline gap-x-3">
        <span className="font-semibold">{title}</span>
        <span className="text-xs text-muted">{sentence(points)}</span>
      </p>
      <LatencyBands
        points={points}
        ticks={timeTicks(view)}
        latencies={latencyTicks(...domain)}
        domain={domain}
        span={[view.interval.fromMs, view.interval.toMs]}
        colour="var(--audio)"
        rank={95}
        label={`${title}. ${sentence(points)}`}
        table={table}
      />
    </div>
  );
}

/** One point per column, those without turns included: they are gaps. */
function pointsOf(over: Waits["over"], edges: readonly number[], { zone, nowMs }: View): BandPoint[] {
  const found = new Map(over.map((one) => [one.slot, one]));
  return edges.slice(0, -1).map((from, i) => {
    const to = edges[i + 1] as number;
    const { n = 0, p50Ms = null, p95Ms = null, p99Ms = null } = found.get(i + 1) ?? {};
    return {
      at: (from + to) / 2,
      from: clock(from, zone, ""),
      to: clock(to, zone, timeParts(from, zone).day),
      p50: n < COLUMN_LEAST.p50 ? null : p50Ms,
      p95: n < COLUMN_LEAST.p95 ? null : p95Ms,
      p99: n < COLUMN_LEAST.p99 ? null : p99Ms,
      n,
      unfinished: to > nowMs,
    };
  });
}

function sentence(points: readonly BandPoint[]): string {
  const worst = points.reduce<BandPoint | null>((most, one) => ((one.p50 ?? 0) > (most?.p50 ?? 0) ? one : most), null);
  if (!worst || worst.p50 === null) return "";
  const last = points.findLast(({ p50 }) => p50 !== null) as BandPoint;
  return `p50 at most ${formatDuration(worst.p50)}, from ${worst.from} (n ${formatCount(worst.n)}); last ${formatDuration(last.p50)}.`;
}

function AsTable({ points }: { points: readonly BandPoint[] }) {
  return (
    <details>
      <summary className="inline-flex items-center underline underline-offset-2">View as table</summary>
      <ScrollBox name="First audio over time" className="max-h-80 overflow-y-auto">
        <table className="figures">
          <thead>
            <tr>
              {["From", "p50", "p95", "p99", "n"].map((name) => (
                <th key={name} scope="col">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {points
              .filter(({ n }) => n > 0)
              .map(({ at, from, p50, p95, p99, n }) => (
                <tr key={at}>
                  <th scope="row">{from}</th>
                  <td>{formatDuration(p50)}</td>
                  <td>{formatDuration(p95)}</td>
                  <td>{formatDuration(p99)}</td>
                  <td>{formatCount(n)}</td>
                </tr>
              ))}
          </tbody>
        </table>
      </ScrollBox>
    </details>
  );
}
