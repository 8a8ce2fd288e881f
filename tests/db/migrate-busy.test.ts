import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";
import { migrate } from "#db/migrate.ts";
import { readMigrations } from "#db/migrations.ts";
import { migrateTo, migrating, objectsOf, recordOf } from "#tests/support/migrations.ts";
import { type TestDatabase, testDatabase } from "#tests/support/postgres.ts";
import { eventually } from "#tests/wire/setup.ts";

// A database of an earlier version that is at work.
let db: TestDatabase;
beforeEach(async () => {
  db = await testDatabase(18, { empty: true });
  await migrateTo(db.url, 4);
});
afterEach(() => db.drop());

const record = () => recordOf(db.sql);
const migrations = () => db.sql`datname = current_database() and application_name like 'omnimeter migration%'`;
const waiting = async () =>
  (await db.sql`select 1 from pg_stat_activity where ${migrations()} and wait_event_type = 'Lock'`).length > 0;
const connected = async () => (await db.sql`select 1 from pg_stat_activity where ${migrations()}`).length > 0;

/** A transaction that holds a lock on what the newest migrations change. */
async function hold(statement = "lock table rollup_calls in access share mode") {
  const client = await db.sql.reserve();
  await client.unsafe(`begin; ${statement}`);
  return {
    async letGo() {
      await client.unsafe("commit");
      client.release();
    },
  };
}

test("five processes that start at once migrate once", async () => {
  await Promise.all(Array.from({ length: 5 }, () => promisify(execFile)(process.execPath, migrating(db.url))));
  expect(await record()).toHaveLength(readMigrations().length);
});

test("a process that is killed in the middle leaves nothing behind, and the next start succeeds", async () => {
  const before = [await objectsOf(db.sql), await record()];
  const holder = await hold();
  const child = spawn(process.execPath, migrating(db.url), { stdio: "ignore" });
  await eventually("it waits for the lock", waiting);
  child.kill("SIGKILL");
  await once(child, "exit");
  await holder.letGo();
  // The server sees that its client is gone when it has done what it was asked, or cannot: the lock timeout has passed, or the lock came.
  await eventually("the server has let go of it", async () => !(await connected()));
  const after = [await objectsOf(db.sql), await record()];
  // It had been sent whole: it happened whole, or not at all.
  if (after[1]?.length === 4) expect(after).toEqual(before);
  else expect(after[1]).toHaveLength(readMigrations().length);
  await migrate(db.url);
  expect(await record()).toHaveLength(readMigrations().length);
});

test("a connection that is lost in the middle leaves nothing behind", async () => {
  const before = [await objectsOf(db.sql), await record()];
  const holder = await hold();
  const failure = migrate(db.url).catch((error) => error);
  await eventually("it waits for the lock", waiting);
  await db.sql`select pg_terminate_backend(pid) from pg_stat_activity where ${migrations()}`;
  expect(await failure).toMatchObject({ code: "database_unreachable" });
  await holder.letGo();
  expect([await objectsOf(db.sql), await record()]).toEqual(before);
});

test("who holds a table lets everybody else go on, and is waited for", async () => {
  const holder = await hold();
  const done = migrate(db.url, { lockWaitMs: 200 });
  await eventually("it waits for the lock", waiting);
  // It stands behind the migration in the queue, and has its turn while the holder still holds.
  expect(await db.sql`select count(*) from rollup_calls`).toEqual([{ count: 0 }]);
  expect(await record()).toHaveLength(4);
  await holder.letGo();
  await done;
  expect(await record()).toHaveLength(readMigrations().length);
});

test("who holds a table for too long is named, without what it says", async () => {
  const before = [await objectsOf(db.sql), await record()];
  const holder = await hold("update rollup_calls set feature = 'acme secrets'");
  const failure = await migrate(db.url, { patienceMs: 1500 }).catch((error) => error);
  expect(failure.code).toBe("database_busy");
  expect(failure.message).toMatch(
    /within 2 s, .*: process \d+ \(omnimeter, in a transaction for \d+ s: begin; update rollup_calls set feature = …\)\. Wait until .* \(select pg_terminate_backend\(\d+\)\), then start again\. Nothing was changed\.$/,
  );
  await holder.letGo();
  expect([await objectsOf(db.sql), await record()]).toEqual(before);
});
