import type { Sql, TransactionSql } from "postgres";
import { keptSince } from "./sealed.ts";

const DAY_MS = 86_400_000;
/** Monday 1970-01-05: weeks start on Mondays. */
const FIRST_MONDAY_MS = 4 * DAY_MS;

/** Tables in partitions by a UUIDv7 (`key`), and how much time one partition holds. Content has its own, shorter retention. */
export const PARTITIONED = [
  { table: "calls", key: "id", spanMs: 7 * DAY_MS, holds: "facts" },
  { table: "usage_lines", key: "call_id", spanMs: 7 * DAY_MS, holds: "facts" },
  { table: "tool_calls", key: "call_id", spanMs: 7 * DAY_MS, holds: "facts" },
  { table: "sessions", key: "id", spanMs: 7 * DAY_MS, holds: "facts" },
  { table: "turns", key: "session_id", spanMs: 7 * DAY_MS, holds: "facts" },
  { table: "payloads", key: "call_id", spanMs: DAY_MS, holds: "content" },
  { table: "media", key: "call_id", spanMs: DAY_MS, holds: "content" },
] as const;

export type PartitionedTable = (typeof PARTITIONED)[number]["table"];

/** The name of the partition that holds a moment (milliseconds). */
export function partitionOf(table: PartitionedTable, ms: number): string {
  const { spanMs } = PARTITIONED.find((one) => one.table === table) as (typeof PARTITIONED)[number];
  return nameOf(table, startOf(ms, spanMs));
}

const startOf = (ms: number, spanMs: number) => Math.floor((ms - FIRST_MONDAY_MS) / spanMs) * spanMs + FIRST_MONDAY_MS;
const nameOf = (table: string, startMs: number) =>
  `${table}_p${new Date(startMs).toISOString().slice(0, 10).replaceAll("-", "")}`;

/** Lowest UUIDv7 of a millisecond. */
export const uuid7Floor = (ms: number): string => {
  const hex = Math.max(0, Math.floor(ms)).toString(16).padStart(12, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`;
};

/** Somebody may hold a lock for long: a recorder that waits for a partition says so, and comes again. */
const LOCK_TIMEOUT = "2s";
const TRIES = 2;

/** Day by day, and only days that have calls: what an exchange tells of may have been long before. */
export async function ensurePartitionsFor(sql: Sql, startedAtMs: readonly number[]): Promise<void> {
  const days = new Set(startedAtMs.map((ms) => Math.floor(ms / DAY_MS) * DAY_MS));
  for (const day of days) await ensurePartitions(sql, day, day);
}

/**
 * Makes sure that every partition for ids between two moments (milliseconds) exists, as far as retention lets it. A partition is
 * created, then attached: attaching takes a lock that lets reads and writes go on. Safe to call from several processes at once.
 * `tables`: those that there are, where that may be an earlier version's.
 * @throws the database's error, 55P03 when a lock could not be had
 */
export async function ensurePartitions(
  sql: Sql | TransactionSql,
  fromMs: number,
  toMs: number,
  tables: readonly string[] = PARTITIONED.map(({ table }) => table),
): Promise<string[]> {
  const { factsFromMs, contentFromMs } = await keptSince(sql);
  const made: string[] = [];
  for (const { table, key, spanMs, holds } of PARTITIONED) {
    if (!tables.includes(table)) continue;
    const keptFromMs = (holds === "content" ? contentFromMs : factsFromMs) ?? Number.NEGATIVE_INFINITY;
    for (let start = startOf(fromMs, spanMs); start <= toMs; start += spanMs) {
      if (start + spanMs <= keptFromMs) continue;
      const name = nameOf(table, start);
      if (await isAttached(sql, name)) continue;
      await makePartition(sql, table, key, name, start, start + spanMs);
      made.push(name);
    }
  }
  return made;
}

async function makePartition(
  sql: Sql | TransactionSql,
  table: string,
  key: string,
  name: string,
  fromMs: number,
  toMs: number,
) {
  const from = uuid7Floor(fromMs);
  const to = uuid7Floor(toMs);
  // With this check in place, attaching need not scan; on calls a second one lets people's own SQL prune by time.
  const checks = [`check (${key} >= '${from}' and ${key} < '${to}')`];
  if (table === "calls")
    checks.push(
      `check (started_at >= '${new Date(fromMs).toISOString()}' and started_at < '${new Date(toMs).toISOString()}')`,
    );
  for (let tries = 1; ; tries++)
    try {
      await sql.unsafe(`
        select set_config('lock_timeout', '${LOCK_TIMEOUT}', true);
        create table if not exists ${name} (like ${table} including defaults including constraints, ${checks.join(", ")});
        alter table ${table} attach partition ${name} for values from ('${from}') to ('${to}');
      `);
      return;
    } catch (error) {
      // Another process was faster: it is attached now.
      if (await isAttached(sql, name)) return;
      if ((error as { code?: unknown }).code !== "55P03" || tries === TRIES) throw error;
    }
}

async function isAttached(sql: Sql | TransactionSql, name: string): Promise<boolean> {
  const rows = await sql`select 1 from pg_inherits where inhrelid = to_regclass(${name})`;
  return rows.length > 0;
}

export interface Partition {
  table: PartitionedTable;
  name: string;
  /** Its ids end before this moment. */
  toMs: number;
  /** `detaching`: whoever began it did not finish. `detached`: no part of the table any more, or not yet. */
  state: "attached" | "detaching" | "detached";
}

/** Partitions that end at or before a moment (milliseconds), oldest first. */
export async function partitionsBefore(sql: Sql, table: PartitionedTable, ms: number): Promise<Partition[]> {
  const { spanMs } = PARTITIONED.find((one) => one.table === table) as (typeof PARTITIONED)[number];
  const rows = await sql<{ name: string; state: Partition["state"] }[]>`
    select p.relname as name, case
      when i.inhrelid is null then 'detached' when i.inhdetachpending then 'detaching' else 'attached'
    end as state
    from pg_class p
    join pg_class t on t.oid = to_regclass(${table}) and t.relnamespace = p.relnamespace
    left join pg_inherits i on i.inhrelid = p.oid
    where p.relkind = 'r' and p.relname ~ ${`^${table}_p[0-9]{8}$`}
    order by 1`;
  return rows
    .map(({ name, state }) => ({ table, name, state, toMs: startMsOf(name) + spanMs }))
    .filter(({ toMs }) => toMs <= ms);
}

const startMsOf = (name: string): number => Date.parse(name.slice(-8).replace(/(....)(..)(..)/, "$1-$2-$3"));

/**
 * Drops a partition. Detaching waits for whoever reads the table, and nobody waits for it: it is given up after `patienceMs` and
 * then stands half detached, which the next try finishes. Each step can be the last one of a process that dies.
 * @throws the database's error; the partition is still there then
 */
export async function dropPartition(sql: Sql, { table, name, state }: Partition, patienceMs = 60_000): Promise<void> {
  if (state !== "detached") {
    const how = state === "detaching" ? "finalize" : "concurrently";
    const detaching = sql.unsafe(`alter table ${table} detach partition ${name} ${how}`);
    const timer = setTimeout(() => detaching.cancel(), patienceMs);
    await detaching.finally(() => clearTimeout(timer));
  }
  await sql.unsafe(`select set_config('lock_timeout', '${LOCK_TIMEOUT}', true); drop table if exists ${name}`);
}
