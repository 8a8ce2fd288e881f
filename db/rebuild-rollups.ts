import type { Sql } from "postgres";
import { dayOf } from "./booking.ts";
import { unfold } from "./fold-days.ts";
import { uuid7Floor } from "./partitions.ts";
import { rateDay } from "./rate-calls.ts";
import { rollUpCalls } from "./rollup-calls.ts";
import { rollUpLatency } from "./rollup-latency.ts";
import { bookedBetween, dropNothingSpent, rollUpSpend } from "./rollup-spend.ts";
import { DAY_SEALED, guardSealed, sealedUntil } from "./sealed.ts";
import { schemaOf, shadow } from "./shadow-tables.ts";

export const REBUILD_JOB = "rebuild-rollups";

const DAY_MS = 86_400_000;
/** Counted in one transaction: whole quarters of an hour, which no rollup's row reaches beyond. A day of few calls is one slice. */
const SLICE_MS = 3_600_000;
const FEW_CALLS = 5000;
const ROLLUPS = ["rollup_calls", "rollup_latency", "rollup_spend"];
const STORED_MEANWHILE = "OMNEW";

/** These days cannot be counted again. */
export class RebuildError extends Error {
  readonly code = "day_sealed";
}

/**
 * Recomputes the rollups of whole UTC days from calls and lines while traffic goes on. What was spent in a closed month stays as it
 * was closed. Bounds are milliseconds, rounded outwards to days; a rebuild that was stopped left every hour either as it was or new.
 * @throws RebuildError before anything is changed when a day's calls are no longer kept
 */
export async function rebuildRollups(sql: Sql, fromMs: number, toMs: number, onDay?: (day: string) => void) {
  const first = Math.floor(fromMs / DAY_MS) * DAY_MS;
  const sealedMs = await sealedUntil(sql);
  if (sealedMs !== null && first < sealedMs) throw sealed(first, sealedMs);
  const schema = await schemaOf(sql);
  for (let day = first; day < toMs; day += DAY_MS) {
    const sliceMs = (await hasFewCalls(sql, day)) ? DAY_MS : SLICE_MS;
    for (let slice = day; slice < day + DAY_MS; slice += sliceMs)
      await rebuildSlice(sql, schema, slice, slice + sliceMs);
    await sql.unsafe(rateDay(day).join(";\n"));
    onDay?.(dayOf(day));
  }
}

/** Counts anew the day that was asked for first (`rollups_due`), of those the newest. Returns it; null: there is none. */
export async function rebuildDue(sql: Sql): Promise<string | null> {
  const [due] = await sql<{ day: string; askedAt: string }[]>`
    select day::text, asked_at::text as "askedAt" from rollups_due order by asked_at, day desc limit 1`;
  if (!due) return null;
  const dayMs = Date.parse(due.day);
  try {
    await rebuildRollups(sql, dayMs, dayMs + DAY_MS);
  } catch (error) {
    // Nothing can count it any more: what is not known of it stays unknown.
    if (!(error instanceof RebuildError)) throw error;
  }
  // Who asked again meanwhile, for another reason perhaps, is heard again.
  await sql`delete from rollups_due where day = ${due.day}::date and asked_at = ${due.askedAt}::timestamptz`;
  return due.day;
}

async function hasFewCalls(sql: Sql, day: number): Promise<boolean> {
  const rows = await sql`
    select from calls where id >= ${uuid7Floor(day)} and id < ${uuid7Floor(day + DAY_MS)} offset ${FEW_CALLS} limit 1`;
  return rows.length === 0;
}

/**
 * Counts beside the tables, then puts the count in their place: recorders wait for that only. When something was stored for the slice
 * meanwhile, it is counted once more while they wait.
 */
async function rebuildSlice(sql: Sql, schema: string, fromMs: number, toMs: number): Promise<void> {
  for (const waited of [false, true])
    try {
      // One message, one implicit transaction: see record-batch.ts.
      await sql.unsafe(recount(schema, fromMs, toMs, waited));
      return;
    } catch (error) {
      const { code } = error as { code?: unknown };
      if (code === DAY_SEALED) throw sealed(fromMs, (await sealedUntil(sql)) as number);
      if (code !== STORED_MEANWHILE) throw error;
    }
}

function recount(schema: string, fromMs: number, toMs: number, waited: boolean): string {
  const within = `bucket >= '${new Date(fromMs).toISOString()}' and bucket < '${new Date(toMs).toISOString()}'`;
  const alone = `
    ${unfold(`day = '${dayOf(fromMs)}'`)};
    lock table ${ROLLUPS.map((name) => `${schema}.${name}`).join(", ")} in share row exclusive mode`;
  const isOpen = `not exists (
    select 1 from closed_periods p where p.project_id = r.project_id and p.month = '${dayOf(fromMs).slice(0, 7)}-01'
  )`;
  return `
    lock table closed_periods in row share mode;
    ${guardSealed(fromMs)};
    ${waited ? `${alone};` : ""}
    select set_config('omnimeter.before', ${digest(schema, within)}, true);
    ${shadow(schema, ROLLUPS)};
    ${rollUpBetween(fromMs, toMs)};
    ${dropNothingSpent(within)};
    ${waited ? "" : `${alone};`}
    do $same$ begin
      if ${digest(schema, within)} <> current_setting('omnimeter.before') then
        raise exception 'something was stored meanwhile' using errcode = '${STORED_MEANWHILE}';
      end if;
    end $same$;
    ${ROLLUPS.map(
      (name) => `
        delete from ${schema}.${name} r where ${within} ${name === "rollup_spend" ? `and ${isOpen}` : ""};
        insert into ${schema}.${name} select * from pg_temp.${name}`,
    ).join(";\n")}`;
}

/** SQL: changes when a row does. Whatever is stored changes a recount by just what it changes these rows by. */
const digest = (schema: string, within: string) =>
  `concat_ws(' ', ${ROLLUPS.map(
    (name) =>
      `(select count(*) || ':' || coalesce(sum(hashtextextended(r::text, 0)), 0) from ${schema}.${name} r where ${within})`,
  ).join(", ")})`;

/** SQL that adds everything between two moments, which are whole quarters of an hour, to the rollups. */
export function rollUpBetween(fromMs: number, toMs: number): string {
  const ids = [uuid7Floor(fromMs), uuid7Floor(toMs)] as const;
  const which = `id >= '${ids[0]}' and id < '${ids[1]}'`;
  return [rollUpCalls(which), rollUpLatency(which), rollUpSpend(bookedBetween(fromMs, toMs, ...ids))].join(";\n");
}

const sealed = (dayMs: number, sealedMs: number) =>
  new RebuildError(
    `${dayOf(dayMs)} cannot be counted again: calls before ${dayOf(sealedMs)} are no longer kept, and their rollups are the record. Begin at ${dayOf(sealedMs)}.`,
  );
