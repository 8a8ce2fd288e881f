import { SPEND_DIMENSIONS, SPEND_MEASURES, type SpendDimension } from "./rollup-spend.ts";
import { quoted } from "./rows.ts";

/** The attributes that `rollup_spend_upto` tells apart, one set at a time; the environment always. Its `by` is the set's name. */
export const SPEND_SETS = {
  feature: ["feature"],
  customer: ["customer"],
  /** What belongs together: versions mean their template's, and instructions are of calls without one. */
  template: ["template", "template_version", "unit_hash"],
  model: ["model"],
  /** Two at a time, for what is told by one and filtered by another. Of customers with templates or models there would be too many. */
  feature_template_model: ["feature", "template", "template_version", "unit_hash", "model"],
  feature_customer: ["feature", "customer"],
} as const satisfies Record<string, readonly SpendDimension[]>;
export type SpendSet = keyof typeof SPEND_SETS;

/** How finely a day is summed. */
export const UPTO_MS = 1_800_000;
/** The whole day. */
export const DAY_UPTO = 48;

const ALLOCATED = "feature <> '' and customer <> '' and template <> ''";
/** Of rows that tell feature, customer and template: what all three of them are given of. A table that tells fewer has to keep it. */
export const ALLOCATED_PARTS = {
  calls_allocated: `case when ${ALLOCATED} then calls else 0 end`,
  cost_allocated_usd: `case when ${ALLOCATED} then cost_usd + cost_estimated_usd else 0 end`,
} as const;

/** The measures of `rollup_spend_upto`. */
export const SPEND_SUMS: readonly string[] = [...SPEND_MEASURES, ...Object.keys(ALLOCATED_PARTS)];
const DIMENSIONS = SPEND_DIMENSIONS.join(", ");

/**
 * SQL that adds a UTC day (`date`, an expression) to `rollup_spend_upto`, from the quarters of an hour that satisfy `within`: the
 * only definition of that table. Each row is what came before its half hour was over, so it is there for every half hour of a
 * day on which its value occurs at all.
 */
export const foldSpendUpto = (within: string, date: string): string => `
  with part as materialized (
    select
      project_id, 1 + floor(extract(epoch from bucket - ${date}::timestamp at time zone 'UTC') * 1000 / ${UPTO_MS})::integer as upto,
      ${DIMENSIONS}, ${SPEND_MEASURES.join(", ")},
      ${Object.entries(ALLOCATED_PARTS)
        .map(([name, part]) => `${part} as ${name}`)
        .join(", ")}
    from rollup_spend where ${within}
  ),
  counted as materialized (${(Object.keys(SPEND_SETS) as SpendSet[]).map(bySet).join(" union all ")}),
  known as (select distinct project_id, "by", ${DIMENSIONS} from counted)
  insert into rollup_spend_upto (project_id, day, upto, "by", ${DIMENSIONS}, ${SPEND_SUMS.join(", ")})
  select project_id, ${date}, upto, "by", ${DIMENSIONS}, ${SPEND_SUMS.map((name) => `sum(coalesce(${name}, 0)) over so_far`).join(", ")}
  from known cross join generate_series(1, ${DAY_UPTO}) as step (upto) left join counted using (project_id, "by", ${DIMENSIONS}, upto)
  window so_far as (partition by project_id, "by", ${DIMENSIONS} order by upto)
  order by "by", upto`;

function bySet(set: SpendSet): string {
  const told: readonly SpendDimension[] = ["environment", ...SPEND_SETS[set]];
  const dimensions = SPEND_DIMENSIONS.map((name) => (told.includes(name) ? name : `''::text as ${name}`));
  return `
    select project_id, upto, ${quoted(set)}::text as "by", ${dimensions.join(", ")}, ${SPEND_SUMS.map((name) => `sum(${name}) as ${name}`).join(", ")}
    from part group by project_id, upto, ${told.join(", ")}`;
}
