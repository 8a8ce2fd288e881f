import type { PendingQuery, Row } from "postgres";
import { uuid7Floor } from "#db/partitions.ts";
import { metricBin, metricMs } from "#db/rollup-latency.ts";
import type { Outcome } from "#lib/call.ts";
import type { LatencyMetric } from "#lib/latency.ts";
import type { Modality } from "#lib/modalities.ts";
import type { Interval } from "#lib/range.ts";
import { inScope, type Reader, type Scope } from "./call-filter.ts";
import { type Histogram, histogramsOf } from "./latency-histograms.ts";
import { type LatencySource, latencySource, QUARTER_MS, quartersReaching } from "./latency-source.ts";

export interface SlowCall {
  id: string;
  startedAt: Date;
  feature: string | null;
  customer: string | null;
  model: string | null;
  requestModel: string | null;
  endpoint: string;
  modality: Modality | "";
  outcome: Outcome;
  status: number | null;
  /** The metric asked for. */
  metricMs: number;
  durationMs: number;
  firstTokenMs: number | null;
  firstTextMs: number | null;
  firstAudioMs: number | null;
  /** Long pauses of a stream. null: not a stream, or not counted. */
  stalls: number | null;
  /** Whose time it was; the three sum to the duration. */
  clientMs: number;
  ownMs: number;
  upstreamMs: number;
  inputTokens: number | null;
  outputTokens: number | null;
}

const DAY_MS = 86_400_000;
/** Stretches of time that may be looked at one by one; beyond, the whole range is as quick. */
const STRETCHES_MAX = 500;

/** Of the timed calls (completed, their whole course seen), those with the most of a metric. */
export async function slowestOf(sql: Reader, scope: Scope, metric: LatencyMetric, limit: number): Promise<SlowCall[]> {
  const place = await placeOf(sql, scope, metric, limit);
  if (!place) return sql<SlowCall[]>`${slowest(sql, scope, metric, limit, sql``)}`;
  const ids = (of: (stretch: Interval) => number) => place.stretches.map((stretch) => uuid7Floor(of(stretch)));
  const here = sql`and id >= first_id and id < end_id and ${sql.unsafe(metricBin(metric))} >= ${place.leastBin}`;
  // Each stretch by itself, so that each is found by the key: joined by "or" they are read with all that lies between them.
  return sql<SlowCall[]>`
    select found.*
    from unnest(${ids(({ fromMs }) => fromMs)}::uuid[], ${ids(({ toMs }) => toMs)}::uuid[]) as stretch (first_id, end_id)
    cross join lateral (${slowest(sql, scope, metric, limit, here)}) found
    order by "metricMs" desc, id
    limit ${limit}`;
}

const slowest = (sql: Reader, scope: Scope, metric: LatencyMetric, limit: number, here: PendingQuery<Row[]>) => sql`
  select
    id, started_at as "startedAt", feature, customer, model, request_model as "requestModel", endpoint,
    coalesce(call_modality(input_modalities, output_modalities), '') as modality, outcome, status,
    ${sql.unsafe(metricMs(metric))} as "metricMs", duration_ms as "durationMs", first_token_ms as "firstTokenMs",
    first_text_ms as "firstTextMs", first_audio_ms as "firstAudioMs", stalls,
    ${CLIENT_MS(sql)} as "clientMs", ${OWN_MS(sql)} as "ownMs", duration_ms - ${CLIENT_MS(sql)} - ${OWN_MS(sql)} as "upstreamMs",
    input_tokens as "inputTokens", output_tokens as "outputTokens"
  from calls
  where ${inScope(sql, scope)} and ${sql.unsafe(metricBin(metric))} is not null ${here}
  order by "metricMs" desc, id
  limit ${limit}`;

const CLIENT_MS = (sql: Reader) => sql`call_client_ms(request_end_ms, sent_ms)`;
const OWN_MS = (sql: Reader) => sql`call_own_ms(request_end_ms, connect_ms, sent_ms, response_end_ms, duration_ms)`;

interface Place {
  stretches: Interval[];
  leastBin: number;
}

/** In which quarters of an hour (or days, where these are many) the slowest are, and from which bin on: histograms know. null: it may be anywhere. */
async function placeOf(sql: Reader, scope: Scope, metric: LatencyMetric, limit: number): Promise<Place | null> {
  const source = await latencySource(sql, scope);
  if (source.from === "calls") return null;
  const days = await countedByDay(sql, source, scope.interval, metric);
  const leastBin = leastBinOf(days, limit);
  if (leastBin === null) return null;
  const found = days.filter(({ histogram }) => reaches(histogram, leastBin)).map(({ interval }) => interval);
  const quarters = await quartersReaching(sql, scope, found, metric, leastBin);
  const stretches =
    quarters.length <= STRETCHES_MAX ? quarters.map((fromMs) => ({ fromMs, toMs: fromMs + QUARTER_MS })) : found;
  return stretches.length <= STRETCHES_MAX ? { stretches, leastBin } : null;
}

interface Day {
  interval: Interval;
  histogram: Histogram;
}

/** The calls of a source by days of UTC. */
async function countedByDay(
  sql: Reader,
  source: LatencySource,
  { fromMs, toMs }: Interval,
  metric: LatencyMetric,
): Promise<Day[]> {
  const edges = [fromMs];
  for (let at = (Math.floor(fromMs / DAY_MS) + 1) * DAY_MS; at < toMs; at += DAY_MS) edges.push(at);
  edges.push(toMs);
  const counted = await histogramsOf(sql, source, { edges, by: [] }, [metric]);
  return counted.map(({ column, histograms }) => ({
    interval: { fromMs: edges[column] as number, toMs: edges[column + 1] as number },
    histogram: histograms[metric] ?? new Map(),
  }));
}

/** The highest bin from which on there are so many calls, or the lowest one of fewer; null: there are none. */
function leastBinOf(days: readonly Day[], limit: number): number | null {
  const bins = days.flatMap(({ histogram }) => [...histogram]).sort(([a], [b]) => b - a);
  let calls = 0;
  for (const [bin, n] of bins) {
    calls += n;
    if (calls >= limit) return bin;
  }
  return bins.at(-1)?.[0] ?? null;
}

const reaches = (histogram: Histogram, leastBin: number): boolean => {
  for (const bin of histogram.keys()) if (bin >= leastBin) return true;
  return false;
};
