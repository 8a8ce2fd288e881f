import { uuid7Floor } from "#db/partitions.ts";
import { metricBin, metricMs } from "#db/rollup-latency.ts";
import type { Outcome } from "#lib/call.ts";
import type { LatencyMetric } from "#lib/latency.ts";
import type { Modality } from "#lib/modalities.ts";
import { inScope, type Reader, type Scope } from "./call-filter.ts";
import { latencySource, QUARTER_MS } from "./latency-source.ts";

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
  /** Whose time it was; the three sum to the duration. */
  clientMs: number;
  ownMs: number;
  upstreamMs: number;
  inputTokens: number | null;
  outputTokens: number | null;
}

const DAY_MS = 86_400_000;
/** Quarters of an hour that may be looked at one by one; beyond, the whole range is as quick. */
const QUARTERS_MAX = 200;

/** Of the timed calls (completed, their whole course seen), those with the most of a metric. */
export async function slowestOf(sql: Reader, scope: Scope, metric: LatencyMetric, limit: number): Promise<SlowCall[]> {
  const place = await placeOf(sql, scope, metric, limit);
  return sql<SlowCall[]>`
    select
      id, started_at as "startedAt", feature, customer, model, request_model as "requestModel", endpoint,
      coalesce(call_modality(input_modalities, output_modalities), '') as modality, outcome, status,
      ${sql.unsafe(metricMs(metric))} as "metricMs", duration_ms as "durationMs", first_token_ms as "firstTokenMs",
      ${CLIENT_MS(sql)} as "clientMs", ${OWN_MS(sql)} as "ownMs", duration_ms - ${CLIENT_MS(sql)} - ${OWN_MS(sql)} as "upstreamMs",
      input_tokens as "inputTokens", output_tokens as "outputTokens"
    from calls
    where ${inScope(sql, scope)} and ${sql.unsafe(metricBin(metric))} is not null
      ${place ? within(sql, place, metric) : sql``}
    order by ${sql.unsafe(metricMs(metric))} desc, id
    limit ${limit}`;
}

const CLIENT_MS = (sql: Reader) => sql`call_client_ms(request_end_ms, sent_ms)`;
const OWN_MS = (sql: Reader) => sql`call_own_ms(request_end_ms, connect_ms, sent_ms, response_end_ms, duration_ms)`;

interface Place {
  /** Milliseconds since the epoch. */
  quarters: number[];
  leastBin: number;
}

/** In which quarters of an hour the slowest are, and from which bin on: histograms know. null: it may be anywhere. */
async function placeOf(sql: Reader, scope: Scope, metric: LatencyMetric, limit: number): Promise<Place | null> {
  const { binsOf, from } = await latencySource(sql, scope);
  if (from === "calls") return null;
  const days = await sql<{ day: Date; bin: number }[]>`
    with counted as materialized (
      select date_bin('1 day', bucket, 'epoch') as day, bin, sum(n) as n from ${binsOf([metric])} part group by 1, 2
    ),
    least as (
      select coalesce(max(bin) filter (where upto >= ${limit}::integer), min(bin)) as bin
      from (select bin, sum(sum(n)) over (order by bin desc) as upto from counted group by bin) ranked
    )
    select distinct day, least.bin from counted join least on counted.bin >= least.bin
    limit ${QUARTERS_MAX + 1}`;
  const leastBin = days[0]?.bin;
  if (leastBin === undefined || days.length > QUARTERS_MAX) return null;
  const found = await Promise.all(days.map(({ day }) => quartersOf(sql, scope, day.getTime(), metric, leastBin)));
  const quarters = found.flat();
  return quarters.length > QUARTERS_MAX ? null : { quarters, leastBin };
}

async function quartersOf(sql: Reader, scope: Scope, dayMs: number, metric: LatencyMetric, leastBin: number) {
  const interval = {
    fromMs: Math.max(dayMs, scope.interval.fromMs),
    toMs: Math.min(dayMs + DAY_MS, scope.interval.toMs),
  };
  const { binsOf } = await latencySource(sql, { ...scope, interval }, null);
  const rows = await sql<{ bucket: Date }[]>`
    select distinct date_bin('15 minutes', bucket, 'epoch') as bucket from ${binsOf([metric])} part where bin >= ${leastBin}`;
  return rows.map(({ bucket }) => bucket.getTime());
}

function within(sql: Reader, { quarters, leastBin }: Place, metric: LatencyMetric) {
  const any = quarters
    .map((ms) => sql`(id >= ${uuid7Floor(ms)}::uuid and id < ${uuid7Floor(ms + QUARTER_MS)}::uuid)`)
    .reduce((before, quarter) => sql`${before} or ${quarter}`);
  return sql`and (${any}) and ${sql.unsafe(metricBin(metric))} >= ${leastBin}`;
}
