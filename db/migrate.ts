import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Sql } from "postgres";
import { distribute } from "./citus.ts";
import { open } from "./connect.ts";
import { type Holder, watchHolders } from "./lock-holders.ts";
import {
  type AppliedMigration,
  appliedMigrations,
  databaseNewer,
  type Migration,
  RECORD,
  readMigrations,
  tablesOf,
} from "./migrations.ts";
import { ensurePartitions } from "./partitions.ts";
import { quoted } from "./rows.ts";
import { StoreError } from "./store-error.ts";
import { storeFailure } from "./store-failure.ts";

const DAY_MS = 86_400_000;
/** Any number that nobody else uses for a lock in this database. */
const LOCK = 7_261_001;
const LEAST_SERVER = 150_000;
/**
 * Whoever comes after a statement that waits for a table's lock waits behind it: no longer than this. It is above PostgreSQL's
 * deadlock_timeout (1 s), after which an autovacuum that holds the table gives way.
 */
const LOCK_WAIT_MS = 2000;
const PATIENCE_MS = 60_000;
/** Between two attempts everybody else gets on with their work. */
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 4000;
const MIGRATED_MEANWHILE = "OMMIG";

interface Options {
  /** Of the migrations; only tests have another. */
  folder?: string;
  /** How long it is tried while others hold what must be changed, and how long each time. */
  patienceMs?: number;
  lockWaitMs?: number;
}

/**
 * Brings the database to this version's schema, forward only, and makes partitions from last week to next month. All that is missing
 * is one message, which is one transaction under a transaction lock: several processes may start at once, a killed one leaves nothing
 * behind, a lost connection neither, and PgBouncer in transaction mode is fine. Traffic goes on: who holds a table for long is
 * waited for in short turns. What does not fit is refused, untouched.
 * @throws StoreError
 */
export async function migrate(url: string, options: Options = {}): Promise<void> {
  const { folder, patienceMs = PATIENCE_MS, lockWaitMs = LOCK_WAIT_MS } = options;
  const known = readMigrations(folder);
  let sql: Sql | null = null;
  try {
    sql = open(url, 2);
    await assertServer(sql);
    await patiently(sql, patienceMs, (name) => bringUp(sql as Sql, known, inTurn(name, lockWaitMs)));
    await distribute(sql);
    await makePartitions(sql, Date.now(), tablesOf(known));
  } catch (error) {
    throw storeFailure(error, url);
  } finally {
    await sql?.end({ timeout: 1 });
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

/** Does it again while others hold a lock. `work` gets the name under which its connection stands among the server's activity. */
async function patiently(sql: Sql, patienceMs: number, work: (name: string) => Promise<void>) {
  const name = `omnimeter migration ${randomUUID().slice(0, 8)}`;
  const until = performance.now() + patienceMs;
  const holders = watchHolders(sql, name);
  try {
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
      try {
        return await work(name);
      } catch (error) {
        if (!isBusy(error)) throw error;
        if (performance.now() + pauseMs > until) throw databaseBusy(patienceMs, holders.seen(), error);
      }
      await sleep(pauseMs);
    }
  } finally {
    holders.stop();
  }
}

/** Waited too long for a lock; chosen to end a deadlock with somebody's batch; or another process was faster. */
const isBusy = (error: unknown): boolean =>
  ["55P03", "40P01", MIGRATED_MEANWHILE].includes(String((error as { code?: unknown }).code));

function databaseBusy(patienceMs: number, holders: Holder[], cause: unknown): StoreError {
  const [first] = holders;
  const who = holders.map(
    ({ pid, name, seconds, statement }) =>
      `process ${pid} (${name || "without a name"}${seconds === null ? "" : `, in a transaction for ${seconds} s`}${statement && `: ${statement}`})`,
  );
  return new StoreError(
    "database_busy",
    `The database could not be brought to this version's schema within ${Math.round(patienceMs / 1000)} s, because others hold what must be changed` +
      `${who.length ? `: ${who.join("; ")}` : " (this user may not see who)"}. ` +
      `Wait until they have finished${first ? `, or end them (select pg_terminate_backend(${first.pid}))` : ""}, then start again. Nothing was changed.`,
    { cause },
  );
}

/** `turn` is SQL that begins a transaction in which nobody else migrates. */
async function bringUp(sql: Sql, known: Migration[], turn: string) {
  const applied = await plan(sql, known, turn);
  const missing = known.slice(applied.length);
  if (!missing.length) return;
  await sql.unsafe(
    [
      turn,
      ...(applied.length ? [] : [MAKE_RECORD]),
      `do $plan$ begin
        if (select count(*) from ${RECORD}) <> ${applied.length} then
          raise exception 'migrated meanwhile' using errcode = '${MIGRATED_MEANWHILE}';
        end if;
      end $plan$`,
      ...missing.flatMap(({ statements, hash, madeAt }) => [
        ...statements,
        `insert into ${RECORD} (hash, created_at) values (${quoted(hash)}, ${madeAt})`,
      ]),
    ].join("\n;\n"),
  );
}

/** What was applied so far. In turn with who migrates, so that no half of another's work is seen. */
async function plan(sql: Sql, known: Migration[], turn: string): Promise<AppliedMigration[]> {
  const applied = await sql.begin(async (tx) => {
    await tx.unsafe(turn);
    const found = await appliedMigrations(tx);
    assertFits(known, found, await existing(tx, tablesOf(known)));
    return found;
  });
  return applied as AppliedMigration[];
}

const inTurn = (name: string, lockWaitMs: number) => `
  select set_config('lock_timeout', '${lockWaitMs}ms', true), set_config('application_name', ${quoted(name)}, true);
  select pg_advisory_xact_lock(${LOCK})`;

/** The record of drizzle's own tools, in their table. */
const MAKE_RECORD = `
  create schema if not exists drizzle;
  create table if not exists ${RECORD} (id serial primary key, hash text not null, created_at bigint)`;

function assertFits(known: Migration[], applied: AppliedMigration[], here: Set<string>) {
  const differs = known.findIndex((one, at) => applied[at] && applied[at].hash !== one.hash);
  if (differs >= 0) throw halfMigrated(`its migration ${known[differs]?.tag} is not the one of this version`);
  if (applied.length > known.length) throw databaseNewer(applied.length, known.length);
  const expected = tablesOf(known.slice(0, applied.length));
  if (!applied.length && here.size) throw halfMigrated(`it has a table "${[...here][0]}" but no record of a migration`);
  const gone = expected.find((table) => !here.has(table));
  if (gone) throw halfMigrated(`its table "${gone}" is missing`);
}

async function existing(sql: Pick<Sql, "unsafe">, tables: string[]): Promise<Set<string>> {
  const rows = await sql.unsafe<{ name: string }[]>(
    "select name from unnest($1::text[]) as name where to_regclass(quote_ident(name)) is not null",
    [tables],
  );
  return new Set(rows.map((row) => row.name));
}

const halfMigrated = (what: string) =>
  new StoreError(
    "database_half_migrated",
    `The database does not match this version of Omnimeter: ${what}. ` +
      "Restore it from a backup, or point DATABASE_URL at an empty database. Nothing was changed.",
  );

/** A user that may read and write, but not create, starts as long as somebody else's partitions hold today's calls. */
async function makePartitions(sql: Sql, nowMs: number, tables: readonly string[]) {
  try {
    await ensurePartitions(sql, nowMs - 7 * DAY_MS, nowMs + 28 * DAY_MS, tables);
  } catch (error) {
    if ((error as { code?: unknown }).code !== "42501") throw error;
    await ensurePartitions(sql, nowMs, nowMs + DAY_MS, tables);
  }
}
