import { LATENCY_METRICS } from "#lib/latency.ts";
import { countedBins, LATENCY_ADDENDS, LATENCY_SUMS, metricBin } from "./rollup-latency.ts";
import { OTHER } from "./rollup-limit.ts";

/** SQL: what calls are told apart by in `rollup_attributed`, of a row of `calls`. As conditions on calls have it (db/queries/call-filter.ts). */
const KEYS = {
  environment: "environment",
  feature: "coalesce(feature, '')",
  customer: "coalesce(customer, '')",
  template: "coalesce(template, '')",
  template_version: "coalesce(template_version, '')",
  unit_hash: "case when template is null then coalesce(unit_hash, '') else '' end",
  model: "coalesce(model, request_model, '')",
  endpoint: "endpoint",
  modality: "coalesce(call_modality(input_modalities, output_modalities), '')",
  outcome: "outcome",
} as const;
export type AttributedDimension = keyof typeof KEYS;
export const ATTRIBUTED_DIMENSIONS = Object.keys(KEYS) as AttributedDimension[];

/**
 * How many values of a day have a name of their own: those of the most calls, and '' always. The calls of any other value are
 * fewer than the day's by so many times, so that whoever asks for it may read them.
 */
export const KEPT_MAX = {
  feature: 500,
  model: 500,
  customer: 200,
  template: 200,
  template_version: 200,
  unit_hash: 200,
} as const satisfies Partial<Record<AttributedDimension, number>>;
export type LimitedDimension = keyof typeof KEPT_MAX;
const LIMITED = Object.keys(KEPT_MAX) as LimitedDimension[];
export const isLimited = (name: string): name is LimitedDimension => name in KEPT_MAX;

const of = (source: string, column: string) => `coalesce(case when usage_source = '${source}' then ${column} end, 0)`;
/** Sums beside those of db/rollup-latency.ts, each with what one call adds. */
const COUNTED = {
  operations: "(attempt = 0)::int",
  input_tokens: of("reported", "input_tokens"),
  cached_tokens: of("reported", "cached_tokens"),
  output_tokens: of("reported", "output_tokens"),
  input_tokens_estimated: of("estimated", "input_tokens"),
  output_tokens_estimated: of("estimated", "output_tokens"),
  calls_without_usage: "(usage_source = 'none')::int",
};
const SUMS = [...Object.keys(COUNTED), ...LATENCY_SUMS];
const DIMENSIONS = ATTRIBUTED_DIMENSIONS.join(", ");
const METRICS = LATENCY_METRICS.join(", ");

/**
 * SQL, two statements, that adds a UTC day (`date`, an expression) to `attributed_values` and `rollup_attributed`, from the calls that satisfy
 * `within`: the only definition of these tables. All of these calls are one project's.
 */
export const foldAttributed = (within: string, project: string, date: string): string => `
  insert into attributed_values (project_id, day, attribute, kept)
  select ${project}, ${date}, attribute, coalesce(array_agg(value order by value) filter (where is_kept), '{}')
  from (
    select attribute, value,
      value <> '${OTHER}' and row_number() over (partition by attribute order by value <> '', n desc, value) <= most as is_kept
    from (
      select attribute, most, value, count(*) as n
      from calls cross join lateral (
        values ${LIMITED.map((name) => `('${name}', ${KEPT_MAX[name]}, ${KEYS[name]})`).join(", ")}
      ) as told (attribute, most, value)
      where ${within} group by attribute, most, value
    ) counted
  ) ranked
  group by attribute having not bool_and(is_kept);
  with names as materialized (
    select ${LIMITED.map((name) => `(select kept from attributed_values where project_id = ${project} and day = ${date} and attribute = '${name}') as ${name}_kept`).join(", ")}
  ),
  part as (
    select ${ATTRIBUTED_DIMENSIONS.map((name) => `${KEYS[name]} as ${name}`).join(", ")},
      ${Object.entries(COUNTED)
        .map(([name, ofCall]) => `${ofCall} as ${name}`)
        .join(", ")}, ${LATENCY_ADDENDS}, ${LATENCY_METRICS.map((one) => `${metricBin(one)} as ${one}`).join(", ")}
    from calls where ${within}
  ),
  named as (
    select ${ATTRIBUTED_DIMENSIONS.map(named).join(", ")}, ${SUMS.join(", ")}, ${METRICS} from part cross join names
  ),
  summed as (
    select ${DIMENSIONS}, ${SUMS.map((name) => `sum(${name}) as ${name}`).join(", ")},
      ${LATENCY_METRICS.map((one) => `array_agg(${one}) as ${one}`).join(", ")}
    from named group by ${DIMENSIONS}
  )
  insert into rollup_attributed (project_id, day, ${DIMENSIONS}, ${SUMS.join(", ")}, ${METRICS})
  select ${project}, ${date}, ${DIMENSIONS}, ${SUMS.join(", ")}, ${LATENCY_METRICS.map((one) => countedBins(one, 1)).join(", ")}
  from summed
  order by ${DIMENSIONS}`;

const named = (name: AttributedDimension): string =>
  isLimited(name)
    ? `case when ${name}_kept is null or ${name} = any(${name}_kept) then ${name} else '${OTHER}' end as ${name}`
    : name;
