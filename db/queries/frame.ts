import type { Reader } from "./call-filter.ts";

/**
 * Up to which moment everything is stored. The recorder moves `updated_at` also when nothing came, so the slowest spool
 * says it; one that has not moved for a day belongs to a machine that is gone. null: nothing was ever recorded.
 */
export async function watermarkMs(sql: Reader): Promise<number | null> {
  const [row] = await sql<{ at: Date | null }[]>`
    select coalesce(
      min(updated_at) filter (where updated_at > now() - interval '1 day'),
      max(updated_at)
    ) as at
    from spool_positions`;
  return row?.at?.getTime() ?? null;
}
