import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { CallFilter, Scope } from "#db/queries/call-filter.ts";
import { callsOfPage } from "#db/queries/calls-page.ts";
import { spendTotal } from "#db/queries/spend-source.ts";
import { costOfBegun, type WasteSums, wasteIn } from "#db/queries/waste.ts";
import { OUTCOMES } from "#lib/call.ts";
import { addMoney } from "#lib/money.ts";
import { OPERATION_MS, WASTES, type Waste, wasteOf } from "#lib/waste.ts";
import { type TestDatabase, testDatabase } from "#tests/support/postgres.ts";
import { type SpentCall, seedSpent } from "#tests/support/seed-spent.ts";
import { seeded } from "#tests/support/split.ts";

let db: TestDatabase;
beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db?.drop());
beforeEach(() => db.sql`truncate calls, usage_lines, rollup_calls, rollup_latency, rollup_spend, settings`);

const FROM_MS = Date.parse("2026-05-04T10:00:00Z");
const at = (seconds: number) => new Date(FROM_MS + seconds * 1000).toISOString();
const HOUR = { fromMs: FROM_MS, toMs: FROM_MS + 3_600_000 };
const scope = (over: Partial<Scope> = {}): Scope => ({ project: "default", interval: HOUR, filter: {}, ...over });
const paid = (usd: string) => ({ tokens: [0, 0, 1] as const, costUsd: usd });
const NOTHING = { calls: 0, callsWithoutUsage: 0, callsUnpriced: 0, costUsd: "0", costEstimatedUsd: "0" };
const partsOf = async (of = scope()) => (await wasteIn(db.sql, of)).parts;

describe("waste", () => {
  it("is what aborted, what failed, and what a later attempt made again, each call once", async () => {
    await seedSpent(db.sql, [
      { at: at(0), outcome: "failed" },
      { at: at(1), attemptOf: 0, attempt: 1, ...paid("0.5") },
      { at: at(2), outcome: "client_aborted", source: "estimated", ...paid("0.25") },
      { at: at(3), outcome: "truncated", source: "estimated", ...paid("0.000000000001") },
      { at: at(4), outcome: "interrupted", ...paid("0.0625") },
      { at: at(5), ...paid("1") },
      { at: at(6), attemptOf: 5, attempt: 1, ...paid("2") },
      { at: at(7), attemptOf: 5, attempt: 2, ...paid("4") },
      { at: at(8), attemptOf: 5, attempt: 3, outcome: "client_aborted", ...paid("8") },
    ]);
    const { parts, dearest } = await wasteIn(db.sql, scope());
    expect(parts).toEqual({
      aborted: { ...NOTHING, calls: 2, costUsd: "8.25", costEstimatedUsd: "0.25" },
      retried: {
        ...NOTHING,
        calls: 3,
        callsWithoutUsage: 1,
        costUsd: "0.062500000001",
        costEstimatedUsd: "0.000000000001",
      },
      superseded: { ...NOTHING, calls: 2, costUsd: "3" },
    });
    expect(dearest).toEqual({ part: "aborted", outcome: "client_aborted", feature: "", costUsd: "8.25" });
  });

  it("is not made of two first attempts under one name, nor of attempts more than an hour apart, nor of other projects' calls", async () => {
    await seedSpent(db.sql, [
      { at: at(0), ...paid("1") },
      { at: at(1), attemptOf: 0, ...paid("1") },
      { at: at(2), ...paid("1") },
      { at: at(2 + OPERATION_MS / 1000), attemptOf: 2, attempt: 1, ...paid("1") },
      { at: at(3), ...paid("1") },
      { at: at(4), project: "other", attemptOf: 4, attempt: 0, ...paid("1") },
      { at: at(5), project: "other", attemptOf: 4, attempt: 1, ...paid("1") },
      { at: at(6), project: "other", attemptOf: 3, attempt: 1, ...paid("1") },
      { at: at(7), project: "other", outcome: "client_aborted", ...paid("1") },
    ]);
    expect(await partsOf()).toEqual({ aborted: NOTHING, retried: NOTHING, superseded: NOTHING });
    expect(await partsOf(scope({ project: "other" }))).toMatchObject({
      aborted: { calls: 1, costUsd: "1" },
      superseded: { calls: 1, costUsd: "1" },
    });
  });

  it("counts a call in the range in which it began, whenever the attempt after it did, in that order or not", async () => {
    const last = { fromMs: HOUR.fromMs, toMs: FROM_MS + 10_000 };
    await seedSpent(db.sql, [
      { at: at(9.999), ...paid("1") },
      { at: at(OPERATION_MS / 1000 + 9.998), attemptOf: 0, attempt: 1, ...paid("2") },
      { at: at(-1), attemptOf: 3, attempt: 1, ...paid("4") },
      { at: at(1), ...paid("8") },
    ]);
    expect((await partsOf(scope({ interval: last }))).superseded).toMatchObject({ calls: 2, costUsd: "9" });
    expect((await partsOf(scope({ interval: { fromMs: last.toMs, toMs: HOUR.toMs } }))).superseded).toMatchObject(
      NOTHING,
    );
  });

  it("says how many calls have no price", async () => {
    await seedSpent(db.sql, [
      { at: at(0), outcome: "client_aborted", tokens: [0, 0, 1], costUsd: null },
      { at: at(1), outcome: "client_aborted", ...paid("1") },
      { at: at(2), tokens: [0, 0, 1], costUsd: null },
      { at: at(3), attemptOf: 2, attempt: 1, ...paid("1") },
    ]);
    const expected = {
      aborted: { ...NOTHING, calls: 2, callsUnpriced: 1, costUsd: "1" },
      retried: NOTHING,
      superseded: { ...NOTHING, calls: 1, callsUnpriced: 1 },
    };
    expect(await partsOf()).toEqual(expected);
    // The first from calls, the second from the sums of a quarter of an hour and the calls after it.
    expect(await partsOf(scope({ filter: { customer: [""] } }))).toEqual(expected);
    expect(await partsOf(scope({ interval: { fromMs: HOUR.fromMs, toMs: HOUR.toMs - 1 } }))).toEqual(expected);
    await db.sql`truncate usage_lines`;
    expect(await partsOf()).toMatchObject({ aborted: { callsUnpriced: 1 }, superseded: { callsUnpriced: 0 } });
  });

  it("is not known while days from before are counted again, and that is not nothing", async () => {
    await seedSpent(db.sql, [
      { at: at(0), outcome: "client_aborted", ...paid("1") },
      { at: at(1), outcome: "failed", ...paid("1") },
    ]);
    await db.sql`update rollup_calls set cost_usd = null, cost_estimated_usd = null, calls_unpriced = null where outcome = 'failed'`;
    expect(await partsOf()).toMatchObject({ aborted: { costUsd: "1" }, retried: "counting" });
    // Calls are not asked for what the rollup has forgotten; where it cannot answer, they are.
    expect(await partsOf(scope({ filter: { customer: [""] } }))).toMatchObject({ retried: { costUsd: "1" } });
  });

  it("is read from the sums where calls are no longer kept, as far as they tell", async () => {
    await seedSpent(db.sql, [{ at: at(0), outcome: "client_aborted", ...paid("1") }]);
    await db.sql`truncate calls, usage_lines`;
    await db.sql`insert into settings (name, value) values ('sealed', '"2026-05-05"')`;
    expect(await partsOf()).toMatchObject({ aborted: { costUsd: "1" }, retried: NOTHING, superseded: "dropped" });
    const broken = { fromMs: FROM_MS + 1, toMs: HOUR.toMs };
    for (const of of [scope({ interval: broken }), scope({ filter: { customer: ["acme"] } })])
      expect(await partsOf(of)).toEqual({ aborted: "dropped", retried: "dropped", superseded: "dropped" });
  });

  it("in a time without calls is nothing", async () => {
    expect(await wasteIn(db.sql, scope())).toEqual({
      parts: { aborted: NOTHING, retried: NOTHING, superseded: NOTHING },
      dearest: null,
    });
  });
});

describe("each part of the waste equals the calls that a filter by it finds, to the last digit", () => {
  const CALLS = 400;
  const random = seeded(5);
  const one = <T>(values: readonly T[]) => values[Math.floor(random() * values.length)] as T;
  const seconds = Array.from({ length: CALLS }, () => Math.floor(random() * 5 * 3600) - 7200).sort((a, b) => a - b);
  const drawn = seconds.map((second, i): SpentCall => {
    const of = i > 0 && random() < 0.5 ? i - 1 - Math.floor(random() * Math.min(i, 6)) : undefined;
    const tokens = random() < 0.9 ? ([10, 5, 7] as const) : undefined;
    return {
      at: new Date(FROM_MS + second * 1000).toISOString(),
      feature: one(["search", "chat", undefined]),
      customer: one(["acme", "globex"]),
      outcome: one(["completed", "completed", "completed", ...OUTCOMES]),
      ...(of === undefined ? {} : { attemptOf: of, attempt: Math.floor(random() * 3) }),
      ...(tokens ? { tokens, source: one(["reported", "estimated"]) } : {}),
      costUsd: one([null, "0.000000000001", "0.1", "12.345678901234"]),
    } as SpentCall;
  });
  let ids: string[];
  beforeEach(async () => {
    ids = await seedSpent(db.sql, drawn);
  });

  /** From what was stored, by the rule itself. */
  function expected({ fromMs, toMs }: Scope["interval"], wanted: (call: SpentCall) => boolean, part: Waste): WasteSums {
    const operation = (i: number) => ids[drawn[i]?.attemptOf ?? i];
    const near = (i: number, j: number) =>
      Math.abs(Date.parse((drawn[i] as SpentCall).at) - Date.parse((drawn[j] as SpentCall).at)) < OPERATION_MS;
    const isOther = (i: number, j: number) =>
      i !== j && near(i, j) && (operation(j) === operation(i) || operation(j) === ids[i]) && operation(j) !== ids[j];
    const calls = drawn.filter((call, i) => {
      const others = drawn
        .filter((_, j) => isOther(i, j))
        .map(({ attempt = 0, outcome = "" }) => ({ attempt, outcome }));
      const ms = Date.parse(call.at);
      const is = wasteOf({ attempt: call.attempt ?? 0, outcome: call.outcome ?? "" }, others);
      return ms >= fromMs && ms < toMs && wanted(call) && is === part;
    });
    const sum = (some: SpentCall[]) =>
      some.reduce((usd, call) => addMoney(usd, call.tokens && call.costUsd ? call.costUsd : "0"), "0");
    return {
      calls: calls.length,
      callsWithoutUsage: calls.filter(({ tokens }) => !tokens).length,
      callsUnpriced: calls.filter(({ tokens, costUsd }) => tokens && costUsd === null).length,
      costUsd: sum(calls),
      costEstimatedUsd: sum(calls.filter(({ source }) => source === "estimated")),
    };
  }

  it("in any range and under any filter, from sums and from calls", async () => {
    const intervals = [
      HOUR,
      { fromMs: FROM_MS - 1_234_567, toMs: FROM_MS + 4_567_891 },
      { fromMs: FROM_MS + 1, toMs: FROM_MS + 600_000 },
    ];
    const filters: [CallFilter, (call: SpentCall) => boolean][] = [
      [{}, () => true],
      [{ feature: ["search"] }, ({ feature }) => feature === "search"],
      [{ customer: ["acme"], feature: [""] }, ({ customer, feature }) => customer === "acme" && feature === undefined],
      [{ outcome: ["failed", "completed"] }, ({ outcome }) => outcome === "failed" || outcome === "completed"],
    ];
    for (const [i, interval] of intervals.entries())
      for (const [filter, wanted] of i === 0 ? filters : filters.slice(0, 1)) {
        const parts = await partsOf(scope({ interval, filter }));
        for (const part of WASTES) {
          const of = scope({ interval, filter: { ...filter, waste: [part] } });
          const sums = expected(interval, wanted, part);
          expect(parts[part]).toEqual(sums);
          expect(await costOfBegun(db.sql, of, CALLS)).toMatchObject({
            costUsd: sums.costUsd,
            costEstimatedUsd: sums.costEstimatedUsd,
            callsUnpriced: sums.callsUnpriced,
          });
          const rows = await callsOfPage(db.sql, of, null, CALLS);
          expect(rows).toHaveLength(sums.calls);
          expect(rows.reduce((usd, { costUsd }) => addMoney(usd, costUsd ?? "0"), "0")).toBe(sums.costUsd);
          // As long as no month is closed, what is booked in the range is what began in it.
          if (i > 0) expect((await spendTotal(db.sql, of, true))?.costUsd).toBe(sums.costUsd);
        }
        const all = scope({ interval, filter: { ...filter, waste: WASTES } });
        const together = WASTES.reduce((usd, part) => addMoney(usd, (parts[part] as WasteSums).costUsd), "0");
        expect((await costOfBegun(db.sql, all, CALLS))?.costUsd).toBe(together);
        expect(await partsOf(all)).toEqual(parts);
      }
  });

  it("and is not added up where there are more calls than may be looked at", async () => {
    expect(await costOfBegun(db.sql, scope({ filter: { waste: ["aborted"] } }), 3)).toBeNull();
  });
});
