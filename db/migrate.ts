import type { Sql, TransactionSql } from "postgres";
import { open } from "./connect.ts";
import { type Migration, readMigrations, tablesOf } from "./migrations.ts";
import { ensurePartitions } from "./partitions.ts";
import { StoreError } from "./store-error.ts";
import { storeFailure } from "./store-failure.ts";

const DAY_MS = 86_400_000;
/** Any number that nobody else uses for a lock in this database. */
const LOCK = 7_261_001;
const LEAST_SERVER = 150_000;

interface Applied {
  hash: string;
}

/**
 * Brings the database to this version's schema, forward only, and makes partitions from last week to next month.
 * Everything happens in one transaction under a transaction lock: several processes may start at once, a killed one
 * leaves nothing behind, and PgBouncer in transaction mode is fine. What does not fit is refused, untouched.
 * @throws StoreError
 */
export async function migrate(url: string, folder?: string): Promise<void> {
  const known = readMigrations(folder);
  let sql: Sql | null = null;
  try {
    sql = open(url, 1);
    await assertServer(sql);
    await sql.begin((tx) => migrateIn(tx, known));
    await ensurePartitions(sql, Date.now() - 7 * DAY_MS, Date.now() + 28 * DAY_MS);
  } catch (error) {
    throw storeFailure(error, url);
  } finally {
    await sql?.end({ timeout: 5 });
  }
}

async function assertServer(sql: Sql) {
  const [row] = await sql<{ number: number; name: string }[]>`
    select current_setting('server_version_num')::int as number, current_setting('server_version') as name`;
  if (row) assertVersion(row.number, row.name);
}

/** Exported for the test: no older server is at hand. */
export function assertVersion(number: number, name: string) {
  if (number >= LEAST_SERVER) return;
  throw new StoreError(
    "database_too_old",
    `The database server is PostgreSQL ${name}; Omnimeter needs 15 or later: upgrade it, or unset DATABASE_URL to use the embedded one.`,
  );
}

async function migrateIn(tx: TransactionSql, known: Migration[]) {
  await tx`set local lock_timeout = '60s'`;
  await tx`select pg_advisory_xact_lock(${LOCK})`;
  const applied = await appliedTo(tx);
  await assertFits(tx, known, applied);
  const missing = known.slice(applied.length);
  if (!missing.length) return;
  if (!applied.length) await makeRecord(tx);
  for (const { statements, hash, madeAt } of missing) {
    for (const statement of statements) await tx.unsafe(statement);
    await tx`insert into drizzle.__drizzle_migrations (hash, created_at) values (${hash}, ${madeAt})`;
  }
}

/** The record of drizzle's own tools, in their table. */
async function appliedTo(tx: TransactionSql): Promise<Applied[]> {
  const [record] = await tx<{ found: boolean }[]>`
    select to_regclass('drizzle.__drizzle_migrations') is not null as found`;
  if (!record?.found) return [];
  return tx<Applied[]>`select hash from drizzle.__drizzle_migrations order by created_at, id`;
}

async function makeRecord(tx: TransactionSql) {
  await tx`create schema if not exists drizzle`;
  await tx`create table if not exists drizzle.__drizzle_migrations (
    id serial primary key, hash text not null, created_at bigint)`;
}

async function assertFits(tx: TransactionSql, known: Migration[], applied: Applied[]) {
  const differs = known.findIndex((one, at) => applied[at] && applied[at].hash !== one.hash);
  if (differs >= 0) throw halfMigrated(`its migration ${known[differs]?.tag} is not the one of this version`);
  if (applied.length > known.length)
    throw new StoreError(
      "database_newer",
      `The database was set up by a newer version of Omnimeter (${applied.length} migrations; this version knows ${known.length}): ` +
        "start that version or a later one. Nothing was changed.",
    );
  const here = await existing(tx, tablesOf(known));
  const expected = tablesOf(known.slice(0, applied.length));
  if (!applied.length && here.size) throw halfMigrated(`it has a table "${[...here][0]}" but no record of a migration`);
  const gone = expected.find((table) => !here.has(table));
  if (gone) throw halfMigrated(`its table "${gone}" is missing`);
}

async function existing(tx: TransactionSql, tables: string[]): Promise<Set<string>> {
  const rows = await tx<{ name: string }[]>`
    select name from unnest(${tables}::text[]) as name where to_regclass(quote_ident(name)) is not null`;
  return new Set(rows.map((row) => row.name));
}

const halfMigrated = (what: string) =>
  new StoreError(
    "database_half_migrated",
    `The database does not match this version of Omnimeter: ${what}. ` +
      "Restore it from a backup, or point DATABASE_URL at an empty database. Nothing was changed.",
  );
