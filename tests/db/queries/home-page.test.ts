import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { lossesSince, modelsIn, newestUnpricedQuarter, spentIn } from "#db/queries/home-page.ts";
import { createUuid7 } from "#lib/uuid7.ts";
import { type TestDatabase, testDatabase } from "#tests/support/postgres.ts";
import { type SpentCall, seedSpent } from "#tests/support/seed-spent.ts";

let db: TestDatabase;
beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db?.drop());
beforeEach(
  () => db.sql`truncate calls, usage_lines, rollup_calls, rollup_latency, rollup_spend, spool_runs, set_aside`,
);

const between = (from: string, to: string) => ({ fromMs: Date.parse(from), toMs: Date.parse(to) });
const DAY = between("2026-05-04T00:00Z", "2026-05-05T00:00Z");
const AT = "2026-05-04T10:00:00.000Z";

describe("what was spent", () => {
  it("on a day is that of its calls, from the first millisecond to the last", async () => {
    await seedSpent(db.sql, [
      { at: "2026-05-03T23:59:59.999Z", tokens: [0, 0, 1], costUsd: "100" },
      { at: "2026-05-04T00:00:00.000Z", tokens: [0, 0, 1], costUsd: "0.000000000001" },
      { at: "2026-05-04T23:59:59.999Z", tokens: [0, 0, 1], costUsd: "2" },
      { at: "2026-05-05T00:00:00.000Z", tokens: [0, 0, 1], costUsd: "100" },
      { at: AT, tokens: [0, 0, 1], costUsd: "0.5", source: "estimated" },
      { at: AT, tokens: [0, 0, 1], costUsd: null },
    ]);
    expect(await spentIn(db.sql, "default", DAY)).toMatchObject({
      calls: 4,
      callsUnpriced: 1,
      costUsd: "2.500000000001",
      costEstimatedUsd: "0.5",
    });
  });
  it("is unallocated when a feature, a customer or a template is missing, and counted once", async () => {
    const all = { feature: "f", customer: "c", template: "t" };
    await seedSpent(db.sql, [
      { at: AT, ...all, tokens: [0, 0, 1], costUsd: "6" },
      { at: AT, ...all, feature: undefined, tokens: [0, 0, 1], costUsd: "1" },
      { at: AT, ...all, customer: undefined, template: undefined, tokens: [0, 0, 1], costUsd: "1" },
    ]);
    expect(await spentIn(db.sql, "default", DAY)).toMatchObject({
      unallocatedUsd: "2",
      unallocatedShare: 0.25,
      withoutUsd: { feature: "1", customer: "1", template: "1" },
    });
  });
  it("in a time without calls is nothing, and has no share", async () => {
    expect(await spentIn(db.sql, "default", DAY)).toEqual({
      calls: 0,
      callsUnpriced: 0,
      callsWithoutUsage: 0,
      costUsd: "0",
      costEstimatedUsd: "0",
      unallocatedUsd: "0",
      unallocatedShare: null,
      withoutUsd: { feature: "0", customer: "0", template: "0" },
    });
  });
});

describe("models", () => {
  it("with unpriced calls come first, with the newest quarter that holds one", async () => {
    await seedSpent(db.sql, [
      { at: "2026-05-04T09:01:00.000Z", model: "new", tokens: [0, 0, 1], costUsd: null },
      { at: "2026-05-04T10:31:00.000Z", model: "new", tokens: [0, 0, 1], costUsd: null },
      { at: "2026-05-04T11:31:00.000Z", model: "new", tokens: [0, 0, 1], costUsd: "1" },
      ...Array.from({ length: 5 }, (): SpentCall => ({ at: AT, model: "known", tokens: [0, 0, 1], costUsd: "1" })),
    ]);
    const models = await modelsIn(db.sql, "default", DAY, 10);
    expect(models).toEqual([
      { model: "new", calls: 3, callsUnpriced: 2 },
      { model: "known", calls: 5, callsUnpriced: 0 },
    ]);
    expect(await modelsIn(db.sql, "default", DAY, 1)).toHaveLength(1);
    const quarter = Date.parse("2026-05-04T10:30:00Z");
    expect(await newestUnpricedQuarter(db.sql, "default", DAY)).toBe(quarter);
    expect(await newestUnpricedQuarter(db.sql, "default", { ...DAY, fromMs: quarter + 1 })).toBeNull();
  });
});

describe("losses", () => {
  const life = (run: string, dropped: object, seen: string, updated: string) => db.sql`
    insert into spool_runs values
      ('s', ${run}, 9, 9, 9, 0, ${JSON.stringify(dropped)}::text::jsonb, 0, ${seen}::timestamptz, ${updated}::timestamptz)`;
  it("are drops of the lives heard of since, by reason, and all that is set aside", async () => {
    await life("1", { spool_full: 3, torn: 0 }, "2026-05-01T00:00Z", "2026-05-04T00:00Z");
    await life("2", { spool_full: 1, queue_full: 7 }, "2026-05-02T00:00Z", "2026-05-04T00:00Z");
    await life("3", {}, "2026-04-30T00:00Z", "2026-05-04T00:00Z");
    await life("4", { spool_full: 50 }, "2026-04-01T00:00Z", "2026-05-03T23:59Z");
    await db.sql`
      insert into set_aside values (${createUuid7()()}, 's', '1', 1, 'refused', ${Buffer.from("x")}, '2026-03-01T00:00Z')`;
    expect(await lossesSince(db.sql, DAY.fromMs)).toEqual({
      dropped: { queue_full: 7, spool_full: 4 },
      droppedSince: new Date("2026-05-01T00:00Z"),
      setAside: 1,
      setAsideSince: new Date("2026-03-01T00:00Z"),
    });
  });
  it("are none when nothing was lost", async () => {
    expect(await lossesSince(db.sql, 0)).toEqual({ dropped: {}, droppedSince: null, setAside: 0, setAsideSince: null });
  });
});
