import type { TransactionSql } from "postgres";
import { uuid7Floor } from "#db/partitions.ts";
import { OTHER } from "#db/rollup-limit.ts";
import type { SpendDimension } from "#db/rollup-spend.ts";
import type { Interval } from "#lib/range.ts";
import type { Reader, Scope } from "./call-filter.ts";
import { type SpendSource, spendSource } from "./spend-source.ts";
import { isSomething, type SpendSums, type SumsRow, summed, sums, sumsOf } from "./spend-sums.ts";

/** What spend is told apart by; a version means its template's. */
export const SPEND_GROUPINGS = ["feature", "customer", "template", "version", "model", "environment"] as const;
export type SpendGrouping = (typeof SPEND_GROUPINGS)[number];

export interface SpendGroup {
  /** '' = none given, '(other)' = values beyond what a rollup keeps apart. For versions the template's name. */
  name: string;
  /** Only of versions; '' = none given. */
  version: string;
}

export interface SpendOfGroup extends SpendGroup, SpendSums {}

/** From 1: which of the stretches between the edges, and which of the groups; one past the last stands for all others. */
export interface SpendInSlot {
  slot: number;
  rank: number;
  calls: number;
  costUsd: string;
}

export interface Spend {
  total: SpendSums;
  /** Dearest first, '(other)' last. */
  groups: SpendOfGroup[];
  /** Groups beyond the limit, summed: with them the groups are the total again. */
  rest: (SpendSums & { groups: number }) | null;
  slots: SpendInSlot[];
  from: SpendSource["from"];
}

/**
 * What was spent in a scope: in all, by group (at most `rows` of them, the rest summed), and over time by the `series` dearest
 * groups. Time is cut at edges (milliseconds, ascending) on whole quarters of an hour.
 */
export async function spendOf(
  sql: Reader,
  scope: Scope,
  grouping: SpendGrouping,
  edges: readonly number[],
  limits: { rows: number; series: number },
): Promise<Spend> {
  const source = await spendSource(sql, scope, { edges, told: toldBy(grouping) });
  const rows = await sql<(SumsRow & SpendGroup & { rank: number; groups: number; slots: SpendInSlot[] | null })[]>`
    with spent as materialized (select * from ${source.rows} spent),
    part as materialized (
      select
        ${slotOf(sql, edges)} as slot, ${keyOf(sql, grouping)},
        sum(calls) as calls, sum(cost_usd) as cost_usd, sum(cost_estimated_usd) as cost_estimated_usd
      from spent
      group by 1, 2, 3 having sum(calls) <> 0 or sum(cost_usd) <> 0 or sum(cost_estimated_usd) <> 0
    ),
    summed as (
      select ${keyOf(sql, grouping)}, ${summed(sql)}, ${isSomething(sql)} as is_something from spent group by 1, 2
    ),
    -- What is of nothing in all may be of something in a stretch of time, and be taken back in another.
    ranked as materialized (
      select *, row_number() over (order by ${dearest(sql, sql`cost_usd + cost_estimated_usd`, sql`calls`)}) as rank
      from summed where is_something or (name, version) in (select name, version from part)
    ),
    slots as (
      select
        slot, case when name = ${OTHER} then ${limits.series + 1} else least(rank, ${limits.series + 1}) end as rank,
        sum(part.calls)::bigint as calls, trim_scale(sum(part.cost_usd + part.cost_estimated_usd))::text as usd
      from part join ranked using (name, version)
      group by 1, 2
    )
    select
      0::bigint as rank, '' as name, '' as version, 0::bigint as groups, ${sums(sql)},
      (
        select json_agg(json_build_object('slot', slot, 'rank', rank, 'calls', calls, 'costUsd', usd) order by rank, slot)
        from slots
      ) as slots
    from ranked
    union all
    select least(rank, ${limits.rows + 1}), min(name), min(version), count(*), ${sums(sql)}, null
    from ranked
    group by 1
    order by 1`;
  // Sums without "group by" are always one row: that of all groups.
  const total = rows[0] as (typeof rows)[number];
  const groups = rows.slice(1);
  const rest = groups.find(({ rank }) => rank > limits.rows);
  return {
    total: sumsOf(total),
    groups: groups.filter((row) => row !== rest).map((row) => ({ ...groupOf(row), ...sumsOf(row) })),
    rest: rest ? { ...sumsOf(rest), groups: rest.groups } : null,
    slots: total.slots ?? [],
    from: source.from,
  };
}

export interface SpendOfGroupInSlot extends SpendOfGroup {
  slot: number;
}

/** Rows that are in memory at once. */
const ROWS_AT_ONCE = 200;

/** Each group between each two edges, in the order of time and cost, some rows at a time: however many there are, few are in memory. */
export async function* spendBySlotAndGroup(
  tx: TransactionSql,
  scope: Scope,
  grouping: SpendGrouping,
  edges: readonly number[],
): AsyncGenerator<SpendOfGroupInSlot[]> {
  const { rows: source } = await spendSource(tx, scope, { edges, told: toldBy(grouping) });
  // Not the driver's cursor: its portal counts against one statement's time for as long as the reader takes.
  await tx`
    declare spend_rows no scroll cursor for
    with part as (
      select ${slotOf(tx, edges)} as slot, ${keyOf(tx, grouping)}, ${summed(tx)}
      from ${source} spend
      group by 1, 2, 3 having ${isSomething(tx)}
    )
    select slot, name, version, ${sums(tx)}
    from part
    group by slot, name, version
    order by slot, ${dearest(tx, tx`sum(cost_usd + cost_estimated_usd)`, tx`sum(calls)`)}`;
  for (;;) {
    const rows = await tx<
      (SumsRow & SpendGroup & { slot: number })[]
    >`fetch ${tx.unsafe(String(ROWS_AT_ONCE))} from spend_rows`;
    if (rows.length > 0) yield rows.map((row) => ({ slot: row.slot, ...groupOf(row), ...sumsOf(row) }));
    if (rows.length < ROWS_AT_ONCE) return;
  }
}

/** Models with calls whose cost is unknown, most calls first, at most `limit`. */
export async function unpricedModels(
  sql: Reader,
  scope: Scope,
  limit: number,
): Promise<{ model: string; calls: number }[]> {
  const { rows: source } = await spendSource(sql, scope, { told: ["model"], measures: ["calls_unpriced"] });
  return sql<{ model: string; calls: number }[]>`
    select model, sum(calls_unpriced)::bigint as calls
    from ${source} spend
    group by model having sum(calls_unpriced) > 0
    order by 2 desc, 1
    limit ${limit}`;
}

/** Lines without a price that are looked at for their product: the newest. */
const UNPRICED_LOOKED = 5000;

/** What was used without a price that is listed under a name of its own (a tool, a second model), most lines first, at most `limit`. */
export async function unpricedProducts(sql: Reader, { project, interval }: Scope, limit: number): Promise<string[]> {
  const rows = await sql<{ product: string }[]>`
    with newest as (
      select call_id, product, quantity from usage_lines
      where cost_usd is null
        and call_id >= ${uuid7Floor(interval.fromMs)}::uuid and call_id < ${uuid7Floor(interval.toMs)}::uuid
      order by call_id desc limit ${UNPRICED_LOOKED}
    )
    select product from newest join calls on calls.id = call_id
    where product is not null and project_id = ${project}
    -- What has got its price since is reversed.
    group by product having sum(quantity) > 0 order by count(*) desc, product limit ${limit}`;
  return rows.map(({ product }) => product);
}

/** Values of a dimension with their calls in a scope, most calls first, at most `limit`; '' = none given. */
export async function spendOptions(
  sql: Reader,
  scope: Scope,
  dimension: SpendDimension,
  limit: number,
): Promise<{ options: { value: string; calls: number }[]; restCalls: number }> {
  const { rows: source } = await spendSource(sql, scope, { told: [dimension], measures: ["calls"] });
  const rows = await sql<{ value: string; calls: number; rank: number }[]>`
    with counted as (
      select ${sql(dimension)} as value, sum(calls) as calls, row_number() over (order by sum(calls) desc, ${sql(dimension)}) as rank
      from ${source} spend
      group by 1 having sum(calls) > 0
    )
    select least(rank, ${limit + 1}) as rank, min(value) as value, sum(calls)::bigint as calls
    from counted group by 1 order by 1`;
  const rest = rows.find(({ rank }) => rank > limit);
  return {
    options: rows.filter((row) => row !== rest).map(({ value, calls }) => ({ value, calls })),
    restCalls: rest?.calls ?? 0,
  };
}

export interface ClosedMonth {
  /** YYYY-MM-01 */
  month: string;
  closedAt: Date;
  closedBy: string | null;
  /** What the month came to when it was closed; null: closed without a report. */
  report: { calls: number; costUsd: string; costEstimatedUsd: string } | null;
}

/** Closed months of UTC that an interval touches. */
export async function closedMonths(sql: Reader, project: string, { fromMs, toMs }: Interval): Promise<ClosedMonth[]> {
  return sql<ClosedMonth[]>`
    select month::text, closed_at as "closedAt", closed_by as "closedBy", report
    from closed_periods
    where project_id = ${project}
      and month >= date_trunc('month', ${instant(fromMs)}::timestamptz at time zone 'UTC')::date
      and month < ${instant(toMs)}::timestamptz at time zone 'UTC'
    order by month`;
}

const KEYS: Record<SpendGrouping, { name: SpendDimension; version: SpendDimension | null }> = {
  feature: { name: "feature", version: null },
  customer: { name: "customer", version: null },
  template: { name: "template", version: null },
  version: { name: "template", version: "template_version" },
  model: { name: "model", version: null },
  environment: { name: "environment", version: null },
};

function toldBy(grouping: SpendGrouping): SpendDimension[] {
  const { name, version } = KEYS[grouping];
  return version ? [name, version] : [name];
}

function keyOf(sql: Reader, grouping: SpendGrouping) {
  const { name, version } = KEYS[grouping];
  return sql`${sql(name)} as name, ${version ? sql(version) : sql`''::text`} as version`;
}

const slotOf = (sql: Reader, edges: readonly number[]) =>
  sql`width_bucket(bucket, ${edges.map(instant)}::timestamptz[])`;

const instant = (ms: number) => new Date(ms).toISOString();

/** The same money always gives the same order. */
const dearest = (sql: Reader, usd: ReturnType<Reader>, calls: ReturnType<Reader>) => sql`
  name = ${OTHER}, ${usd} desc, ${calls} desc, name, version`;

const groupOf = ({ name, version }: SpendGroup): SpendGroup => ({ name, version });
