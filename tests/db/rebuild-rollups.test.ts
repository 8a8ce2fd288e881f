import { execFile } from "node:child_process";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { foldDays } from "#db/fold-days.ts";
import { amongIds } from "#db/of-calls.ts";
import { rebuildRollups } from "#db/rebuild-rollups.ts";
import { differences } from "#db/referee.ts";
import { rollUpCalls } from "#db/rollup-calls.ts";
import { rollUpLatency } from "#db/rollup-latency.ts";
import { bookedByCalls, rollUpSpend } from "#db/rollup-spend.ts";
import { MAJORS } from "#tests/support/majors.ts";
import { type TestDatabase, testDatabase } from "#tests/support/postgres.ts";
import { callAt, storedSpool } from "#tests/support/store-calls.ts";

const DAY_MS = 86_400_000;
const MORNING = Date.UTC(2026, 6, 7, 9, 20);

describe.each(MAJORS)("counting a day again on PostgreSQL %i", (major) => {
  let db: TestDatabase;
  let record: Awaited<ReturnType<typeof storedSpool>>;
  beforeAll(async () => {
    db = await testDatabase(major);
    record = await storedSpool(db.sql, "spool-r");
    await record([await callAt(MORNING), await callAt(MORNING + DAY_MS / 2)]);
  });
  afterAll(() => db?.drop());

  const rebuild = () => rebuildRollups(db.sql, MORNING, MORNING + 1);
  const calls = async () => (await db.sql`select sum(calls)::int as n from rollup_calls where calls > 0`)[0]?.n;
  const differing = () => differences(db.sql, MORNING, MORNING + 1);
  const waiting = async () =>
    (
      await db.sql`
        select 1 from pg_stat_activity
        where datname = current_database() and state = 'active' and wait_event_type = 'Lock'`
    ).length;
  /** The command as somebody types it. */
  const command = (...args: string[]) =>
    new Promise<{ code: number; said: string }>((resolve) => {
      const env = { PATH: process.env.PATH, DATABASE_URL: db.url } as unknown as NodeJS.ProcessEnv;
      const child = execFile(process.execPath, ["lib/recorder/rebuild.ts", ...args], { env }, (_, stdout, stderr) =>
        resolve({ code: child.exitCode ?? -1, said: stdout + stderr }),
      );
    });

  it("mends what is wrong, and leaves no rows of nothing", async () => {
    await db.sql`update rollup_calls set calls = 100`;
    await db.sql`delete from rollup_latency`;
    await db.sql`update rollup_spend set feature = 'wrong'`;
    await db.sql`insert into ratings select id, id, project_id, started_at, environment, endpoint, outcome, feature, customer, template, template_version, unit_hash, release, request_model, model, 'up', false, false from calls`;
    expect((await differing()).length).toBeGreaterThan(0);
    await rebuild();
    expect(await differing()).toEqual([]);
    expect(await calls()).toBe(2);
    expect(await db.sql`select from ratings`).toHaveLength(0);
    // What cancels out to nothing is not written.
    await db.sql`update usage_lines set quantity = 0, cost_usd = 0, saved_usd = 0`;
    await db.sql`update calls set booked_on = '2026-08-01'`;
    await rebuild();
    const [empty] = await db.sql`select count(*)::int as n from rollup_spend where bucket < '2026-07-08'`;
    expect(empty).toEqual({ n: 0 });
    await db.sql`update calls set booked_on = null`;
    await rebuild();
  });

  it("what is stored while it counts is counted", async () => {
    const [first] = await db.sql<{ id: string }[]>`select id from calls order by id limit 1`;
    const { id } = await callAt(MORNING + 60_000);
    const connection = await db.sql.reserve();
    // A batch that is not committed yet.
    await connection.unsafe(`
      begin;
      insert into calls select (jsonb_populate_record(c, jsonb_build_object('id', '${id}', 'started_at', uuid7_time('${id}')))).* from calls c where id = '${first?.id}';
      ${rollUpCalls(`id = '${id}'`)};
      ${rollUpLatency(`id = '${id}'`)};
      ${rollUpSpend(bookedByCalls(amongIds([id]), false))}`);
    const rebuilding = rebuild();
    await expect.poll(waiting).toBe(1);
    await connection.unsafe("commit");
    connection.release();
    await rebuilding;
    expect(await calls()).toBe(3);
    expect(await differing()).toEqual([]);
  });

  // Processes take their time: once is enough.
  it.runIf(major === 18)("by command: says how far it is, what differs, and why not", async () => {
    const days = ["--from", "2026-07-07", "--to", "2026-07-09"];
    const refusals = [
      [["--from", "2026-02-30", "--to", "2026-03-01"], 'bad_date: "2026-02-30" is no day'],
      [["--from", "2026-03-02", "--to", "2026-03-02"], "bad_date: 2026-03-02 is not after 2026-03-02"],
      [["--from", "2026-03-01"], "Usage:"],
    ] as const;
    const [rebuilt, ...refused] = await Promise.all([command(...days), ...refusals.map(([args]) => command(...args))]);
    expect(rebuilt).toEqual({ code: 0, said: "rebuilt 2026-07-07 (1 of 2)\nrebuilt 2026-07-08 (2 of 2)\n" });
    expect(refused.map(({ code, said }, i) => [code, said.slice(0, refusals[i]?.[1].length)])).toEqual(
      refusals.map(([, said]) => [1, said]),
    );
    await db.sql`update rollup_calls set calls = calls + 1 where bucket = '2026-07-07T09:15:00Z'`;
    const before = await calls();
    const { code, said } = await command(...days, "--check");
    expect([code, said.match(/rollup_calls: only (stored|recomputed)/g)?.length, await calls()]).toEqual([
      1,
      2,
      before,
    ]);
    expect(said).toContain("rollups_differ: 2 rows differ");
    await db.sql`insert into settings (name, value) values ('sealed', '"2026-07-13"')`;
    const sealed = await command(...days);
    expect([sealed.code, sealed.said]).toEqual([1, expect.stringMatching(/^day_sealed: 2026-07-07 .* 2026-07-13/)]);
    await db.sql`delete from settings where name = 'sealed'`;
  });

  it("days of every project are folded, however long nothing came between them", async () => {
    await db.sql`
      insert into rollup_spend
      select (jsonb_populate_record(r, '{"project_id": "other", "bucket": "2021-01-02T00:00:00Z"}')).* from rollup_spend r limit 1`;
    await foldDays(db.sql, MORNING + 10 * DAY_MS);
    const days = await db.sql`select project_id, rollup, day::text from folded_days order by 1, 2, 3`;
    expect(days.map((row) => Object.values(row).join(" "))).toEqual([
      "default attributed 2026-07-07",
      "default latency 2026-07-07",
      "default spend_sets 2026-07-07",
      "other spend_sets 2021-01-02",
    ]);
  });
});
