import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";
import { migrate } from "#db/migrate.ts";
import { readMigrations } from "#db/migrations.ts";
import { migrateTo } from "#tests/support/migrations.ts";
import { type TestDatabase, testDatabase } from "#tests/support/postgres.ts";
import { startSystem } from "#tests/support/system.ts";
import { eventually } from "#tests/wire/setup.ts";

let db: TestDatabase;
beforeEach(async () => {
  db = await testDatabase(18, { empty: true });
});
afterEach(() => db.drop());

const ask = (url: string) =>
  fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ model: "gpt-4o", messages: [{ role: "user", content: "hi" }] }),
  }).then((answer) => answer.text());

test("a recorder waits for its version's schema, says what to do, and leaves a newer one alone", async () => {
  const system = await startSystem({ database: db });
  const stored = async () => (await db.sql`select 1 from calls`).length;
  try {
    await ask(system.proxyUrl);
    const all = readMigrations().length;
    await eventually("it says what to do", () => system.output("recorder").includes(`(0 of ${all} migrations): run`));
    await migrate(db.url);
    await eventually("the call is stored", async () => (await stored()) === 1, 10_000);

    await db.sql`insert into drizzle.__drizzle_migrations (hash, created_at) values ('a later one', ${Date.now()})`;
    await eventually("it says so", () => system.output("recorder").includes("set up by a newer version"), 10_000);
    await ask(system.proxyUrl);
    await db.sql`select pg_sleep(1)`;
    expect(await stored()).toBe(1);

    await db.sql`delete from drizzle.__drizzle_migrations where hash = 'a later one'`;
    await eventually("what waited in the spool is stored", async () => (await stored()) === 2, 10_000);
  } finally {
    await system.stop();
  }
});

test("a dashboard does not start on an earlier schema, and says what to do", async () => {
  await migrateTo(db.url, 4);
  const dataDir = mkdtempSync(join(tmpdir(), "omnimeter-dashboard-"));
  const env = { ...process.env, DATABASE_URL: db.url, OMNIMETER_DATA_DIR: dataDir, OMNIMETER_DASHBOARD_PORT: "0" };
  const failure = await promisify(execFile)(process.execPath, ["lib/dashboard.ts"], { env }).catch((error) => error);
  rmSync(dataDir, { recursive: true });
  expect(failure.code).toBe(1);
  expect(failure.stderr).toContain(`(4 of ${readMigrations().length} migrations): run \`npm start\` of this version`);
});
