import { ERRORS } from "#lib/call.ts";
import type { LatencyMetric } from "#lib/latency.ts";
import type { OfCalls } from "./of-calls.ts";
import { keptValues, OTHER } from "./rollup-limit.ts";

/** What calls are told apart by: the dimensions of `rollup_latency`. */
export const LATENCY_DIMENSIONS = ["environment", "feature", "model", "endpoint", "modality"] as const;
export type LatencyDimension = (typeof LATENCY_DIMENSIONS)[number];

/** Only completed calls whose whole course was seen tell how long a call takes. */
const TIMED =
  "(outcome = 'completed' and sent_ms is not null and response_end_ms is not null and duration_ms is not null)";
const PACED = `(${TIMED} and streamed and usage_source = 'reported' and output_tokens > 1 and last_token_ms > first_token_ms)`;

const CLIENT_US = "round(call_client_ms(request_end_ms, sent_ms) * 1000)::bigint";
const OWN_MS = "call_own_ms(request_end_ms, connect_ms, sent_ms, response_end_ms, duration_ms)";
const OWN_US = `round(${OWN_MS} * 1000)::bigint`;

/** Sums, each with what one call adds. */
const SUMS: Readonly<Record<string, string>> = {
  calls: "1",
  calls_failed: `(outcome in (${ERRORS.map((outcome) => `'${outcome}'`).join(", ")}))::int`,
  calls_timed: `${TIMED}::int`,
  client_us: `case when ${TIMED} then ${CLIENT_US} else 0 end`,
  own_us: `case when ${TIMED} then ${OWN_US} else 0 end`,
  // The rest, so that the three sum to the duration to the last microsecond.
  upstream_us: `case when ${TIMED} then round(duration_ms * 1000)::bigint - ${CLIENT_US} - ${OWN_US} else 0 end`,
  pace_tokens: `case when ${PACED} then output_tokens - 1 else 0 end`,
  pace_us: `case when ${PACED} then round((last_token_ms - first_token_ms) * 1000)::bigint else 0 end`,
};
export const LATENCY_SUMS: readonly string[] = Object.keys(SUMS);

const METRICS_MS: Readonly<Record<LatencyMetric, string>> = {
  first_byte: "first_byte_ms",
  first_token: "first_token_ms",
  first_audio: "first_audio_ms",
  duration: "duration_ms",
  // Inside a session nobody measures what we add: frames pass as they come.
  own: `case when parent_id is null then ${OWN_MS} end`,
};
const METRICS = Object.keys(METRICS_MS) as LatencyMetric[];

/** SQL: a metric of a call in milliseconds; NULL: the call is not counted there. */
export const metricMs = (metric: LatencyMetric): string => `case when ${TIMED} then ${METRICS_MS[metric]} end`;

/** SQL: its bin (`latency_bin` in the migrations); NULL like the metric. */
export const metricBin = (metric: LatencyMetric): string =>
  `case when ${TIMED} then latency_bin(${METRICS_MS[metric]}) end`;

/** SQL: the dimensions of a call, and what it adds to each sum, as columns with their names. The only definition of these figures. */
export const LATENCY_KEYS = `
  environment, coalesce(feature, '') as feature, coalesce(model, request_model, '') as model, endpoint,
  coalesce(call_modality(input_modalities, output_modalities), '') as modality`;
export const LATENCY_ADDENDS = Object.entries(SUMS)
  .map(([name, ofCall]) => `${ofCall} as ${name}`)
  .join(", ");

const PLACE = "project_id, bucket, writer";
const KEY = `${PLACE}, ${LATENCY_DIMENSIONS.join(", ")}`;

/**
 * SQL that adds calls to `rollup_latency`; see `rollUpCalls` for its parameters. Sums are of microseconds; a histogram counts the
 * calls of each bin.
 */
export const rollUpLatency = (which: string, sign: 1 | -1 = 1): string => `
  with part as materialized (
    select
      project_id, date_bin('15 minutes', started_at, 'epoch') as bucket, spool as writer, ${LATENCY_KEYS}, ${LATENCY_ADDENDS},
      ${METRICS.map((metric) => `${metricBin(metric)} as ${metric}`).join(", ")}
    from calls
    where ${which}
  ),
  summed as materialized (select distinct ${PLACE}, feature, model from part),
  places as materialized (
    select p.*, ${keptValues("rollup_latency", "feature")} as features, ${keptValues("rollup_latency", "model")} as models
    from (select distinct ${PLACE} from summed) p
  ),
  named as (
    select
      ${PLACE}, environment, case when feature = any(features) then feature else '${OTHER}' end as feature,
      case when model = any(models) then model else '${OTHER}' end as model, endpoint, modality,
      ${LATENCY_SUMS.join(", ")}, ${METRICS.join(", ")}
    from part join places using (${PLACE})
  ),
  added as (
    select ${KEY}, ${LATENCY_SUMS.map((name) => `${sign} * sum(${name}) as ${name}`).join(", ")},
      ${METRICS.map((metric) => `array_agg(${metric}) as ${metric}`).join(", ")}
    from named group by ${KEY}
  )
  insert into rollup_latency as r (${KEY}, ${LATENCY_SUMS.join(", ")}, ${METRICS.join(", ")})
  select ${KEY}, ${LATENCY_SUMS.join(", ")}, ${METRICS.map((metric) => countedBins(metric, sign)).join(", ")}
  from added
  order by ${KEY}
  on conflict (${KEY}) do update set
    ${LATENCY_SUMS.map((name) => `${name} = r.${name} + excluded.${name}`).join(", ")},
    ${METRICS.map((metric) => `${metric} = ${merged(metric)}`).join(", ")}`;

/** SQL: a histogram of the bins in an array. */
export const countedBins = (bins: string, sign: 1 | -1) => `(
  select row(coalesce(array_agg(bin order by bin), '{}'), coalesce(array_agg(n order by bin), '{}'))::histogram
  from (
    select bin, ${sign} * count(*)::integer as n from unnest(${bins}) as one (bin) where bin is not null group by bin
  ) bins
)`;

/** Most rows have no audio: calling the function for each of them would cost as much as all the rest. */
const merged = (metric: string) => `
  case when (excluded.${metric}).bins = '{}' then r.${metric} else histogram_add(r.${metric}, excluded.${metric}) end`;

/** SQL that removes rows of nothing; `which` are the calls that were replaced (db/rollup-spend.ts, dropEmptySpend). */
export const dropEmptyLatency = (which: OfCalls): string => `
  delete from rollup_latency
  where (${PLACE}) in (
      select project_id, date_bin('15 minutes', started_at, 'epoch'), spool from calls where ${which("id")}
    )
    and calls = 0`;
