import { OTHER, type Reader, type Scope } from "./call-filter.ts";
import { spendSource } from "./spend-source.ts";
import { isSomething } from "./spend-sums.ts";

export const TEMPLATE_SORTS = ["cost", "tokens", "calls"] as const;
export type TemplateSort = (typeof TEMPLATE_SORTS)[number];

/** What calls used and cost. Amounts are decimal strings; unpriced calls are in none of them. */
export interface TemplateSums {
  calls: number;
  callsFailed: number;
  callsUnpriced: number;
  callsWithoutUsage: number;
  /** Of reported and of estimated usage. */
  costUsd: string;
  /** The estimated part of it. */
  costEstimatedUsd: string;
  /** null: no call is counted. */
  costPerThousandUsd: string | null;
  /** Input without what was read from the cache. */
  inputTokens: number;
  cachedTokens: number;
  outputTokens: number;
  tokensEstimated: number;
  /** Of the cost of the scope; null: nothing cost anything. */
  costShare: number | null;
  /** Of all tokens of the scope; null: there were none. */
  tokenShare: number | null;
}

export interface TemplateRow extends TemplateSums {
  /** '' = none given, '(other)' = several that the rollup has folded. */
  template: string;
  /** '' = none given. */
  version: string;
  /** Of calls without a template: the hash of their instructions; '' = no instructions. */
  unitHash: string;
  /** How many templates or versions the row sums up. */
  members: number;
}

export interface TemplatesOfPage {
  total: TemplateSums;
  /** Calls without a template. */
  unlabelled: TemplateSums;
  /** Declared templates and hashes of instructions that have a name of their own, and their sum. */
  named: TemplateSums & { members: number };
  /** The tenth of them (rounded up) that used most tokens, and the tenth that cost most. */
  topByTokens: TemplateSums & { members: number };
  topByCost: TemplateSums & { members: number };
  /** At most `limit`, the largest first. */
  rows: TemplateRow[];
  /** All others, summed; null: there are none. */
  rest: TemplateRow | null;
  /** Versions of the rows' templates, the largest first; beyond `versionLimit` of a template in one row with members > 1. */
  versions: TemplateRow[];
}

type Kind = "total" | "unlabelled" | "named" | "top_tokens" | "top_cost" | "row" | "rest" | "version";

/**
 * Templates of a scope, and sets of them. Reads the source once; each figure is a sum over the same groups (a declared
 * template, or the instructions of calls without one), so the rows and the rest add up to the total.
 */
export async function templatesOfPage(
  sql: Reader,
  scope: Scope,
  sort: TemplateSort,
  limit: number,
  versionLimit: number,
): Promise<TemplatesOfPage> {
  const { rows: spent } = await spendSource(sql, scope, { told: ["template", "template_version", "unit_hash"] });
  const found = await sql<(TemplateRow & { kind: Kind })[]>`
    with part as materialized (
      select
        template, template_version as version, unit_hash,
        sum(calls) as calls, sum(calls_failed) as calls_failed, sum(calls_unpriced) as calls_unpriced,
        sum(calls_without_usage) as calls_without_usage,
        sum(cost_usd + cost_estimated_usd) as cost, sum(cost_estimated_usd) as cost_estimated,
        sum(text_input + image_input + audio_input) as input,
        sum(text_cached + image_cached + audio_cached) as cached,
        sum(text_output + image_output + audio_output) as output,
        sum(tokens_estimated) as estimated
      from ${spent} spent
      group by 1, 2, 3 having ${isSomething(sql)}
    ),
    summed as (select template, unit_hash, ${SUMS(sql)} from part group by 1, 2),
    ranked as materialized (
      select
        *,
        row_number() over (order by ${BY[sort](sql)} desc, cost desc, template, unit_hash) as rank,
        row_number() over (partition by is_named order by input + cached + output desc, template, unit_hash) as tokens_rank,
        row_number() over (partition by is_named order by cost desc, template, unit_hash) as cost_rank,
        ceil(count(*) over (partition by is_named) / 10.0) as tenth
      from (
        select *, (template, unit_hash) <> ('', '') and template <> ${OTHER} and unit_hash <> ${OTHER} as is_named
        from summed
      ) named
    ),
    versions as (
      select
        template, rank, case when count(*) = 1 then min(version) else '' end as version, count(*) as members, ${SUMS(sql)}
      from (
        select
          *,
          least(
            row_number() over (partition by template order by ${BY[sort](sql)} desc, version), ${versionLimit + 1}::bigint
          ) as rank
        from part
        where template not in ('', ${OTHER}) and template in (select template from ranked where rank <= ${limit})
      ) each_version
      group by template, rank
    ),
    total as (select ${SUMS(sql)} from part),
    line as (
      select 'row' as kind, template, '' as version, unit_hash, 1::bigint as members, rank, ${NAMES(sql)}
      from ranked where rank <= ${limit}
      union all
      select 'version', template, version, '', members, rank, ${NAMES(sql)} from versions
      union all ${setOf(sql, "rest", sql`rank > ${limit}`)}
      union all ${setOf(sql, "named", sql`is_named`)}
      union all ${setOf(sql, "unlabelled", sql`template = ''`)}
      union all ${setOf(sql, "top_tokens", sql`is_named and tokens_rank <= tenth`)}
      union all ${setOf(sql, "top_cost", sql`is_named and cost_rank <= tenth`)}
      union all ${setOf(sql, "total", sql`true`)}
    )
    select
      kind, template, version, unit_hash as "unitHash", members::bigint as members,
      coalesce(line.calls, 0)::bigint as calls, coalesce(line.calls_failed, 0)::bigint as "callsFailed",
      coalesce(line.calls_unpriced, 0)::bigint as "callsUnpriced",
      coalesce(line.calls_without_usage, 0)::bigint as "callsWithoutUsage",
      trim_scale(coalesce(line.cost, 0))::text as "costUsd",
      trim_scale(coalesce(line.cost_estimated, 0))::text as "costEstimatedUsd",
      trim_scale(round(1000 * line.cost / nullif(line.calls, 0), 12))::text as "costPerThousandUsd",
      coalesce(line.input, 0)::bigint as "inputTokens", coalesce(line.cached, 0)::bigint as "cachedTokens",
      coalesce(line.output, 0)::bigint as "outputTokens", coalesce(line.estimated, 0)::bigint as "tokensEstimated",
      (coalesce(line.cost, 0) / nullif(total.cost, 0))::float8 as "costShare",
      (coalesce(line.input + line.cached + line.output, 0) / nullif(total.input + total.cached + total.output, 0))::float8
        as "tokenShare"
    from line cross join total
    order by kind, case kind when 'version' then template end, rank`;
  const of = (kind: Kind) => found.filter((row) => row.kind === kind);
  // Sums without "group by" are always one row.
  const one = (kind: Kind) => of(kind)[0] as TemplateRow;
  const rest = one("rest");
  return {
    total: one("total"),
    unlabelled: one("unlabelled"),
    named: one("named"),
    topByTokens: one("top_tokens"),
    topByCost: one("top_cost"),
    rows: of("row"),
    rest: rest.members > 0 ? rest : null,
    versions: of("version"),
  };
}

const MEASURES = [
  "calls",
  "calls_failed",
  "calls_unpriced",
  "calls_without_usage",
  "cost",
  "cost_estimated",
  "input",
  "cached",
  "output",
  "estimated",
];

/** Sums under the names of what they sum: they can be summed again. */
const SUMS = (sql: Reader) => sql.unsafe(MEASURES.map((name) => `sum(${name}) as ${name}`).join(", "));
const NAMES = (sql: Reader) => sql.unsafe(MEASURES.join(", "));

const BY: Record<TemplateSort, (sql: Reader) => ReturnType<Reader>> = {
  cost: (sql) => sql`cost`,
  tokens: (sql) => sql`input + cached + output`,
  calls: (sql) => sql`calls`,
};

const setOf = (sql: Reader, kind: Kind, which: ReturnType<Reader>) => sql`
  select ${kind}::text, '', '', '', count(*), null::bigint, ${SUMS(sql)} from ranked where ${which}`;

/**
 * When each template's newest version was first seen. A template's first version is no change: templates that never had
 * another are left out. Reads no more than these templates' rows of `changes`.
 */
export async function lastChangesOf(
  sql: Reader,
  project: string,
  templates: readonly string[],
): Promise<Map<string, { version: string; at: Date }>> {
  if (templates.length === 0) return new Map();
  const rows = await sql<{ template: string; version: string; at: Date }[]>`
    select template, version, at
    from (
      select
        subject as template, value as version, first_call_at as at, count(*) over (partition by subject) as versions,
        row_number() over (partition by subject order by first_call_at desc, first_call_id desc, value) as newest
      from changes
      where project_id = ${project} and kind = 'template_version' and subject in ${sql([...templates])}
    ) seen
    where newest = 1 and versions > 1`;
  return new Map(rows.map(({ template, ...change }) => [template, change]));
}

/** The sealed first words of instructions, by their hash. Hashes whose words were not kept are left out. */
export async function instructionsOf(
  sql: Reader,
  project: string,
  hashes: readonly string[],
): Promise<Map<string, Buffer>> {
  if (hashes.length === 0) return new Map();
  const rows = await sql<{ hash: string; sealed: Buffer }[]>`
    select unit_hash as hash, sealed from instructions
    where project_id = ${project} and unit_hash in ${sql([...hashes])}`;
  return new Map(rows.map(({ hash, sealed }) => [hash, sealed]));
}
