import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dropPartition, ensurePartitions, PARTITIONED, partitionOf, partitionsBefore } from "#db/partitions.ts";
import { MAJORS } from "#tests/support/majors.ts";
import { type TestDatabase, testDatabase } from "#tests/support/postgres.ts";
import { callAt, storedSpool } from "#tests/support/store-calls.ts";

const DAY_MS = 86_400_000;
const MONDAY = Date.UTC(2025, 2, 3);

describe.each(MAJORS)("partitions on PostgreSQL %i", (major) => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await testDatabase(major);
  });
  afterAll(() => db?.drop());

  const waiting = async () =>
    (
      await db.sql`
        select 1 from pg_stat_activity
        where datname = current_database() and state = 'active' and wait_event_type = 'Lock'`
    ).length;
  /** In a transaction on a connection of its own, until it is told to end. */
  async function holding(statement: string) {
    const connection = await db.sql.reserve();
    await connection.unsafe(`begin; ${statement}`);
    return async () => {
      await connection.unsafe("rollback");
      connection.release();
    };
  }
  const names = async (table: "calls" | "payloads", beforeMs: number) =>
    (await partitionsBefore(db.sql, table, beforeMs)).map(({ name, state }) => `${name} ${state}`);

  it("are made for the weeks and days that a stretch of time touches, once", async () => {
    const made = await ensurePartitions(db.sql, MONDAY - 1, MONDAY);
    expect(made.sort()).toEqual([
      "calls_p20250224",
      "calls_p20250303",
      "media_p20250302",
      "media_p20250303",
      "payloads_p20250302",
      "payloads_p20250303",
      "sessions_p20250224",
      "sessions_p20250303",
      "tool_calls_p20250224",
      "tool_calls_p20250303",
      "turns_p20250224",
      "turns_p20250303",
      "usage_lines_p20250224",
      "usage_lines_p20250303",
    ]);
    expect(await ensurePartitions(db.sql, MONDAY - 1, MONDAY)).toEqual([]);
    expect(partitionOf("calls", MONDAY - 1)).toBe("calls_p20250224");
  });

  it("are made while somebody reads for long and others store", async () => {
    const end = await holding("select count(*) from calls; insert into calls select * from calls");
    const made = await ensurePartitions(db.sql, MONDAY + 14 * DAY_MS, MONDAY + 14 * DAY_MS);
    expect(made).toHaveLength(PARTITIONED.length);
    await end();
  });

  it("wait for a lock, but not for ever, and are made once it is free", async () => {
    const end = await holding("lock table calls in access exclusive mode");
    const at = MONDAY + 28 * DAY_MS;
    const making = ensurePartitions(db.sql, at, at);
    await expect.poll(waiting).toBe(1);
    await end();
    expect(await making).toHaveLength(PARTITIONED.length);
    // It takes its time: once is enough.
    if (major !== 18) return;
    const endAgain = await holding("lock table calls in share update exclusive mode");
    await expect(ensurePartitions(db.sql, at + 7 * DAY_MS, at + 7 * DAY_MS)).rejects.toMatchObject({ code: "55P03" });
    await endAgain();
    expect(await ensurePartitions(db.sql, at + 7 * DAY_MS, at + 7 * DAY_MS)).toHaveLength(PARTITIONED.length);
  });

  it("are made once by several at once", async () => {
    const at = MONDAY + 70 * DAY_MS;
    const made = await Promise.all(Array.from({ length: 4 }, () => ensurePartitions(db.sql, at, at)));
    expect(new Set(made.flat()).size).toBe(PARTITIONED.length);
    expect(await names("calls", at + 8 * DAY_MS)).toContain(`${partitionOf("calls", at)} attached`);
  });

  it("hold a call of 1970; one from the future is set aside, and no partition is made for it", async () => {
    const record = await storedSpool(db.sql, "spool-clock");
    const old = await callAt(5);
    const ahead = await callAt(Date.now() + 2 * 3_600_000);
    const farAhead = await callAt(2 ** 47);
    const soon = await callAt(Date.now() + 1_800_000);
    const partitions = () => db.sql`select count(*)::int as n from pg_inherits`;
    expect(await record([old, soon])).toEqual({ stored: 2, setAside: 0 });
    const before = await partitions();
    expect(await record([ahead, farAhead])).toEqual({ stored: 0, setAside: 2 });
    expect(await partitions()).toEqual(before);
    const [stored] = await db.sql`select tableoid::regclass::text as partition from calls where id = ${old.id}`;
    expect(stored).toEqual({ partition: "calls_p19691229" });
    const aside = await db.sql`select reason from set_aside where id in ${db.sql([ahead.id, farAhead.id])}`;
    expect(aside.map(({ reason }) => /a clock was wrong/.test(String(reason)))).toEqual([true, true]);
    const [run] = await db.sql`select accepted, stored, set_aside from spool_runs where spool = 'spool-clock'`;
    expect(run).toEqual({ accepted: 2, stored: 2, set_aside: 2 });
  });

  it("are dropped while somebody reads: given up, half detached, for the next try to finish", async () => {
    const at = Date.UTC(2024, 0, 1);
    await ensurePartitions(db.sql, at, at);
    const endMs = at + 7 * DAY_MS;
    const one = async () =>
      (await partitionsBefore(db.sql, "calls", endMs)).find(({ name }) => name.endsWith("20240101"));
    const end = await holding("select count(*) from calls");
    const attached = await one();
    if (!attached) throw new Error("no partition");
    await expect(dropPartition(db.sql, attached, 100)).rejects.toMatchObject({ code: "57014" });
    expect(await one()).toMatchObject({ state: "detaching" });
    await end();
    await dropPartition(db.sql, (await one()) as typeof attached);
    expect(await one()).toBeUndefined();
  });

  it("that a crash left detached are found", async () => {
    const at = Date.UTC(2024, 5, 3);
    await ensurePartitions(db.sql, at, at);
    await db.sql.unsafe("alter table payloads detach partition payloads_p20240603");
    const found = (await partitionsBefore(db.sql, "payloads", at + DAY_MS)).at(-1);
    expect(found).toMatchObject({ name: "payloads_p20240603", state: "detached" });
    await dropPartition(db.sql, found as NonNullable<typeof found>);
    expect(await names("payloads", at + DAY_MS)).not.toContain("payloads_p20240603 detached");
  });
});
