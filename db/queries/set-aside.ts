import type { Reader } from "./call-filter.ts";

/** A call that could not be stored: kept, and tried again when somebody asks. */
export interface SetAsideRow {
  id: string;
  setAsideAt: Date;
  spool: string;
  reason: string;
  /** Since when it waits for another try; null: nobody asked. */
  retryAskedAt: Date | null;
  tries: number;
  triedAt: Date | null;
  /** Of what is kept of it, sealed. */
  bytes: number;
}

/** Newest first, with one row more than `limit` where there are more. */
export async function setAsideRows(sql: Reader, limit: number): Promise<SetAsideRow[]> {
  const rows = await sql<SetAsideRow[]>`
    select
      id, set_aside_at as "setAsideAt", spool, reason, retry_asked_at as "retryAskedAt", tries, tried_at as "triedAt",
      octet_length(sealed) as bytes
    from set_aside
    order by set_aside_at desc, id desc
    limit ${limit + 1}`;
  return [...rows];
}
