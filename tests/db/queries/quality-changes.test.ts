import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { CallFilter, Scope } from "#db/queries/call-filter.ts";
import { type Change, callsOnSide, changesInRange, ratingsAroundChanges } from "#db/queries/quality-changes.ts";
import { type TestDatabase, testDatabase } from "#tests/support/postgres.ts";
import { type RatedCall, seedRated } from "#tests/support/seed-rated.ts";

const NOW_MS = Date.parse("2026-05-31T00:00Z");

let db: TestDatabase;
beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db?.drop());
beforeEach(() => db.sql`truncate calls, usage_lines, feedback, ratings, ratings_sums, ratings_folded, changes`);

const scope = (from = "2026-05-01T00:00Z", to = "2026-06-01T00:00Z", filter: CallFilter = {}): Scope => ({
  project: "default",
  interval: { fromMs: Date.parse(from), toMs: Date.parse(to) },
  filter,
});
const change = (kind: string, subject: string, value: string, at: string) => db.sql`
  insert into changes values ('default', ${kind}, ${subject}, ${value}, gen_random_uuid(), ${at})`;
const bothSides = async ([change]: Change[], of = scope(), nearest = 100) =>
  Promise.all((["before", "after"] as const).map((side) => callsOnSide(db.sql, of, change as Change, side, nearest)));
const found = (of = scope()) => changesInRange(db.sql, of, NOW_MS, 10);

describe("changes", () => {
  it("are those of the range that are not their subject's first, newest first", async () => {
    await change("template_version", "reply", "1", "2026-05-02T00:00Z");
    await change("template_version", "reply", "2", "2026-05-10T00:00Z");
    await change("template_version", "reply", "3", "2026-05-20T00:00Z");
    await change("template_version", "other", "1", "2026-05-03T00:00Z");
    await change("snapshot", "gpt-4o", "gpt-4o-a", "2026-01-01T00:00Z");
    await change("snapshot", "gpt-4o", "gpt-4o-b", "2026-05-15T00:00Z");
    await change("snapshot", "gpt-4o", "gpt-4o-c", "2026-06-15T00:00Z");
    const changes = await found();
    expect(changes.map(({ subject, valueBefore, value }) => `${subject}: ${valueBefore} → ${value}`)).toEqual([
      "reply: 2 → 3",
      "gpt-4o: gpt-4o-a → gpt-4o-b",
      "reply: 1 → 2",
    ]);
    expect(
      changes.map(({ beforeFromMs, afterToMs }) => [beforeFromMs, afterToMs].map((ms) => new Date(ms).toISOString())),
    ).toEqual([
      ["2026-04-22T00:00:00.000Z", "2026-05-31T00:00:00.000Z"],
      ["2026-04-17T00:00:00.000Z", "2026-06-15T00:00:00.000Z"],
      ["2026-04-12T00:00:00.000Z", "2026-05-20T00:00:00.000Z"],
    ]);
    expect(await changesInRange(db.sql, scope(), NOW_MS, 1)).toHaveLength(2);
  });
});

describe("before and after a change", () => {
  const before: Partial<RatedCall> = { template: "reply", version: "1" };
  const after: Partial<RatedCall> = { template: "reply", version: "2" };
  const seed = async () => {
    await change("template_version", "reply", "1", "2026-04-01T00:00Z");
    await change("template_version", "reply", "2", "2026-05-10T00:00Z");
    await seedRated(db.sql, [
      // More than four weeks before.
      { at: "2026-04-11T23:59:59.999Z", ...before, ratings: "d", costUsd: "9", durationMs: 9 },
      { at: "2026-04-12T00:00:00.000Z", ...before, ratings: "u", costUsd: "0.1", durationMs: 100 },
      { at: "2026-05-09T23:59:59.999Z", ...before, ratings: "uud", costUsd: "0.3", durationMs: 300, feature: "mail" },
      { at: "2026-05-09T12:00:00.000Z", ...before, costUsd: null, durationMs: 200 },
      // Still the old version after the change: on neither side.
      { at: "2026-05-11T00:00:00.000Z", ...before, ratings: "d", costUsd: "9", durationMs: 9 },
      { at: "2026-05-10T00:00:00.000Z", ...after, ratings: "d", costUsd: "0.5", durationMs: 400, feature: "mail" },
      { at: "2026-05-11T00:00:00.000Z", ...after, ratings: "d", costUsd: "0.7", durationMs: 500 },
      { at: "2026-05-12T00:00:00.000Z", ...after, outcome: "failed", durationMs: 1 },
      { at: "2026-05-12T00:00:00.000Z", template: "other", version: "2", ratings: "u", costUsd: "9", durationMs: 9 },
    ]);
  };
  it("lie the calls of the subject's other values, and of its own", async () => {
    await seed();
    const changes = await found();
    expect(await ratingsAroundChanges(db.sql, scope(), changes)).toEqual([
      { change: 1, side: "after", up: 0, down: 2 },
      { change: 1, side: "before", up: 3, down: 1 },
    ]);
    const [earlier, later] = await bothSides(changes);
    expect(earlier).toMatchObject({ calls: 3, pricedCalls: 2, durationsMs: [100, 200, 300] });
    expect(Number(earlier?.costMean)).toBe(0.2);
    // ((0.1 - 0.2)² + (0.3 - 0.2)²) / 1
    expect(Number(earlier?.costVariance)).toBeCloseTo(0.02, 12);
    expect(later).toMatchObject({ calls: 3, pricedCalls: 2, durationsMs: [400, 500] });
    expect(Number(later?.costMean)).toBe(0.6);
  });
  it("only the nearest calls are measured where there are many", async () => {
    await seed();
    const [earlier, later] = await bothSides(await found(), scope(), 1);
    expect(earlier).toMatchObject({ calls: 1, durationsMs: [300], costVariance: null });
    expect(later).toMatchObject({ calls: 1, durationsMs: [400] });
  });
  it("the page's filter holds", async () => {
    await seed();
    const mail = scope(undefined, undefined, { feature: ["mail"] });
    const changes = await found(mail);
    expect(await ratingsAroundChanges(db.sql, mail, changes)).toEqual([
      { change: 1, side: "after", up: 0, down: 1 },
      { change: 1, side: "before", up: 2, down: 1 },
    ]);
    expect((await bothSides(changes, mail)).map(({ calls }) => calls)).toEqual([1, 1]);
  });
  it("a snapshot's sides are the answers to one name that was asked for", async () => {
    await change("snapshot", "gpt-4o", "gpt-4o-a", "2026-04-01T00:00Z");
    await change("snapshot", "gpt-4o", "gpt-4o-b", "2026-05-10T00:00Z");
    const asked = { requestModel: "gpt-4o" };
    await seedRated(db.sql, [
      { at: "2026-05-01T00:00Z", ...asked, model: "gpt-4o-a", ratings: "u" },
      // No answer named a model.
      { at: "2026-05-01T00:00Z", ...asked, ratings: "d" },
      { at: "2026-05-02T00:00Z", requestModel: "gpt-4o-a", model: "gpt-4o-a", ratings: "d" },
      { at: "2026-05-11T00:00Z", ...asked, model: "gpt-4o-b", ratings: "d" },
      { at: "2026-05-11T00:00Z", requestModel: "gpt-4o-b", model: "gpt-4o-b", ratings: "u" },
    ]);
    expect(await ratingsAroundChanges(db.sql, scope(), await found())).toEqual([
      { change: 1, side: "after", up: 0, down: 1 },
      { change: 1, side: "before", up: 1, down: 0 },
    ]);
    expect((await bothSides(await found())).map(({ calls }) => calls)).toEqual([1, 1]);
    const [nobody] = await bothSides(await found(), scope(undefined, undefined, { customer: ["none"] }));
    expect(nobody).toEqual({ calls: 0, pricedCalls: 0, costMean: null, costVariance: null, durationsMs: [] });
  });
  it("nothing is asked where nothing changed", async () => {
    expect(await ratingsAroundChanges(db.sql, scope(), [])).toEqual([]);
  });
});
