import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { CallFilter, Scope } from "#db/queries/call-filter.ts";
import {
  instructionsOf,
  lastChangesOf,
  TEMPLATE_SORTS,
  type TemplateSort,
  type TemplateSums,
  templatesOfPage,
} from "#db/queries/templates-page.ts";
import { recordChanges } from "#db/record-changes.ts";
import { createUuid7 } from "#lib/uuid7.ts";
import { type TestDatabase, testDatabase } from "#tests/support/postgres.ts";
import { type SpentCall, seedSpent } from "#tests/support/seed-spent.ts";
import { seeded } from "#tests/support/split.ts";

let db: TestDatabase;
beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db?.drop());
beforeEach(() => db.sql`truncate calls, usage_lines, rollup_calls, rollup_spend, changes, instructions`);

const may = (filter: CallFilter = {}): Scope => ({
  project: "default",
  interval: { fromMs: Date.parse("2026-05-01T00:00Z"), toMs: Date.parse("2026-06-01T00:00Z") },
  filter,
});
const page = (sort: TemplateSort = "cost", limit = 200, versionLimit = 20, scope = may()) =>
  templatesOfPage(db.sql, scope, sort, limit, versionLimit);
const AT = "2026-05-04T10:00:00.000Z";

describe("a declared template", () => {
  it("is one row with the sums of its calls, and its versions below it", async () => {
    await seedSpent(db.sql, [
      { at: AT, template: "reply", version: "1", tokens: [100, 0, 10], costUsd: "0.5" },
      { at: AT, template: "reply", version: "2", tokens: [200, 50, 20], costUsd: "1.25" },
      { at: AT, template: "reply", version: "2", tokens: [0, 0, 30], costUsd: "0.25", outcome: "failed" },
      // In no sum of this month.
      { at: "2026-06-01T00:00:00.000Z", template: "reply", version: "3", tokens: [1, 1, 1], costUsd: "9" },
    ]);
    const { rows, versions, rest, total } = await page();
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({
      template: "reply",
      calls: 3,
      callsFailed: 1,
      callsUnpriced: 0,
      costUsd: "2",
      costEstimatedUsd: "0",
      inputTokens: 300,
      cachedTokens: 50,
      outputTokens: 60,
      costShare: 1,
      tokenShare: 1,
    });
    // 2 USD for three calls.
    expect(Number(rows[0]?.costPerThousandUsd)).toBeCloseTo(666.666666, 4);
    expect(versions.map(({ version, calls, costUsd }) => [version, calls, costUsd])).toEqual([
      ["2", 2, "1.5"],
      ["1", 1, "0.5"],
    ]);
    expect(rest).toBeNull();
    expect(total).toMatchObject({ calls: 3, costUsd: "2" });
  });
  it("has versions that were given and calls without one apart", async () => {
    await seedSpent(db.sql, [
      { at: AT, template: "reply", version: "1", tokens: [0, 0, 1], costUsd: "1" },
      { at: AT, template: "reply", tokens: [0, 0, 1], costUsd: "2" },
    ]);
    const { versions } = await page();
    expect(versions.map(({ version, members }) => [version, members])).toEqual([
      ["", 1],
      ["1", 1],
    ]);
  });
});

describe("calls without a template", () => {
  it("are one row for each hash of instructions, and one for those without any", async () => {
    await seedSpent(db.sql, [
      { at: AT, unit: "aaaa", tokens: [0, 0, 5], costUsd: "3" },
      { at: AT, unit: "aaaa", tokens: [0, 0, 5], costUsd: "3" },
      { at: AT, unit: "bbbb", tokens: [0, 0, 5], costUsd: "2" },
      { at: AT, tokens: [0, 0, 5], costUsd: "1" },
      // A template's hash is not looked at.
      { at: AT, template: "reply", unit: "aaaa", tokens: [0, 0, 5], costUsd: "9" },
    ]);
    const { rows, unlabelled, named, versions } = await page();
    expect(rows.map(({ template, unitHash, calls }) => [template, unitHash, calls])).toEqual([
      ["reply", "", 1],
      ["", "aaaa", 2],
      ["", "bbbb", 1],
      ["", "", 1],
    ]);
    expect(unlabelled).toMatchObject({ calls: 4, costUsd: "9" });
    // "reply" and two hashes; what has no instructions is no template.
    expect(named.members).toBe(3);
    expect(versions.map(({ template }) => template)).toEqual(["reply"]);
  });
});

describe("unknown is not zero", () => {
  it("unpriced calls, calls without usage and estimates stand apart", async () => {
    await seedSpent(db.sql, [
      { at: AT, template: "a", tokens: [10, 0, 10], costUsd: null },
      { at: AT, template: "a", tokens: [10, 0, 10], costUsd: "1", source: "estimated" },
      { at: AT, template: "a" },
    ]);
    const { rows } = await page();
    expect(rows[0]).toMatchObject({
      calls: 3,
      callsUnpriced: 1,
      callsWithoutUsage: 1,
      costUsd: "1",
      costEstimatedUsd: "1",
      tokensEstimated: 20,
      inputTokens: 20,
    });
  });
  it("nothing has no share and no price", async () => {
    const { total, rows, rest, named } = await page();
    expect(total).toMatchObject({
      calls: 0,
      costUsd: "0",
      costShare: null,
      tokenShare: null,
      costPerThousandUsd: null,
    });
    expect([rows, rest, named.members]).toEqual([[], null, 0]);
  });
});

describe("the top tenth", () => {
  it("of twelve templates are two, of one is one, by tokens and by cost apart", async () => {
    // Template i uses i tokens and costs 13 - i: 1 + 2 + … + 12 = 78 of each.
    const calls = Array.from(
      { length: 12 },
      (_, i): SpentCall => ({ at: AT, template: `t${i + 1}`, tokens: [0, 0, i + 1], costUsd: String(12 - i) }),
    );
    await seedSpent(db.sql, calls);
    const { topByTokens, topByCost, named } = await page();
    expect(named.members).toBe(12);
    expect(topByTokens).toMatchObject({ members: 2, outputTokens: 23 });
    expect(topByTokens.tokenShare).toBeCloseTo(23 / 78, 12);
    expect(topByCost).toMatchObject({ members: 2, costUsd: "23" });
    expect(topByCost.costShare).toBeCloseTo(23 / 78, 12);

    const one = await page("cost", 200, 20, may({ template: ["t12"] }));
    expect(one.topByTokens).toMatchObject({ members: 1, outputTokens: 12, tokenShare: 1 });
  });
  it("is a share of everything, also of calls without instructions", async () => {
    await seedSpent(db.sql, [
      { at: AT, template: "a", tokens: [0, 0, 25], costUsd: "1" },
      { at: AT, tokens: [0, 0, 75], costUsd: "3" },
    ]);
    const { topByTokens, topByCost } = await page();
    expect([topByTokens.tokenShare, topByCost.costShare]).toEqual([0.25, 0.25]);
  });
});

describe("order and limits", () => {
  it("sorts by cost, tokens or calls", async () => {
    await seedSpent(db.sql, [
      { at: AT, template: "dear", tokens: [0, 0, 1], costUsd: "9" },
      { at: AT, template: "wordy", tokens: [0, 0, 900], costUsd: "1" },
      ...Array.from({ length: 3 }, (): SpentCall => ({ at: AT, template: "busy", tokens: [0, 0, 1], costUsd: "0.1" })),
    ]);
    const first = async (sort: TemplateSort) => (await page(sort)).rows[0]?.template;
    expect(await Promise.all(TEMPLATE_SORTS.map(first))).toEqual(["dear", "wordy", "busy"]);
  });
  it("what is beyond them is in one row", async () => {
    await seedSpent(db.sql, [
      ...["4", "3", "2", "1"].map(
        (cost): SpentCall => ({ at: AT, template: `t${cost}`, tokens: [0, 0, 1], costUsd: cost }),
      ),
      ...["6", "5", "4"].map(
        (cost): SpentCall => ({ at: AT, template: "many", version: cost, tokens: [0, 0, 1], costUsd: cost }),
      ),
    ]);
    const { rows, rest, versions } = await page("cost", 2, 1);
    expect(rows.map(({ template }) => template)).toEqual(["many", "t4"]);
    expect(rest).toMatchObject({ members: 3, costUsd: "6", calls: 3 });
    expect(versions.map(({ template, version, members, costUsd }) => [template, version, members, costUsd])).toEqual([
      ["many", "6", 1, "6"],
      ["many", "", 2, "9"],
      ["t4", "", 1, "4"],
    ]);
  });
});

describe("tile = rows = versions", () => {
  it("to the last digit, from rollups and from calls, for any calls", async () => {
    const random = seeded(7);
    const pick = <T>(values: readonly T[]) => values[Math.floor(random() * values.length)] as T;
    const calls = Array.from({ length: 300 }, (): SpentCall => {
      const template = pick([undefined, undefined, "a", "b", "c d; e:f"]);
      return {
        at: new Date(Date.parse("2026-05-10T00:00Z") + Math.floor(random() * 86_400_000)).toISOString(),
        template,
        version: template && pick([undefined, "1", "2", "3"]),
        unit: pick([undefined, "u1", "u2"]),
        feature: pick([undefined, "x", "y"]),
        outcome: pick(["completed", "completed", "failed"]),
        source: pick(["reported", "estimated"] as const),
        tokens: pick([undefined, [1, 2, 3], [100, 0, 7]] as const),
        costUsd: pick([null, "0.000000000001", "0.1", "12.345678901234"]),
      };
    });
    await seedSpent(db.sql, calls);
    // Outcome is an attribute that no rollup of money keeps; the second interval has ragged ends.
    const ragged = { fromMs: Date.parse("2026-05-10T03:07:11Z"), toMs: Date.parse("2026-05-10T19:59:59.999Z") };
    const scopes = [may(), may({ feature: ["x"] }), may({ outcome: ["completed"] }), { ...may(), interval: ragged }];
    for (const scope of scopes)
      for (const limit of [2, 200]) {
        const { rows, rest, total, versions } = await page("tokens", limit, 2, scope);
        const all = rest ? [...rows, rest] : rows;
        expect(addUp(all)).toEqual(addUp([total]));
        for (const row of rows.filter(({ template }) => template))
          expect(addUp(versions.filter(({ template }) => template === row.template))).toEqual(addUp([row]));
        const [truth] = await db.sql`
          select count(*)::int as calls from calls
          where started_at >= ${new Date(scope.interval.fromMs)} and started_at < ${new Date(scope.interval.toMs)}
            ${scope.filter.feature ? db.sql`and feature = 'x'` : db.sql``}
            ${scope.filter.outcome ? db.sql`and outcome = 'completed'` : db.sql``}`;
        expect(total.calls).toBe(truth?.calls);
      }
  });
});

describe("what names and dates a row", () => {
  it("the newest version is a change, a template's only one is none", async () => {
    await seedSpent(db.sql, [
      { at: "2026-05-01T00:00:00.000Z", template: "a", version: "1" },
      { at: "2026-05-03T00:00:00.000Z", template: "a", version: "3" },
      { at: "2026-05-02T00:00:00.000Z", template: "a", version: "2" },
      { at: "2026-05-02T00:00:00.000Z", template: "b", version: "1" },
    ]);
    await db.sql.unsafe(recordChanges("true"));
    const changes = await lastChangesOf(db.sql, "default", ["a", "b", "c"]);
    expect([...changes]).toEqual([["a", { version: "3", at: new Date("2026-05-03T00:00:00Z") }]]);
    expect(await lastChangesOf(db.sql, "default", [])).toEqual(new Map());
    expect(await lastChangesOf(db.sql, "another", ["a"])).toEqual(new Map());
  });
  it("words are found by their hash, in the project", async () => {
    const row = { project_id: "default", unit_hash: "aaaa", sealed: Buffer.from("x"), first_call_id: createUuid7()() };
    await db.sql`insert into instructions ${db.sql(row)}`;
    expect(await instructionsOf(db.sql, "default", ["aaaa", "bbbb"])).toEqual(new Map([["aaaa", Buffer.from("x")]]));
    expect(await instructionsOf(db.sql, "another", ["aaaa"])).toEqual(new Map());
    expect(await instructionsOf(db.sql, "default", [])).toEqual(new Map());
  });
});

const ADDED = [
  "calls",
  "callsFailed",
  "callsUnpriced",
  "callsWithoutUsage",
  "costUsd",
  "costEstimatedUsd",
  "inputTokens",
  "cachedTokens",
  "outputTokens",
  "tokensEstimated",
] as const;

/** Exact: amounts have at most 12 decimals here. */
const addUp = (rows: readonly TemplateSums[]) =>
  ADDED.map((name) =>
    rows.reduce((sum, row) => {
      const [whole = "", fraction = ""] = String(row[name]).split(".");
      return sum + BigInt(whole + fraction.padEnd(12, "0"));
    }, 0n),
  );
