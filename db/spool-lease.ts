import type { Sql } from "postgres";
import type { SpoolPlace } from "./record-batch.ts";

export interface HeldSpool {
  low: SpoolPlace;
  high: SpoolPlace;
  run: string;
  totals: unknown;
  carried: { run: string; seq: number; sealed: Buffer }[];
}

/**
 * Takes a spool for one recorder, or returns null while somebody else holds it. `evenIfHeld`: the holder is known to be
 * dead (its process is gone from this host); a transaction it may still have open is waited for by the row lock.
 */
export async function leaseSpool(
  sql: Sql,
  spool: string,
  lease: string,
  evenIfHeld: boolean,
): Promise<HeldSpool | null> {
  await sql`
    insert into spool_positions (spool, low_segment, low_offset, high_segment, high_offset, run, totals)
    values (${spool}, 0, 0, 0, 0, '', '{}') on conflict do nothing`;
  const [row] = await sql`
    update spool_positions set lease = ${lease}, leased_until = now() + interval '15 seconds'
    where spool = ${spool} and (${evenIfHeld} or lease is null or lease = ${lease} or leased_until < now())
    returning low_segment, low_offset, high_segment, high_offset, run, totals`;
  if (!row) return null;
  const carried = await sql<{ run: string; seq: number; sealed: Buffer }[]>`
    select run, seq, sealed from spool_carried where spool = ${spool} order by seq`;
  return {
    low: { segment: row.low_segment, offset: row.low_offset },
    high: { segment: row.high_segment, offset: row.high_offset },
    run: row.run,
    totals: row.totals,
    carried: [...carried],
  };
}

/** Says that everything up to now is stored: moves the watermark and keeps the lease. False when the lease is lost. */
export async function touchSpool(sql: Sql, spool: string, lease: string): Promise<boolean> {
  const rows = await sql`
    update spool_positions set leased_until = now() + interval '15 seconds', updated_at = now()
    where spool = ${spool} and lease = ${lease} returning 1`;
  return rows.length === 1;
}

export async function releaseSpool(sql: Sql, spool: string, lease: string): Promise<void> {
  await sql`update spool_positions set lease = null, leased_until = null where spool = ${spool} and lease = ${lease}`;
}
