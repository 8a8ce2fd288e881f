import { type AlertMeasure, type AlertScope, type AlertWish, alertMeasure } from "#lib/alert.ts";
import type { LatencyMetric } from "#lib/latency.ts";
import type { Interval } from "#lib/range.ts";
import type { CallFilter, Reader, Scope } from "./call-filter.ts";
import { watermarkMs } from "./frame.ts";
import { histogramsOf } from "./latency-histograms.ts";
import { percentilesOf } from "./latency-percentiles.ts";
import { latencySource, QUARTER_MS } from "./latency-source.ts";
import { spendSource } from "./spend-source.ts";

/** A measure in its unit (lib/alert.ts). */
export interface Measured {
  /** null: not known, or of too few calls. */
  value: number | null;
  /** How many calls it is of; null: the measure is not of calls. */
  calls: number | null;
}

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** What a rule watches, at a moment. */
export async function measureAlert(
  sql: Reader,
  project: string,
  { measure, scope, windowMinutes }: Omit<AlertWish, "threshold">,
  nowMs: number,
): Promise<Measured> {
  if (measure === "data_lag") return lagOf(sql, nowMs);
  const interval = intervalOf(measure, windowMinutes, nowMs);
  // Nothing of the window is stored yet: that is not the same as nothing.
  const storedMs = await watermarkMs(sql);
  if (storedMs !== null && storedMs <= interval.fromMs) return { value: null, calls: null };
  const edges = [interval.fromMs, interval.toMs];
  const [measured] = await measureSlots(sql, { project, interval, filter: filterOf(scope) }, measure, edges);
  return measured as Measured;
}

/** All but the lag, which has no past. */
export type SlotMeasure = Exclude<AlertMeasure, "data_lag">;

/** The measure between each two edges (milliseconds, ascending; those inside on whole quarters of an hour), in their order. */
export async function measureSlots(
  sql: Reader,
  scope: Scope,
  measure: SlotMeasure,
  edges: readonly number[],
): Promise<Measured[]> {
  const found = await MEASURES[measure](sql, scope, edges);
  const { callsMin } = alertMeasure(measure);
  return edges.slice(1).map((_, i) => {
    const { value, calls } = found.get(i + 1) ?? { value: 0, calls: callsMin === null ? null : 0 };
    return { value: callsMin !== null && (calls ?? 0) < callsMin ? null : value, calls };
  });
}

/** By slot, from 1, of however few calls; a slot without any is left out. */
type Measure = (sql: Reader, scope: Scope, edges: readonly number[]) => Promise<Map<number, Measured>>;

const MEASURES: Record<SlotMeasure, Measure> = {
  p95_first_token: p95Of("first_token"),
  p95_first_audio: p95Of("first_audio"),
  p95_duration: p95Of("duration"),
  error_rate: errorRate,
  spend_per_day: spendPerDay,
  unpriced_calls: unpricedCalls,
};

const ANY = { p50: 1, p95: 1, p99: 1 };

/** The same percentile of the same calls as on the page about latency. */
function p95Of(metric: LatencyMetric): Measure {
  return async (sql, scope, edges) => {
    const source = await latencySource(sql, scope, edges.slice(1, -1));
    const counted = await histogramsOf(sql, source, { edges, by: [] }, [metric]);
    return new Map(
      counted.map(({ column, histograms }) => {
        const { n, p95Ms } = percentilesOf(histograms[metric], ANY);
        return [column + 1, { value: p95Ms, calls: n }];
      }),
    );
  };
}

/** Of all calls that began, those given up by their clients included. From the rollup that knows modalities. */
async function errorRate(sql: Reader, scope: Scope, edges: readonly number[]): Promise<Map<number, Measured>> {
  const { rows } = await latencySource(sql, scope, edges.slice(1, -1));
  const sums = await sql<{ slot: number; calls: number; errors: number }[]>`
    select ${slotOf(sql, edges)} as slot, sum(calls)::bigint as calls, sum(calls_failed)::bigint as errors
    from ${rows} part group by 1 having sum(calls) > 0`;
  return new Map(sums.map(({ slot, calls, errors }) => [slot, { value: errors / calls, calls }]));
}

/** Reported and estimated together. Summed exactly; a number only to be compared. */
async function spendPerDay(sql: Reader, scope: Scope, edges: readonly number[]): Promise<Map<number, Measured>> {
  const { rows } = await spendSource(sql, scope, { edges, told: [], measures: ["cost_usd", "cost_estimated_usd"] });
  const sums = await sql<{ slot: number; usd: string }[]>`
    select ${slotOf(sql, edges)} as slot, sum(cost_usd + cost_estimated_usd)::text as usd from ${rows} spent group by 1`;
  return new Map(sums.map(({ slot, usd }) => [slot, { value: Number(usd), calls: null }]));
}

/** Less than none where calls got their price after their month was closed. */
async function unpricedCalls(sql: Reader, scope: Scope, edges: readonly number[]): Promise<Map<number, Measured>> {
  const { rows } = await spendSource(sql, scope, { edges, told: [], measures: ["calls_unpriced"] });
  const sums = await sql<{ slot: number; calls: number }[]>`
    select ${slotOf(sql, edges)} as slot, greatest(0, sum(calls_unpriced))::bigint as calls from ${rows} spent group by 1`;
  return new Map(sums.map(({ slot, calls }) => [slot, { value: calls, calls: null }]));
}

async function lagOf(sql: Reader, nowMs: number): Promise<Measured> {
  const storedMs = await watermarkMs(sql);
  return { value: storedMs === null ? null : Math.max(0, nowMs - storedMs) / 1000, calls: null };
}

/** A window up to now ends with its quarter of an hour: nothing is there yet, and rollups hold whole quarters. */
function intervalOf(measure: SlotMeasure, windowMinutes: number, nowMs: number): Interval {
  const fromMs = alertMeasure(measure).windowed
    ? nowMs - windowMinutes * MINUTE_MS
    : Math.floor(nowMs / DAY_MS) * DAY_MS;
  return { fromMs, toMs: Math.ceil(nowMs / QUARTER_MS) * QUARTER_MS };
}

export const filterOf = ({ feature, model, environment, modality }: AlertScope): CallFilter => ({
  ...(feature !== undefined && { feature: [feature] }),
  ...(model !== undefined && { model: [model] }),
  ...(environment !== undefined && { environment: [environment] }),
  ...(modality !== undefined && { modality: [modality] }),
});

const slotOf = (sql: Reader, edges: readonly number[]) =>
  sql`width_bucket(bucket, ${edges.map((ms) => new Date(ms).toISOString())}::timestamptz[])`;
