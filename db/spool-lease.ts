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

/** Everything of this spool before it is stored. null: nothing is. */
export async function spoolHigh(sql: Sql, spool: string): Promise<SpoolPlace | null> {
  const [row] = await sql<SpoolPlace[]>`
    select high_segment as segment, high_offset as "offset" from spool_positions where spool = ${spool}`;
  return row ?? null;
}

/** Of the recorders that hold a spool, how far the last one is behind; 0 when none does. */
export async function recordersBehindSeconds(sql: Sql): Promise<number> {
  const [row] = await sql<{ seconds: number }[]>`
    select coalesce(extract(epoch from now() - min(updated_at)), 0)::float8 as seconds
    from spool_positions where leased_until > now()`;
  return row?.seconds ?? 0;
}
