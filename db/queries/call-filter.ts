import type { Sql, TransactionSql } from "postgres";
import { uuid7Floor } from "#db/partitions.ts";
import { metricBin } from "#db/rollup-latency.ts";
import { OTHER } from "#db/rollup-limit.ts";
import type { Outcome } from "#lib/call.ts";
import { parseBand } from "#lib/latency.ts";
import type { Modality } from "#lib/modalities.ts";
import type { Interval } from "#lib/range.ts";
import { WASTED_OUTCOMES, type Waste } from "#lib/waste.ts";
import { superseded } from "./superseded.ts";

/** A connection, or the transaction that a page reads in. */
export type Reader = Sql | TransactionSql;

/** Wanted values per attribute; several are joined by "or". '' is "none given". An absent attribute is not filtered. */
export interface CallFilter {
  feature?: readonly string[];
  model?: readonly string[];
  outcome?: readonly Outcome[];
  environment?: readonly string[];
  customer?: readonly string[];
  template?: readonly string[];
  templateVersion?: readonly string[];
  /** Hashes of the instructions of calls without a template. */
  unitHash?: readonly string[];
  /** Calls whose cost is not known, wholly or in part. */
  cost?: readonly "unpriced"[];
  /** Calls whose money bought nothing, by why (lib/waste.ts). */
  waste?: readonly Waste[];
  endpoint?: readonly string[];
  /** What a call was about, for its latency (`call_modality` in the migrations); '' = nothing known went in or came out. */
  modality?: readonly (Modality | "")[];
  /** Bands of lib/latency.ts, `duration:1024..2048`. Of the calls that latency is told of, exactly those that its heatmap counts there. */
  latency?: readonly string[];
}

/** Which calls a page speaks about. */
export interface Scope {
  project: string;
  interval: Interval;
  filter: CallFilter;
}

/** Attributes that `rollup_calls` keeps; a filter by any other reads the calls themselves. */
export const ROLLED_UP = ["feature", "model", "outcome", "environment", "endpoint"] as const;

export const servedByRollup = (filter: CallFilter): boolean =>
  Object.keys(filter).every((name) => ROLLED_UP.some((one) => one === name));

/** The calls of a scope. Bounds on the id, so that partitions outside the range are not touched. */
export const inScope = (sql: Reader, { project, interval, filter }: Scope) => sql`
  project_id = ${project}
  and id >= ${uuid7Floor(interval.fromMs)}::uuid and id < ${uuid7Floor(interval.toMs)}::uuid
  ${matching(sql, filter, interval)}`;

/**
 * Conditions on `calls`; unknown is NULL there. Written without coalesce, which would hide the columns from indexes. All calls in
 * question began in `began`: what a condition has to look up is looked up there.
 */
export const matching = (sql: Reader, filter: CallFilter, began: Interval) => sql`
  ${oneOf(sql, "feature", filter.feature)}
  ${ofModel(sql, filter.model)}
  ${oneOf(sql, "customer", filter.customer)}
  ${oneOf(sql, "outcome", filter.outcome)}
  ${oneOf(sql, "environment", filter.environment)}
  ${oneOf(sql, "template", filter.template)}
  ${oneOf(sql, "template_version", filter.templateVersion)}
  ${filter.unitHash ? sql`and template is null` : sql``}
  ${oneOf(sql, "unit_hash", filter.unitHash)}
  ${filter.cost ? unpriced(sql) : sql``}
  ${filter.waste ? wasted(sql, filter.waste, began) : sql``}
  ${oneOf(sql, "endpoint", filter.endpoint)}
  ${filter.modality ? sql`and coalesce(call_modality(input_modalities, output_modalities), '') in ${sql(all(filter.modality))}` : sql``}
  ${filter.latency ? sql`and (${filter.latency.reduce((before, band) => sql`${before} or ${inBand(sql, band)}`, sql`false`)})` : sql``}`;

/** As db/rollup-spend.ts counts them; a line that was unpriced and has its price since is reversed, and counts no more. */
const unpriced = (sql: Reader) => sql`and (
  'usage_inconsistent' = any(problems)
  or (select sum(line.quantity) <> 0 from usage_lines line where line.call_id = id and line.cost_usd is null)
)`;

function wasted(sql: Reader, parts: readonly Waste[], began: Interval) {
  const outcomes = parts.flatMap((part) => (part === "superseded" ? [] : WASTED_OUTCOMES[part]));
  // As an array, it is looked up once, and the calls are found by their key.
  const later = sql`id = any(array(${superseded(sql, began)}))`;
  if (!parts.includes("superseded")) return sql`and outcome in ${sql(all(outcomes))}`;
  return outcomes.length ? sql`and (outcome in ${sql(all(outcomes))} or ${later})` : sql`and ${later}`;
}

/** A quarter of a doubling is nine bins. Compared by bin, as histograms are: a value on an edge is on the same side of it everywhere. */
function inBand(sql: Reader, text: string) {
  const band = parseBand(text);
  if (!band) return sql`false`;
  const bin = sql.unsafe(metricBin(band.metric));
  const from = band.from === null ? sql`` : sql`and ${bin} >= ${band.from * 9}`;
  const to = band.to === null ? sql`` : sql`and ${bin} < ${band.to * 9}`;
  return sql`(${bin} is not null ${from} ${to})`;
}

/**
 * Conditions on `rollup_calls`, where "none given" is ''. Rows that fold several values into '(other)' come along:
 * a reader that meets one knows that the rollup cannot answer for a single value.
 */
export const matchingRollup = (sql: Reader, filter: CallFilter) => sql`
  ${filter.feature ? sql`and feature in ${sql(all([...filter.feature, OTHER]))}` : sql``}
  ${filter.model ? sql`and model in ${sql(all([...filter.model, OTHER]))}` : sql``}
  ${filter.outcome ? sql`and outcome in ${sql(all(filter.outcome))}` : sql``}
  ${filter.environment ? sql`and environment in ${sql(all(filter.environment))}` : sql``}
  ${filter.endpoint ? sql`and endpoint in ${sql(all(filter.endpoint))}` : sql``}`;

/** True for a rollup row that holds several values of a filtered attribute. */
export const folded = (sql: Reader, filter: CallFilter) => sql`
  (${filter.feature ? sql`feature = ${OTHER}` : sql`false`} or ${filter.model ? sql`model = ${OTHER}` : sql`false`})`;

export { OTHER };

const all = (values: readonly string[]): string[] => [...values];

/** A call's model is the one that answered; before an answer named one, the one that was asked for (as in rollups). */
function ofModel(sql: Reader, values: readonly string[] | undefined) {
  if (!values) return sql``;
  const none = values.includes("") ? sql`or (model is null and request_model is null)` : sql``;
  return sql`and (model in ${sql([...values])} or (model is null and request_model in ${sql([...values])}) ${none})`;
}

function oneOf(sql: Reader, column: string, values: readonly string[] | undefined) {
  if (!values) return sql``;
  const named = values.filter((value) => value !== "");
  const given = named.length ? sql`${sql(column)} in ${sql(named)}` : sql`false`;
  return named.length === values.length ? sql`and ${given}` : sql`and (${given} or ${sql(column)} is null)`;
}
