import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { foldDays } from "#db/fold-days.ts";
import type { CallFilter, Scope } from "#db/queries/call-filter.ts";
import { SPEND_GROUPINGS, spendOf, spendOptions, unpricedModels } from "#db/queries/spend-page.ts";
import { spendTotal } from "#db/queries/spend-source.ts";
import { uptoStretches } from "#db/queries/spend-upto.ts";
import { templatesOfPage } from "#db/queries/templates-page.ts";
import { cutIntoBuckets, type Interval } from "#lib/range.ts";
import { MAJORS } from "#tests/support/majors.ts";
import { type TestDatabase, testDatabase } from "#tests/support/postgres.ts";
import { type SpentCall, seedSpent } from "#tests/support/seed-spent.ts";
import { seeded } from "#tests/support/split.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const at = (text: string) => Date.parse(text);

describe.each(MAJORS)("what a day had come to, on PostgreSQL %i", (major) => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await testDatabase(major);
  });
  afterAll(() => db?.drop());

  const fold = async () => {
    while ((await foldDays(db.sql, Date.UTC(2026, 11, 1))) > 0);
  };

  it("is there for each half hour, by one attribute at a time", async () => {
    const call = { feature: "chat", customer: "acme", template: "reply", tokens: [10, 0, 5] as const };
    await seedSpent(db.sql, [
      { ...call, at: "2026-05-04T00:29:59.999Z", costUsd: "0.1" },
      { ...call, at: "2026-05-04T00:30:00.000Z", costUsd: "0.02", customer: "other" },
      { ...call, at: "2026-05-04T23:59:00.000Z", costUsd: "0.003", outcome: "failed" },
      // Not allocated: it has no customer.
      { feature: "search", at: "2026-05-04T12:00:00.000Z", costUsd: null, tokens: [1, 0, 1] },
    ]);
    await fold();
    const rows = (by: string) => db.sql<Record<string, unknown>[]>`
      select
        upto, feature, customer, template, calls::int, calls_failed::int as failed, calls_unpriced::int as unpriced,
        trim_scale(cost_usd)::text as usd, calls_allocated::int as allocated
      from rollup_spend_upto where day = '2026-05-04' and "by" = ${by} and upto in (1, 2, 25, 47, 48)
      order by feature, customer, upto`;
    const chat = { feature: "chat", customer: "", template: "", failed: 0, unpriced: 0 };
    const search = { feature: "search", customer: "", template: "", failed: 0, usd: "0", allocated: 0 };
    expect(await rows("feature")).toEqual([
      { ...chat, upto: 1, calls: 1, usd: "0.1", allocated: 1 },
      { ...chat, upto: 2, calls: 2, usd: "0.12", allocated: 2 },
      { ...chat, upto: 25, calls: 2, usd: "0.12", allocated: 2 },
      { ...chat, upto: 47, calls: 2, usd: "0.12", allocated: 2 },
      { ...chat, upto: 48, calls: 3, usd: "0.123", allocated: 3, failed: 1 },
      { ...search, upto: 1, calls: 0, unpriced: 0 },
      { ...search, upto: 2, calls: 0, unpriced: 0 },
      { ...search, upto: 25, calls: 1, unpriced: 1 },
      { ...search, upto: 47, calls: 1, unpriced: 1 },
      { ...search, upto: 48, calls: 1, unpriced: 1 },
    ]);
    const wholeDay = (await rows("customer")).filter(({ upto }) => upto === 48);
    expect(wholeDay.map(({ customer, calls, usd }) => [customer, calls, usd])).toEqual([
      ["", 1, "0"],
      ["acme", 2, "0.103"],
      ["other", 1, "0.02"],
    ]);
  });

  it("gives the same figures as quarters of an hour do, wherever time is cut and whatever is asked", async () => {
    const random = seeded(5);
    const one = <T>(values: readonly T[]) => values[Math.floor(random() * values.length)] as T;
    const first = at("2026-03-04T00:00Z");
    const calls = Array.from({ length: 250 }, (): SpentCall => {
      const template = one([undefined, "reply", "sum"]);
      const ms = first + Math.floor(random() * 7 * DAY_MS);
      return {
        // Some at the very edges of half hours.
        at: new Date(random() < 0.2 ? Math.floor(ms / (HOUR_MS / 2)) * (HOUR_MS / 2) : ms).toISOString(),
        feature: one([undefined, "chat", "search"]) as string,
        customer: one([undefined, "acme", "other"]) as string,
        ...(template ? { template, version: one(["v1", "v2"]) } : { unit: one(["u1", "u2"]) }),
        model: one(["gpt-4o", "gpt-4o-mini"]),
        outcome: one(["completed", "completed", "failed"]),
        source: one(["reported", "estimated"]),
        tokens: [Math.floor(random() * 9), 2, 3],
        costUsd: one([null, "0.000000000001", "0.37"]),
      };
    });
    await seedSpent(db.sql, calls);
    const filters: CallFilter[] = [
      {},
      { environment: ["production"] },
      { feature: ["chat", ""] },
      { unitHash: ["u1"] },
      { customer: ["acme", ""] },
      { template: ["reply"], model: ["gpt-4o"] },
    ];
    const ranges: [string, Interval][] = [
      ["UTC", { fromMs: first, toMs: first + 7 * DAY_MS }],
      ["Asia/Kolkata", { fromMs: at("2026-03-04T18:30Z"), toMs: at("2026-03-10T18:30Z") }],
      // Its half hours are none of UTC's.
      ["Asia/Kathmandu", { fromMs: at("2026-03-04T18:15Z"), toMs: at("2026-03-09T18:15Z") }],
      // Its clocks change on the 8th.
      ["America/New_York", { fromMs: at("2026-03-06T05:00Z"), toMs: at("2026-03-10T04:00Z") }],
      ["UTC", { fromMs: at("2026-03-05T07:51:13Z"), toMs: at("2026-03-07T02:07:01Z") }],
      ["UTC", { fromMs: at("2026-03-05T07:45Z"), toMs: at("2026-03-05T08:15Z") }],
    ];
    const read = () =>
      Promise.all(
        ranges.flatMap(([zone, interval]) =>
          filters.map(async (filter) => {
            const scope: Scope = { project: "default", interval, filter };
            const { edges } = cutIntoBuckets(interval, zone, 60, HOUR_MS);
            return [
              await Promise.all(SPEND_GROUPINGS.map((by) => spendOf(db.sql, scope, by, edges, { rows: 3, series: 2 }))),
              await unpricedModels(db.sql, scope, 5),
              await spendOptions(db.sql, scope, "customer", 1),
              await spendTotal(db.sql, scope, true),
              await templatesOfPage(db.sql, scope, "cost", 5, 5),
            ];
          }),
        ),
      );
    await db.sql`delete from folded_days`;
    const expected = await read();
    await fold();
    expect(await read()).toEqual(expected);
    expect(expected.length).toBe(36);
  });

  it("is read instead of quarters, but where a cut is no half hour", async () => {
    const day = at("2026-03-05T00:00Z");
    const interval = { fromMs: day - 15 * 60_000, toMs: day + DAY_MS + 5 * HOUR_MS };
    expect(await uptoStretches(db.sql, "default", interval, [day + 5.5 * HOUR_MS])).toEqual({
      days: [],
      steps: [
        { dayMs: day, upto: 11, bucketMs: day, sign: 1 },
        { dayMs: day, upto: 48, bucketMs: day + 5.5 * HOUR_MS, sign: 1 },
        { dayMs: day, upto: 11, bucketMs: day + 5.5 * HOUR_MS, sign: -1 },
        { dayMs: day + DAY_MS, upto: 10, bucketMs: day + DAY_MS, sign: 1 },
      ],
      quarters: [{ fromMs: day - 15 * 60_000, toMs: day }],
    });
    const whole = await uptoStretches(db.sql, "default", { fromMs: day, toMs: day + 2 * DAY_MS }, [day + DAY_MS]);
    expect(whole).toEqual({ days: [{ fromMs: day, toMs: day + 2 * DAY_MS }], steps: [], quarters: [] });
    const odd = await uptoStretches(db.sql, "default", interval, [day + 15 * 60_000]);
    expect(odd.quarters).toEqual([{ fromMs: day - 15 * 60_000, toMs: day + DAY_MS }]);
  });
});
