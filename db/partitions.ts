import type { Sql, TransactionSql } from "postgres";

const DAY_MS = 86_400_000;
/** Monday 1970-01-05: weeks start on Mondays. */
const FIRST_MONDAY_MS = 4 * DAY_MS;

/** Tables in partitions by call id, and how much time one partition holds. Content has its own, shorter retention. */
export const PARTITIONED = [
  { table: "calls", spanMs: 7 * DAY_MS },
  { table: "usage_lines", spanMs: 7 * DAY_MS },
  { table: "tool_calls", spanMs: 7 * DAY_MS },
  { table: "payloads", spanMs: DAY_MS },
] as const;

/** The name of the partition that holds a moment (milliseconds). */
export function partitionOf(table: (typeof PARTITIONED)[number]["table"], ms: number): string {
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

/**
 * Makes sure that every partition for ids between two moments (milliseconds) exists. A partition is created, then
 * attached: attaching takes a lock that lets reads and writes go on. Safe to call from several processes at once.
 */
export async function ensurePartitions(sql: Sql | TransactionSql, fromMs: number, toMs: number): Promise<string[]> {
  const made: string[] = [];
  for (const { table, spanMs } of PARTITIONED) {
    for (let start = startOf(fromMs, spanMs); start <= toMs; start += spanMs) {
      const name = nameOf(table, start);
      const [exists] = await sql`select 1 from pg_inherits where inhrelid = to_regclass(${name})`;
      if (exists) continue;
      await makePartition(sql, table, name, start, start + spanMs);
      made.push(name);
    }
  }
  return made;
}

async function makePartition(sql: Sql | TransactionSql, table: string, name: string, fromMs: number, toMs: number) {
  const from = uuid7Floor(fromMs);
  const to = uuid7Floor(toMs);
  const key = table === "calls" ? "id" : "call_id";
  // With this check in place, attaching need not scan; on calls a second one lets people's own SQL prune by time.
  const checks = [`check (${key} >= '${from}' and ${key} < '${to}')`];
  if (table === "calls")
    checks.push(
      `check (started_at >= '${new Date(fromMs).toISOString()}' and started_at < '${new Date(toMs).toISOString()}')`,
    );
  try {
    await sql.unsafe(`
      create table if not exists ${name} (like ${table} including defaults including constraints, ${checks.join(", ")});
      alter table ${table} attach partition ${name} for values from ('${from}') to ('${to}');
    `);
  } catch (error) {
    // Another process was faster: it is attached now.
    const [exists] = await sql`select 1 from pg_inherits where inhrelid = to_regclass(${name})`;
    if (!exists) throw error;
  }
}
