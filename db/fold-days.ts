import type { Sql } from "postgres";
import { LATENCY_METRICS } from "#lib/latency.ts";
import { foldAttributed } from "./fold-attributed.ts";
import { foldSpendUpto } from "./fold-spend.ts";
import { uuid7Floor } from "./partitions.ts";
import { LATENCY_DIMENSIONS, LATENCY_SUMS } from "./rollup-latency.ts";
import { SPEND_DIMENSIONS, SPEND_MEASURES } from "./rollup-spend.ts";
import { quoted } from "./rows.ts";
import { DAY_SEALED, EDGES, guardSealed } from "./sealed.ts";

const DAY_MS = 86_400_000;
/** A day is folded this long after its end: most of what comes late is there by then. */
const SETTLES_MS = 2 * 3_600_000;
/** Whoever stores takes a day for folded so long before it can be: clocks differ, and what is planned is written later. */
const EARLY_MS = 3_600_000;
/** Spools may be dated far back: a day with calls is folded whenever it is found, this many at a time. */
const DAYS_MAX = 100;

/** By what name `folded_days` knows them. Recorders of earlier versions mark days as `spend` or `spend_upto`: less is in their `rollup_spend_upto`, or nothing. */
export const FOLDED_AS = { spend: "spend_sets", latency: "latency", attributed: "attributed" } as const;
export type FoldedRollup = keyof typeof FOLDED_AS;
export const FOLDED_ROLLUPS = Object.keys(FOLDED_AS) as FoldedRollup[];
/** What is folded into. `attributed` is folded from calls, so only while they are kept; the others from their quarters of an hour. */
export const FOLDED_TABLES = {
  spend: ["rollup_spend_days", "rollup_spend_upto"],
  latency: ["rollup_latency_days"],
  attributed: ["rollup_attributed", "attributed_values"],
} as const satisfies Record<FoldedRollup, readonly string[]>;
/** Where it is seen which days have anything to fold: every call is there. */
const SEEN_IN = { spend: "rollup_spend", latency: "rollup_latency", attributed: "rollup_latency" } as const;

/**
 * Sums UTC days that are over into the tables of `FOLDED_TABLES`, oldest first. Each day is a transaction: what is stored for it meanwhile
 * waits, and finds the day folded. Returns how many days it folded.
 */
export async function foldDays(sql: Sql, nowMs: number): Promise<number> {
  let folded = 0;
  for (const rollup of FOLDED_ROLLUPS)
    for (const { projectId, day } of await unfolded(sql, rollup, nowMs)) {
      try {
        await sql.unsafe(fold(rollup, projectId, day));
        folded++;
      } catch (error) {
        // Its calls went while it waited: there is nothing left to fold.
        if ((error as { code?: unknown }).code !== DAY_SEALED) throw error;
      }
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
  const table = sql(SEEN_IN[rollup]);
  const until = new Date(nowMs - DAY_MS - SETTLES_MS).toISOString();
  const first = sql`date_trunc('day', first, 'UTC')`;
  const from =
    rollup === "attributed"
      ? sql`greatest(${first}, (select (value #>> '{}')::timestamp at time zone 'UTC' from settings where name = ${EDGES.facts}))`
      : first;
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
      cross join lateral generate_series(${from}, ${until}::timestamptz, interval '1 day') midnight
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
    ${rollup === "attributed" ? `lock table closed_periods in row share mode; ${guardSealed(Date.parse(day))};` : ""}
    lock table folded_days in share row exclusive mode;
    ${FOLDED_TABLES[rollup].map((table) => `delete from ${table} where project_id = ${project} and day = ${date}`).join(";\n")};
    ${sumDay(rollup, projectId, day)};
    insert into folded_days (project_id, rollup, day) values (${project}, ${quoted(FOLDED_AS[rollup])}, ${date}) on conflict do nothing`;
}

/** SQL that adds a day to the tables of `FOLDED_TABLES`, which hold nothing of it: their only definition. */
export function sumDay(rollup: FoldedRollup, projectId: string, day: string): string {
  const nextMs = Date.parse(day) + DAY_MS;
  const project = quoted(projectId);
  const within = `project_id = ${project} and bucket >= '${day}T00:00:00Z' and bucket < '${new Date(nextMs).toISOString()}'`;
  const began = `project_id = ${project} and id >= '${uuid7Floor(Date.parse(day))}' and id < '${uuid7Floor(nextMs)}'`;
  const date = `${quoted(day)}::date`;
  return {
    spend: () => `${foldSpend(within, date)};\n${foldSpendUpto(within, date)}`,
    latency: () => foldLatency(within, date),
    attributed: () => foldAttributed(began, project, date),
  }[rollup]();
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
