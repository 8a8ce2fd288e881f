import { setTimeout as sleep } from "node:timers/promises";
import type { Sql } from "postgres";

const TRIES = 20;
const PAUSE_MS = 100;

/**
 * Ends what connections of this name are computing, in whichever process they are, and resolves with how many there were. A
 * transaction that is between two statements is met at the next one. Only of the own user in the own database.
 */
export async function cancelReads(sql: Sql, name: string): Promise<number> {
  let found = 0;
  for (let i = 0; i < TRIES; i++) {
    const [row] = await sql<{ left: number }[]>`
      select count(pg_cancel_backend(pid))::int as left from pg_stat_activity
      where application_name = ${name} and usename = current_user and datname = current_database()
        and pid <> pg_backend_pid()`;
    const left = row?.left ?? 0;
    if (left === 0) return found;
    found = Math.max(found, left);
    await sleep(PAUSE_MS);
  }
  return found;
}
