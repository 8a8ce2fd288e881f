import type { Sql } from "postgres";
import { LATENCY_METRICS } from "#lib/latency.ts";
import { foldSpendUpto } from "./fold-spend.ts";
import { LATENCY_DIMENSIONS, LATENCY_SUMS } from "./rollup-latency.ts";
import { SPEND_DIMENSIONS, SPEND_MEASURES } from "./rollup-spend.ts";
import { quoted } from "./rows.ts";

const DAY_MS = 86_400_000;
/** A day is folded this long after its end: most of what comes late is there by then. */
const SETTLES_MS = 2 * 3_600_000;
/** Whoever stores takes a day for folded so long before it can be: clocks differ, and what is planned is written later. */
const EARLY_MS = 3_600_000;
/** Spools may be dated far back: a day with calls is folded whenever it is found, this many at a time. */
const DAYS_MAX = 100;

export type FoldedRollup = "spend" | "latency";
/** What `folded_days` calls them. A recorder of an earlier version marks days as `spend` without filling `rollup_spend_upto`. */
export const FOLDED_AS = { spend: "spend_upto", latency: "latency" } as const satisfies Record<FoldedRollup, string>;

/**
 * Sums the quarters of an hour of UTC days that are over into `rollup_spend_days`, `rollup_spend_upto` and `rollup_latency_days`, oldest first. Each day is
 * a transaction: what is stored for it meanwhile waits, and finds the day folded. Returns how many days it folded.
 */
export async function foldDays(sql: Sql, nowMs: number): Promise<number> {
  let folded = 0;
  for (const rollup of ["spend", "latency"] as const)
    for (const { projectId, day } of await unfolded(sql, rollup, nowMs)) {
      await sql.unsafe(fold(rollup, projectId, day));
      folded++;
    }
  return folded;
}

/**
 * SQL that says of days that they are folded no more: their quarters are about to change. A lock that folding waits for. `which` is
 * a condition on `folded_days`. Rows are locked in one order: two that meet in opposite ones would wait for each other.
 */
export const unfold = (which: string): string => `
  with touched as materialized (
    select project_id, rollup, day from folded_days where ${which} order by project_id, rollup, day for update
  )
  delete from folded_days f using touched t where (f.project_id, f.rollup, f.day) = (t.project_id, t.rollup, t.day)`;

/** Days that were over for a while at `nowMs`: storing for one of them needs `unfold`. */
export const mayBeFolded = (day: string, nowMs: number): boolean =>
  Date.parse(day) + DAY_MS + SETTLES_MS - EARLY_MS <= nowMs;

/** Asks for each project's first row and for each day that is not folded, by their keys: what has been stored for years is not read. */
function unfolded(sql: Sql, rollup: FoldedRollup, nowMs: number): Promise<{ projectId: string; day: string }[]> {
  const table = sql(`rollup_${rollup}`);
  const until = new Date(nowMs - DAY_MS - SETTLES_MS).toISOString();
  return sql<{ projectId: string; day: string }[]>`
    with recursive known as (
      (select project_id, bucket as first from ${table} order by project_id, bucket limit 1)
      union all
      select next.project_id, next.bucket
      from known cross join lateral (
        select project_id, bucket from ${table} r where r.project_id > known.project_id order by project_id, bucket limit 1
      ) next
    ),
    waiting as materialized (
      select project_id, midnight
      from known
      cross join lateral generate_series(date_trunc('day', first, 'UTC'), ${until}::timestamptz, interval '1 day') midnight
      where not exists (
        select 1 from folded_days f
        where f.project_id = known.project_id and f.rollup = ${FOLDED_AS[rollup]} and f.day = (midnight at time zone 'UTC')::date
      )
    )
    select project_id as "projectId", (midnight at time zone 'UTC')::date::text as day
    from waiting
    cross join lateral (
      select from ${table} r
      where r.project_id = waiting.project_id and r.bucket >= midnight and r.bucket < midnight + interval '1 day'
      limit 1
    ) something
    order by midnight
    limit ${DAYS_MAX}`;
}

function fold(rollup: FoldedRollup, projectId: string, day: string): string {
  const [project, date] = [quoted(projectId), `${quoted(day)}::date`];
  return `
    lock table folded_days in share row exclusive mode;
    delete from rollup_${rollup}_days where project_id = ${project} and day = ${date};
    ${rollup === "spend" ? `delete from rollup_spend_upto where project_id = ${project} and day = ${date};` : ""}
    ${sumDay(rollup, projectId, day)};
    insert into folded_days (project_id, rollup, day) values (${project}, ${quoted(FOLDED_AS[rollup])}, ${date}) on conflict do nothing`;
}

/** SQL that adds the sums of a day's quarters to `rollup_…_days`, and to `rollup_spend_upto`: the only definition of these tables. */
export function sumDay(rollup: FoldedRollup, projectId: string, day: string): string {
  const next = new Date(Date.parse(day) + DAY_MS).toISOString();
  const within = `project_id = ${quoted(projectId)} and bucket >= '${day}T00:00:00Z' and bucket < '${next}'`;
  const date = `${quoted(day)}::date`;
  return rollup === "spend" ? `${foldSpend(within, date)};\n${foldSpendUpto(within, date)}` : foldLatency(within, date);
}

function foldSpend(within: string, date: string): string {
  const dimensions = SPEND_DIMENSIONS.join(", ");
  return `
    insert into rollup_spend_days (project_id, day, ${dimensions}, ${SPEND_MEASURES.join(", ")})
    select project_id, ${date}, ${dimensions}, ${summed(SPEND_MEASURES)}
    from rollup_spend where ${within} group by project_id, ${dimensions}`;
}

function foldLatency(within: string, date: string): string {
  const key = `project_id, ${LATENCY_DIMENSIONS.join(", ")}`;
  return `
    with quarter as materialized (select * from rollup_latency where ${within}),
    sums as (select ${key}, ${summed(LATENCY_SUMS)} from quarter group by ${key}),
    bins as (
      select ${key}, metric, bin, sum(n)::integer as n
      from quarter cross join lateral (
        ${LATENCY_METRICS.map((one) => `select '${one}' as metric, bin, n from unnest((${one}).bins, (${one}).counts) x (bin, n)`).join(" union all ")}
      ) counted
      group by ${key}, metric, bin having sum(n) <> 0
    ),
    histograms as (
      select ${key}, metric, row(array_agg(bin order by bin), array_agg(n order by bin))::histogram as counts
      from bins group by ${key}, metric
    ),
    beside as (
      select ${key}, ${LATENCY_METRICS.map((one) => `(array_agg(counts) filter (where metric = '${one}'))[1] as ${one}`).join(", ")}
      from histograms group by ${key}
    )
    insert into rollup_latency_days (project_id, day, ${LATENCY_DIMENSIONS.join(", ")}, ${LATENCY_SUMS.join(", ")}, ${LATENCY_METRICS.join(", ")})
    select project_id, ${date}, ${LATENCY_DIMENSIONS.join(", ")}, ${LATENCY_SUMS.join(", ")},
      ${LATENCY_METRICS.map((one) => `coalesce(${one}, '({},{})'::histogram)`).join(", ")}
    from sums left join beside using (${key})`;
}

const summed = (names: readonly string[]) => names.map((name) => `sum(${name}) as ${name}`).join(", ");
