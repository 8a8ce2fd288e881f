import type { Sql } from "postgres";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { assertMigrated } from "#db/assert-migrated.ts";
import { open } from "#db/connect.ts";
import { foldDays } from "#db/fold-days.ts";
import { matchFeedback } from "#db/match-feedback.ts";
import { migrate } from "#db/migrate.ts";
import { readMigrations } from "#db/migrations.ts";
import { snapshot } from "#db/queries/snapshot.ts";
import { spendTotal } from "#db/queries/spend-source.ts";
import { rebuildRollups } from "#db/rebuild-rollups.ts";
import { runJob } from "#db/run-job.ts";
import { storeFailure } from "#db/store-failure.ts";
import { addMoney } from "#lib/money.ts";
import { type Booked, seedBooked } from "#tests/support/booked-calls.ts";
import { type Asked, PAGE_QUERIES } from "#tests/support/page-queries.ts";
import { findPgBouncer, type PgBouncer, startPgBouncer } from "#tests/support/pgbouncer.ts";
import { type TestDatabase, testDatabase } from "#tests/support/postgres.ts";

const program = findPgBouncer();
if (!program) console.log("skipped: no PgBouncer here, and apt-get has none to download");

test("who forgets to say so is told what to write into DATABASE_URL", () => {
  const error = Object.assign(new Error('prepared statement "x1" does not exist'), { code: "26000" });
  expect(storeFailure(error, "postgres://me:secret@pool.example:6432/omnimeter")).toMatchObject({
    code: "database_refused",
    message: expect.stringContaining('add "?prepare=false" to DATABASE_URL'),
  });
});

describe.skipIf(!program)("through PgBouncer in transaction mode", () => {
  let db: TestDatabase;
  let bouncer: PgBouncer;
  let sql: Sql;
  let booked: Booked[];
  beforeAll(async () => {
    db = await testDatabase(18, { empty: true });
    bouncer = await startPgBouncer(program as NonNullable<typeof program>, db.url);
    const url = `${bouncer.url}?prepare=false`;
    // Two connections to the server for all of them: each process's statements meet the others' sessions.
    await Promise.all(Array.from({ length: 3 }, () => migrate(url)));
    sql = open(url, 8);
    booked = await seedBooked(sql);
  });
  afterAll(async () => {
    await sql?.end({ timeout: 1 });
    await bouncer?.stop();
    await db?.drop();
  });

  test("several processes migrate once", async () => {
    expect(await db.sql`select 1 from drizzle.__drizzle_migrations`).toHaveLength(readMigrations().length);
    await assertMigrated(sql);
  });

  test("batches, re-readings and a closed month come to the cent", async () => {
    const interval = { fromMs: Date.UTC(2026, 0, 1), toMs: Date.UTC(2027, 0, 1) };
    const scope = { project: "default", interval, filter: {} };
    const total = await snapshot(sql, (tx) => spendTotal(tx, scope, true));
    expect(total?.costUsd).toBe(booked.reduce((sum, one) => addMoney(sum, one.costUsd), "0"));
  });

  test("jobs run once, days fold, rollups are rebuilt, feedback is looked for", async () => {
    let held = 0;
    let most = 0;
    const job = { name: "test", holder: "me", leaseMs: 10_000 };
    const work = async () => {
      most = Math.max(most, ++held);
      await sql`select pg_sleep(0.05)`;
      held--;
    };
    const ran = await Promise.all(Array.from({ length: 6 }, () => runJob(sql, job, work)));
    expect(ran.filter(Boolean).length).toBeGreaterThan(0);
    expect(most).toBe(1);
    const before = await sql`select * from rollup_calls order by bucket, environment, feature, model, outcome`;
    await rebuildRollups(sql, Date.UTC(2026, 2, 1), Date.UTC(2026, 2, 3));
    expect(await sql`select * from rollup_calls order by bucket, environment, feature, model, outcome`).toEqual(before);
    expect(await foldDays(sql, Date.UTC(2026, 11, 1))).toBeGreaterThan(0);
    await matchFeedback(sql, false);
  });

  test("every page reads what it reads without a pooler, and leaves no setting to whoever comes next", async () => {
    const interval = { fromMs: Date.UTC(2026, 2, 1), toMs: Date.UTC(2026, 2, 20) };
    const [call] = await db.sql<
      { id: string }[]
    >`select id from calls where started_at > '2026-03-05' order by id limit 1`;
    const common = { environment: "production", feature: "search", customer: "acme", template: "support" };
    const asked = (filter: Asked["scope"]["filter"]): Asked => ({
      scope: { project: "default", interval, filter },
      zone: "Asia/Kolkata",
      nowMs: interval.toMs,
      callId: call?.id ?? "",
    });
    const results = await Promise.all(
      PAGE_QUERIES.map(async ({ name, filter, run }) => {
        const read = (from: Sql) => snapshot(from, (tx) => run(tx, asked(filter(common))), { waitMs: 20_000 });
        return { name, pooled: await read(sql), direct: await read(db.sql) };
      }),
    );
    for (const { name, pooled, direct } of results) expect(pooled, name).toEqual(direct);
    const settings = () => sql`
      select current_setting('statement_timeout') as timeout, current_setting('lock_timeout') as lock,
        current_setting('application_name') as name, current_setting('TimeZone') as zone,
        current_setting('standard_conforming_strings') as strings, pg_sleep(0.02)::text as slept`;
    for (const [row] of await Promise.all(Array.from({ length: 8 }, settings)))
      expect(row).toMatchObject({ timeout: "0", lock: "0", name: "omnimeter", zone: "UTC", strings: "on" });
  });
});
