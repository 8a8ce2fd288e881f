import type { Sql, TransactionSql } from "postgres";
import { dayOf } from "./booking.ts";
import { quoted } from "./rows.ts";

/** Since when what was stored is kept, in milliseconds at the beginning of a UTC day. null: nothing was ever dropped. */
export interface Kept {
  /** Days before are sealed: their calls are dropped, or about to be; their rollups are the record, and nothing may change them. */
  factsFromMs: number | null;
  /** What was said before is dropped, or about to be. */
  contentFromMs: number | null;
}

/** The rows of `settings` that say so: the first day that is kept, as YYYY-MM-DD. */
export const EDGES = { facts: "sealed", content: "content_from" } as const;

/** Calls before this moment (milliseconds) are no longer kept, their sums are. null: all are. */
export const sealedUntil = async (sql: Sql | TransactionSql): Promise<number | null> =>
  (await keptSince(sql)).factsFromMs;

export async function keptSince(sql: Sql | TransactionSql): Promise<Kept> {
  const rows = await sql<{ name: string; day: string }[]>`
    select name, value #>> '{}' as day from settings where name in (${EDGES.facts}, ${EDGES.content})`;
  const ms = (name: string) => {
    const row = rows.find((one) => one.name === name);
    return row ? Date.parse(row.day) : null;
  };
  const factsFromMs = ms(EDGES.facts);
  const contentFromMs = ms(EDGES.content);
  // There is no content without its call.
  return {
    factsFromMs,
    contentFromMs: factsFromMs === null ? contentFromMs : Math.max(factsFromMs, contentFromMs ?? 0),
  };
}

/** SQL: has an edge moved since? Edges move under a lock that batches and rebuilds wait for (db/retention.ts). */
export const hasMoved = ({ factsFromMs, contentFromMs }: Kept): string => `(
  ${edge(EDGES.facts)} is distinct from ${dayOrNull(factsFromMs)}
  or greatest(${edge(EDGES.facts)}, ${edge(EDGES.content)}) is distinct from ${dayOrNull(contentFromMs)}
)`;

/** The code with which `guardSealed` ends a transaction. */
export const DAY_SEALED = "OMSLD";

/** SQL that ends a transaction about a day (its beginning in milliseconds) that is sealed. Sealing waits for whoever holds the lock before (db/retention.ts). */
export const guardSealed = (dayMs: number) => `
  do $sealed$ begin
    if exists (select from settings where name = '${EDGES.facts}' and value #>> '{}' > '${dayOf(dayMs)}') then
      raise exception 'the day is sealed' using errcode = '${DAY_SEALED}';
    end if;
  end $sealed$`;

/** SQL: an edge as a date, or null. */
const edge = (name: string) => `(select (value #>> '{}')::date from settings where name = ${quoted(name)})`;

const dayOrNull = (ms: number | null) => (ms === null ? "null" : `'${new Date(ms).toISOString().slice(0, 10)}'::date`);
