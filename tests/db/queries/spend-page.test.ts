import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { foldDays } from "#db/fold-days.ts";
import type { CallFilter, Scope } from "#db/queries/call-filter.ts";
import { snapshot } from "#db/queries/snapshot.ts";
import {
  closedMonths,
  SPEND_GROUPINGS,
  type SpendGrouping,
  type SpendOfGroupInSlot,
  spendBySlotAndGroup,
  spendOf,
  spendOptions,
  unpricedModels,
} from "#db/queries/spend-page.ts";
import { type SpendSums, TOKEN_KINDS } from "#db/queries/spend-sums.ts";
import { OUTCOMES } from "#lib/call.ts";
import { MODALITIES } from "#lib/modalities.ts";
import { addMoney } from "#lib/money.ts";
import { cutIntoBuckets, type Interval, parseRange, resolveRange } from "#lib/range.ts";
import { type Booked, seedBooked, UNKNOWN_MODEL } from "#tests/support/booked-calls.ts";
import { type TestDatabase, testDatabase } from "#tests/support/postgres.ts";

const DAY_MS = 86_400_000;
const LIMITS = { rows: 200, series: 6 };

let db: TestDatabase;
let booked: Booked[];

beforeAll(async () => {
  db = await testDatabase();
  booked = await seedBooked(db.sql);
  // Whole UTC days are read from their folded rows, the others from quarters of an hour: the sums must not show it.
  const days = await foldDays(db.sql, Date.now());
  expect(days).toBeGreaterThan(60);
}, 60_000);
afterAll(() => db?.drop());

const zones = ["UTC", "Asia/Kolkata", "America/New_York", "Pacific/Chatham"] as const;
const ranges = [
  "2026-02",
  "2026-03",
  // Clocks change on 8 March and on 1 November in New York.
  "2026-03-07..2026-03-10",
  "2026-10-31..2026-11-03",
  "2026-03-08T10:07:11.123Z..2026-03-08T10:09:00Z",
  "2026-02-27T03:33:33Z..2026-03-19T22:22:22.222Z",
];
const filters: Record<string, CallFilter> = {
  everything: {},
  "one feature": { feature: ["=1+1"] },
  "a customer or none given": { customer: ["acme", ""] },
  "a template's version": { template: ["support"], templateVersion: ["2", ""] },
  "an unknown model, in production": { model: [UNKNOWN_MODEL], environment: ["production"] },
  "what only calls know": { outcome: ["completed"] },
};

describe.each(zones)("in %s", (zone) => {
  describe.each(ranges)("%s", (range) => {
    const interval = intervalOf(range, zone);
    const edges = cutIntoBuckets(interval, zone, Number.POSITIVE_INFINITY, DAY_MS).edges;
    it.each(Object.keys(filters))("days, groups, token kinds and export are one sum: %s", async (name) => {
      const grouping = SPEND_GROUPINGS[Object.keys(filters).indexOf(name) % SPEND_GROUPINGS.length] as SpendGrouping;
      const scope = scopeOf(interval, filters[name]);
      const expected = bookedIn(scope);
      const { total, groups, rest, slots } = await spendOf(db.sql, scope, grouping, edges, { rows: 3, series: 2 });
      expect(total).toMatchObject(expected);
      const parts = rest ? [...groups, rest] : groups;
      expect(parts.map(whole).reduce(add, ZERO)).toEqual(whole(total));
      expect(moneyOf(slots)).toBe(total.costUsd);
      expect(slots.reduce((sum, { calls }) => sum + calls, 0)).toBe(total.calls);
      expect(slots.every(({ slot, rank }) => slot >= 1 && slot < edges.length && rank >= 1 && rank <= 3)).toBe(true);
      expect(cellsOf(total)).toBe(total.costUsd);
      const rows = await allRows(scope, grouping, edges);
      expect(rows.map(whole).reduce(add, ZERO)).toEqual(whole(total));
    });
  });
});

describe("each day of a zone", () => {
  it.each(zones)("in %s is what was booked between its midnights", async (zone) => {
    for (const month of ["2026-03", "2026-11"]) {
      const interval = intervalOf(month, zone);
      const { edges } = cutIntoBuckets(interval, zone, Number.POSITIVE_INFINITY, DAY_MS);
      const { slots } = await spendOf(db.sql, scopeOf(interval), "feature", edges, LIMITS);
      for (const [i, from] of edges.slice(0, -1).entries()) {
        const day = bookedIn(scopeOf({ fromMs: from, toMs: edges[i + 1] as number }));
        expect(moneyOf(slots.filter(({ slot }) => slot === i + 1))).toBe(day.costUsd);
      }
    }
  });
  it("is 23 and 25 hours long when clocks change", () => {
    const hours = (from: string, to: string) => {
      const { fromMs, toMs } = intervalOf(`${from}..${to}`, "America/New_York");
      return (toMs - fromMs) / 3_600_000;
    };
    expect([hours("2026-03-08", "2026-03-09"), hours("2026-11-01", "2026-11-02")]).toEqual([23, 25]);
  });
});

describe("a group", () => {
  it.each(SPEND_GROUPINGS)("by %s, drilled into, is its row", async (grouping) => {
    const march = intervalOf("2026-03", "America/New_York");
    const { groups } = await spendOf(db.sql, scopeOf(march), grouping, [march.fromMs, march.toMs], LIMITS);
    expect(groups.length).toBeGreaterThan(1);
    for (const { name, version, ...row } of groups) {
      const filter = filterOf(grouping, name, version);
      const { total } = await spendOf(db.sql, scopeOf(march, filter), "model", [march.fromMs, march.toMs], LIMITS);
      expect(total).toEqual(row);
    }
  });
  it("stands in the order of cost", async () => {
    const interval = intervalOf("2026-03", "UTC");
    const { groups } = await spendOf(db.sql, scopeOf(interval), "customer", [interval.fromMs, interval.toMs], LIMITS);
    const costs = groups.map(({ costUsd }) => Number(costUsd));
    expect(costs).toEqual([...costs].sort((a, b) => b - a));
  });
});

describe("the rollup and the calls", () => {
  it.each(SPEND_GROUPINGS)("give the same by %s", async (grouping) => {
    for (const range of ["2026-02", "2026-03", "2026-11"]) {
      const interval = intervalOf(range, "Pacific/Chatham");
      const { edges } = cutIntoBuckets(interval, "Pacific/Chatham", Number.POSITIVE_INFINITY, DAY_MS);
      const rolledUp = await spendOf(db.sql, scopeOf(interval), grouping, edges, LIMITS);
      const oneByOne = await spendOf(db.sql, scopeOf(interval, { outcome: OUTCOMES }), grouping, edges, LIMITS);
      expect([rolledUp.from, oneByOne.from]).toEqual(["rollup", "calls"]);
      expect({ ...oneByOne, from: "rollup" }).toEqual(rolledUp);
    }
  });
});

describe("what is allocated", () => {
  it("has feature, customer and template; the rest is the difference", async () => {
    const interval = intervalOf("2026-03", "UTC");
    const { total } = await spendOf(db.sql, scopeOf(interval), "feature", [interval.fromMs, interval.toMs], LIMITS);
    const given = inScope(scopeOf(interval)).filter(({ call }) => call.feature && call.customer && call.template);
    expect(total.callsAllocated).toBe(given.reduce((sum, { calls }) => sum + calls, 0));
    expect(total.costAllocatedUsd).toBe(given.reduce((sum, { costUsd }) => addMoney(sum, costUsd), "0"));
    expect(total.callsAllocated).toBeLessThan(total.calls);
  });
});

describe("what has no price", () => {
  it("is listed by model", async () => {
    const interval = intervalOf("2026-03-02..2026-03-24", "UTC");
    const models = await unpricedModels(db.sql, scopeOf(interval), 5);
    expect(models[0]?.model).toBe(UNKNOWN_MODEL);
    expect(models.length).toBeGreaterThan(1);
    for (const { model, calls } of models)
      expect(calls).toBe(bookedIn(scopeOf(interval, { model: [model] })).callsUnpriced);
  });
});

describe("options", () => {
  it("count what choosing them shows, and sum what is beyond the limit", async () => {
    const interval = intervalOf("2026-03", "UTC");
    const { options, restCalls } = await spendOptions(db.sql, scopeOf(interval), "customer", 2);
    expect(options).toHaveLength(2);
    const expected = (filter: CallFilter) => bookedIn(scopeOf(interval, filter)).calls;
    for (const { value, calls } of options) expect(calls).toBe(expected({ customer: [value] }));
    expect(options.reduce((sum, { calls }) => sum + calls, restCalls)).toBe(expected({}));
  });
});

describe("closed months", () => {
  it("are those that the range touches, in UTC, with what they came to", async () => {
    const closed = (range: string, zone: string) => closedMonths(db.sql, "default", intervalOf(range, zone));
    const { fromMs, toMs } = intervalOf("2026-02", "UTC");
    const { total } = await spendOf(db.sql, scopeOf({ fromMs, toMs }), "model", [fromMs, toMs], LIMITS);
    const [month] = await closed("2026-02", "UTC");
    expect(month).toMatchObject({ month: "2026-02-01", closedBy: "A. Ito" });
    expect(addMoney(month?.report?.costUsd ?? "", month?.report?.costEstimatedUsd ?? "")).toBe(total.costUsd);
    expect(await closed("2026-03", "UTC")).toEqual([]);
    // March begins earlier there.
    expect(await closed("2026-03", "Asia/Kolkata")).toHaveLength(1);
  });
});

/** Everything that an export holds. */
const allRows = (scope: Scope, grouping: SpendGrouping, edges: readonly number[]) =>
  snapshot(db.sql, async (tx) => {
    const rows: SpendOfGroupInSlot[] = [];
    for await (const some of spendBySlotAndGroup(tx, scope, grouping, edges)) rows.push(...some);
    return rows;
  });

// What is expected.

const FIELDS = {
  feature: "feature",
  customer: "customer",
  template: "template",
  templateVersion: "templateVersion",
  model: "model",
  environment: "environment",
  outcome: "outcome",
} as const;

const inScope = ({ interval, filter }: Scope): Booked[] =>
  booked.filter(
    ({ ms, call }) =>
      ms >= interval.fromMs &&
      ms < interval.toMs &&
      Object.entries(filter).every(([name, values]) =>
        values.some((value: string) => value === (call[FIELDS[name as keyof typeof FIELDS]] ?? "")),
      ),
  );

function bookedIn(scope: Scope): Pick<SpendSums, "calls" | "callsUnpriced" | "costUsd" | "costEstimatedUsd"> {
  const parts = inScope(scope);
  return {
    calls: parts.reduce((sum, { calls }) => sum + calls, 0),
    callsUnpriced: parts.reduce((sum, { unpriced }) => sum + unpriced, 0),
    costUsd: parts.reduce((sum, { costUsd }) => addMoney(sum, costUsd), "0"),
    costEstimatedUsd: parts.reduce((sum, { estimatedUsd }) => addMoney(sum, estimatedUsd), "0"),
  };
}

function intervalOf(range: string, zone: string): Interval {
  const parsed = parseRange(range);
  return (parsed && resolveRange(parsed, zone, 0)) as Interval;
}

const scopeOf = (interval: Interval, filter: CallFilter = {}): Scope => ({ project: "default", interval, filter });

const filterOf = (grouping: SpendGrouping, name: string, version: string): CallFilter =>
  grouping === "version" ? { template: [name], templateVersion: [version] } : { [grouping]: [name] };

const moneyOf = (parts: readonly { costUsd: string }[]) =>
  parts.reduce((sum, { costUsd }) => addMoney(sum, costUsd), "0");

const cellsOf = ({ cells }: SpendSums) =>
  MODALITIES.flatMap(({ name }) => TOKEN_KINDS.map((kind) => cells[name][kind].usd)).reduce(addMoney, "0");

/** Every sum that must hold, one after another. */
const whole = ({ cells, ...sums }: SpendSums): (string | number)[] => [
  sums.calls,
  sums.callsFailed,
  sums.callsUnpriced,
  sums.callsWithoutUsage,
  sums.callsAllocated,
  sums.tokensEstimated,
  sums.costUsd,
  sums.costEstimatedUsd,
  sums.costAllocatedUsd,
  sums.savedUsd,
  ...MODALITIES.flatMap(({ name }) => TOKEN_KINDS.flatMap((kind) => [cells[name][kind].tokens, cells[name][kind].usd])),
];
const ZERO: (string | number)[] = [
  ...Array<number>(6).fill(0),
  ...Array<string>(4).fill("0"),
  ...Array(9).fill([0, "0"]).flat(),
];
const add = (a: (string | number)[], b: (string | number)[]) =>
  a.map((value, i) => (typeof value === "number" ? value + Number(b[i]) : addMoney(value, String(b[i]))));
