import type { Reader } from "./call-filter.ts";

export interface JobHealth {
  name: string;
  /** Who runs it now; null: nobody. */
  holder: string | null;
  /** null: never. */
  finishedSeconds: number | null;
}

export async function jobHealth(sql: Reader): Promise<JobHealth[]> {
  return sql<JobHealth[]>`
    select
      name, case when locked_until > now() then locked_by end as holder,
      extract(epoch from now() - last_finished_at)::float8 as "finishedSeconds"
    from jobs order by name`;
}

/** UTC days whose rollups wait to be counted again; null: none. */
export async function daysDue(sql: Reader): Promise<{ days: number; since: Date; reason: string } | null> {
  const [row] = await sql<{ days: number; since: Date; reason: string }[]>`
    select count(*)::int as days, min(asked_at) as since, string_agg(distinct reason, '; ') as reason
    from rollups_due having count(*) > 0`;
  return row ?? null;
}
