import type { Sql } from "postgres";
import { uuid7Floor } from "./partitions.ts";
import { rollUpCalls } from "./rollup-calls.ts";
import { rollUpLatency } from "./rollup-latency.ts";
import { bookedBetween, rollUpSpend } from "./rollup-spend.ts";

const DAY_MS = 86_400_000;

/**
 * Recomputes the rollups of whole UTC days from calls and lines, one day per transaction, while traffic goes on: recorders
 * wait for as long as one day takes. What was spent in a closed month stays as it was closed. Bounds are milliseconds,
 * rounded outwards to days.
 */
export async function rebuildRollups(sql: Sql, fromMs: number, toMs: number, onDay?: (day: string) => void) {
  for (let day = Math.floor(fromMs / DAY_MS) * DAY_MS; day < toMs; day += DAY_MS) {
    const end = day + DAY_MS;
    const [from, to] = [day, end].map((ms) => new Date(ms).toISOString());
    const ids = [uuid7Floor(day), uuid7Floor(end)] as const;
    // One message, one implicit transaction: see record-batch.ts.
    await sql.unsafe(`
      lock table closed_periods in row share mode;
      delete from folded_days where day = '${from?.slice(0, 10)}';
      lock table rollup_calls, rollup_latency, rollup_spend in share row exclusive mode;
      delete from rollup_calls where bucket >= '${from}' and bucket < '${to}';
      ${rollUpCalls(`id >= '${ids[0]}' and id < '${ids[1]}'`)};
      delete from rollup_latency where bucket >= '${from}' and bucket < '${to}';
      ${rollUpLatency(`id >= '${ids[0]}' and id < '${ids[1]}'`)};
      delete from rollup_spend r where bucket >= '${from}' and bucket < '${to}' and not exists (
        select 1 from closed_periods p
        where p.project_id = r.project_id and p.month = date_trunc('month', r.bucket at time zone 'UTC')::date
      );
      ${rollUpSpend(bookedBetween(day, end, ...ids))}`);
    onDay?.(new Date(day).toISOString().slice(0, 10));
  }
}
