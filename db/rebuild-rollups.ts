import type { Sql } from "postgres";
import { uuid7Floor } from "./partitions.ts";
import { rollUpCalls } from "./rollups.ts";

const DAY_MS = 86_400_000;

/**
 * Recomputes the rollups of whole UTC days from calls, one day per transaction, while traffic goes on: recorders wait
 * for as long as one day takes. Bounds are milliseconds, rounded outwards to days.
 */
export async function rebuildRollups(sql: Sql, fromMs: number, toMs: number, onDay?: (day: string) => void) {
  for (let day = Math.floor(fromMs / DAY_MS) * DAY_MS; day < toMs; day += DAY_MS) {
    const [from, to] = [day, day + DAY_MS].map((ms) => new Date(ms).toISOString());
    // One message, one implicit transaction: see record-batch.ts.
    await sql.unsafe(`
      lock table rollup_calls in share row exclusive mode;
      delete from rollup_calls where bucket >= '${from}' and bucket < '${to}';
      ${rollUpCalls(`id >= '${uuid7Floor(day)}' and id < '${uuid7Floor(day + DAY_MS)}'`)}`);
    onDay?.(new Date(day).toISOString().slice(0, 10));
  }
}
