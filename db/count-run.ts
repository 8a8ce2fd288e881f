import type { Sql } from "postgres";

/** What is stored and set aside of one run of a spool; nothing when it has not been read yet. */
export async function countRun(sql: Sql, spool: string, run: string): Promise<{ stored: number; setAside: number }> {
  const [row] = await sql<{ stored: number; setAside: number }[]>`
    select stored, set_aside as "setAside" from spool_runs where spool = ${spool} and run = ${run}`;
  return { stored: row?.stored ?? 0, setAside: row?.setAside ?? 0 };
}
