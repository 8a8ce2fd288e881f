import { afterAll, beforeAll, expect, it } from "vitest";
import { ensurePartitions } from "#db/partitions.ts";
import { cancelSlowQuery, dearestStatements, slowQueries } from "#db/queries/health-activity.ts";
import { daysDue, jobHealth } from "#db/queries/health-jobs.ts";
import { dropsByReason, equationOfAll, spoolHealth } from "#db/queries/health-spools.ts";
import { sizeBefore, tableSizes } from "#db/queries/health-tables.ts";
import { READER, snapshot } from "#db/queries/snapshot.ts";
import { type TestDatabase, testDatabase } from "#tests/support/postgres.ts";

const NOW = Date.parse("2026-06-10T16:00:00Z");
let db: TestDatabase;

beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db?.drop());

it("an empty store has no spools, drops or jobs, and its equation is zeros", async () => {
  expect(await spoolHealth(db.sql, 10)).toEqual([]);
  expect(await equationOfAll(db.sql)).toMatchObject({
    spools: 0,
    accepted: 0,
    stored: 0,
    open: 0,
    missing: 0,
    surplus: 0,
  });
  expect(await dropsByReason(db.sql)).toEqual([]);
  expect(await jobHealth(db.sql)).toEqual([]);
  expect(await daysDue(db.sql)).toBeNull();
});

it("what is missing is open in the run that is read, and unexplained in those before", async () => {
  await db.sql`
    insert into spool_positions (spool, low_segment, low_offset, high_segment, high_offset, run, totals, lease, leased_until, updated_at)
    values
      ('a', 0, 0, 0, 0, 'a2', '{}', 'x', now() + interval '5 seconds', now() - interval '90 seconds'),
      ('b', 0, 0, 0, 0, 'b1', '{}', 'x', now() - interval '5 seconds', now() - interval '2 hours'),
      ('c', 0, 0, 0, 0, '', '{}', null, null, now() - interval '3 hours')`;
  await db.sql`
    insert into spool_runs (spool, run, accepted, started, stored, set_aside, dropped, at_risk, first_seen_at, updated_at)
    values
      ('a', 'a1', 100, 97, 90, 2, '{"spool_full": 3, "torn": 1}', 5, '2026-06-01', '2026-06-02'),
      ('a', 'a2', 50, 50, 40, 0, '{}', 0, '2026-06-03', '2026-06-04'),
      ('b', 'b1', 7, 7, 7, 0, '{"disk_full": 0}', 0, '2026-06-03', '2026-06-04'),
      ('b', 'b0', 10, 10, 11, 0, '{"spool_full": 1}', 0, '2026-05-03', '2026-05-04')`;
  const [a, b, c] = await spoolHealth(db.sql, 10);
  expect(a).toMatchObject({
    spool: "a",
    runs: 2,
    accepted: 150,
    stored: 130,
    setAside: 2,
    dropped: 4,
    open: 10,
    missing: 4,
    surplus: 0,
    held: true,
  });
  expect(a?.behindSeconds).toBeGreaterThanOrEqual(90);
  expect(a?.behindSeconds).toBeLessThan(120);
  expect(b).toMatchObject({ spool: "b", accepted: 17, open: 0, missing: 0, surplus: 2, held: false });
  expect(c).toMatchObject({ spool: "c", runs: 0, accepted: 0, open: 0, held: false });
  expect(await spoolHealth(db.sql, 1)).toHaveLength(2);
  const all = await equationOfAll(db.sql);
  expect(all).toEqual({
    spools: 2,
    runs: 4,
    accepted: 167,
    stored: 148,
    setAside: 2,
    dropped: 5,
    open: 10,
    missing: 4,
    surplus: 2,
    atRisk: 5,
  });
  expect(all.accepted).toBe(all.stored + all.setAside + all.dropped + all.open + all.missing - all.surplus);
});

it("drops are told by reason, with the time between which they happened", async () => {
  expect(await dropsByReason(db.sql)).toEqual([
    { reason: "spool_full", calls: 4, spools: 2, firstAt: new Date("2026-05-03"), lastAt: new Date("2026-06-02") },
    { reason: "torn", calls: 1, spools: 1, firstAt: new Date("2026-06-01"), lastAt: new Date("2026-06-02") },
  ]);
});

it("a slow query of a page is seen with its name and cancelled, one of the recorder's is only seen", async () => {
  const name = `${READER}spend abc`;
  const page = snapshot(db.sql, (tx) => tx`select pg_sleep(30)`, { as: name }).catch((error) => error.code);
  const [recorder] = await Promise.all([db.sql`select pg_backend_pid() as pid`, db.sql`select pg_sleep(1.2)`]);
  expect(recorder).toHaveLength(1);
  const slow = await slowQueries(db.sql, 10);
  const found = slow.find((one) => one.name === name);
  expect(found).toMatchObject({ mayCancel: true, blockedBy: 0 });
  expect(found?.seconds).toBeGreaterThan(1);
  expect(await cancelSlowQuery(db.sql, found?.pid ?? 0, "another moment")).toBe(false);
  expect(await cancelSlowQuery(db.sql, found?.pid ?? 0, found?.since ?? "")).toBe(true);
  expect(await page).toBe("57014");

  const own = db.sql.reserve().then(async (connection) => {
    const sleeping = connection`select pg_sleep(1.5)`;
    await sleeping;
    connection.release();
  });
  await db.sql`select pg_sleep(1.1)`;
  const [mine] = await slowQueries(db.sql, 10);
  expect(mine).toMatchObject({ name: "omnimeter", mayCancel: false });
  expect(await cancelSlowQuery(db.sql, mine?.pid ?? 0, mine?.since ?? "")).toBe(false);
  await own;
});

it("without the extension nothing is said of statements", async () => {
  expect(await dearestStatements(db.sql, 5)).toBeNull();
});

it("sizes add partitions up; rows that were never counted are not known", async () => {
  const before = (await tableSizes(db.sql, NOW)).find(({ table }) => table === "payloads")?.partitions ?? 0;
  await ensurePartitions(db.sql, NOW - 20 * 86_400_000, NOW);
  const sizes = await tableSizes(db.sql, NOW);
  const of = (table: string) => sizes.find((one) => one.table === table);
  expect(sizes.some(({ table }) => table.includes("_p2026"))).toBe(false);
  expect(of("payloads")).toMatchObject({ partitions: before + 21, rows: null });
  const [exact] = await db.sql<{ bytes: number }[]>`
    select sum(pg_total_relation_size(relid))::bigint as bytes from pg_partition_tree('calls')`;
  expect(of("calls")?.bytes).toBe(exact?.bytes);
  // 7 daily partitions that are all alike.
  const [one] = await db.sql<{ bytes: number }[]>`select pg_total_relation_size('payloads_p20260609')::bigint as bytes`;
  expect(of("payloads")?.bytesPerDay).toBe(one?.bytes);
  expect(of("settings")?.bytesPerDay).toBeNull();
  await db.sql`analyze`;
  expect((await tableSizes(db.sql, NOW)).find(({ table }) => table === "spool_runs")?.rows).toBe(4);

  // Partitions that end by 2026-06-01: those of 21 to 31 May.
  expect(await sizeBefore(db.sql, ["payloads"], Date.parse("2026-06-01"))).toEqual({
    partitions: 11,
    bytes: 11 * (one?.bytes ?? 0),
  });
});

it("jobs are told with their holder and their last end, days with why they wait", async () => {
  await db.sql`
    insert into jobs (name, locked_by, locked_until, fence, last_finished_at) values
      ('alerts', 'host-1', now() + interval '1 minute', 4, now() - interval '40 seconds'),
      ('retention', 'host-2', now() - interval '1 minute', 4, null)`;
  const [alerts, retention] = await jobHealth(db.sql);
  expect(alerts).toMatchObject({ name: "alerts", holder: "host-1" });
  expect(Math.round(alerts?.finishedSeconds ?? 0)).toBeGreaterThanOrEqual(40);
  expect(retention).toEqual({ name: "retention", holder: null, finishedSeconds: null });
  await db.sql`insert into rollups_due (day, asked_at, reason) values ('2026-06-01', '2026-06-10', 'x'), ('2026-06-02', '2026-06-11', 'x')`;
  expect(await daysDue(db.sql)).toEqual({ days: 2, since: new Date("2026-06-10"), reason: "x" });
});
