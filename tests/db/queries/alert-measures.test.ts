import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { alertHints } from "#db/queries/alert-hints.ts";
import { openAlertIds } from "#db/queries/settings-page.ts";
import type { AlertMeasure } from "#lib/alert.ts";
import { ago, alertRulesOf, calls, MINUTE, NOW } from "#tests/support/alert-rules.ts";
import { type TestDatabase, testDatabase } from "#tests/support/postgres.ts";
import { type SpentCall, seedSpent } from "#tests/support/seed-spent.ts";

let db: TestDatabase;
let of: ReturnType<typeof alertRulesOf>;
beforeAll(async () => {
  db = await testDatabase();
  of = alertRulesOf(db.sql);
});
afterAll(() => db?.drop());
beforeEach(() => of.empty());

const within = (value: number | null | undefined, expected: number) => {
  expect(value).toBeGreaterThan(expected * 0.99);
  expect(value).toBeLessThan(expected * 1.01);
};

describe("a p95", () => {
  // 94 fast and 6 slow: the 95th of 100 is slow.
  const mixed = (n: number, ms: (i: number) => Partial<SpentCall>) => calls(n, (i) => ({ durationMs: 9000, ...ms(i) }));
  it.each([
    ["p95_first_token", (i: number) => ({ streamed: true, firstTokenMs: i < 94 ? 300 : 2900 })],
    ["p95_first_audio", (i: number) => ({ outputs: ["audio"], firstAudioMs: i < 94 ? 300 : 2900 })],
    ["p95_duration", (i: number) => ({ durationMs: i < 94 ? 300 : 2900 })],
  ] as const)("of 100 calls opens an alert above its threshold: %s", async (measure, ms) => {
    await seedSpent(db.sql, mixed(100, ms));
    const above = await of.rule(measure, 2000);
    const fine = await of.rule(measure, 3000);
    await of.check();
    const found = await of.rules();
    const opened = found.find(({ id }) => id === above);
    expect(opened).toMatchObject({ calls: 100, problem: null, checkedAt: new Date(NOW) });
    within(opened?.value, 2900);
    expect(opened?.alert).toMatchObject({ openedAt: new Date(NOW), calls: 100, lastValue: opened?.value });
    expect(found.find(({ id }) => id === fine)).toMatchObject({ calls: 100, alert: null });
  });

  it("of 99 calls is unknown, however slow they are", async () => {
    await seedSpent(
      db.sql,
      calls(99, () => ({ durationMs: 60_000 })),
    );
    await of.rule("p95_duration", 1);
    await of.check();
    expect(await of.theRule()).toMatchObject({ value: null, calls: 99, problem: null, alert: null });
  });

  it("looks at the calls of its scope and of its window only", async () => {
    const slow = { durationMs: 5000, feature: "chat", outputs: ["audio"], model: "gpt-audio" };
    await seedSpent(db.sql, [
      ...calls(100, () => slow),
      ...calls(400, () => ({ durationMs: 100, feature: "search" })),
      // Before the hour, and before the quarter of the hour that the window begins in.
      ...calls(900, (i) => ({ ...slow, durationMs: 50, at: ago(60 * MINUTE + 1 + i) })),
    ]);
    const scopes = [{ feature: "chat" }, { modality: "audio" }, { model: "gpt-audio", feature: "chat" }] as const;
    for (const scope of scopes) await of.rule("p95_duration", 1000, { scope });
    const all = await of.rule("p95_duration", 1000);
    const elsewhere = await of.rule("p95_duration", 1000, { scope: { environment: "staging" } });
    await of.check();
    const found = await of.rules();
    for (const one of found.filter(({ scope }) => Object.keys(scope).length > 0 && scope.environment === undefined)) {
      expect(one.calls).toBe(100);
      within(one.value, 5000);
    }
    // 100 of 500 are slow: the 95th percentile too.
    expect(found.find(({ id }) => id === all)?.calls).toBe(500);
    expect(found.find(({ id }) => id === elsewhere)).toMatchObject({ calls: 0, value: null, alert: null });
    expect(await openAlertIds(db.sql, "default")).toHaveLength(4);
  });
});

describe("an error rate", () => {
  it("counts what failed, broke off or was not reached, of all calls from 20 on", async () => {
    const outcomes = ["failed", "truncated", "unreachable", "interrupted", "client_aborted"];
    await seedSpent(
      db.sql,
      calls(20, (i) => ({ outcome: outcomes[i] ?? "completed" })),
    );
    const above = await of.rule("error_rate", 0.19);
    await of.rule("error_rate", 0.2);
    await of.check();
    const found = await of.rules();
    expect(found.map(({ value, calls: n }) => [value, n])).toEqual([
      [0.2, 20],
      [0.2, 20],
    ]);
    expect(found.filter(({ alert }) => alert).map(({ id }) => id)).toEqual([above]);
  });
  it("of 19 calls is unknown", async () => {
    await seedSpent(
      db.sql,
      calls(19, () => ({ outcome: "failed" })),
    );
    await of.rule("error_rate", 0);
    await of.check();
    expect(await of.theRule()).toMatchObject({ value: null, calls: 19, alert: null });
  });
  it("of one feature is that of its calls", async () => {
    await seedSpent(db.sql, [
      ...calls(20, () => ({ outcome: "failed", feature: "chat" })),
      ...calls(180, () => ({ feature: "search" })),
    ]);
    await of.rule("error_rate", 0.5, { scope: { feature: "chat" } });
    await of.rule("error_rate", 0.05, { scope: {} });
    await of.check();
    expect((await of.rules()).map(({ value }) => value).toSorted()).toEqual([0.1, 1]);
  });
  it("of one modality is that of its calls, and is not added up from calls", async () => {
    await seedSpent(db.sql, [
      ...calls(30, (i) => ({ outputs: ["audio"], ...(i < 12 && { outcome: "failed" }), at: ago(10 * MINUTE + i) })),
      ...calls(70, () => ({})),
    ]);
    await of.rule("error_rate", 0.5, { scope: { modality: "audio" } });
    // Whole quarters of an hour come from the rollup, which still knows what `calls` has lost; only the window's ends do not.
    await db.sql`truncate calls`;
    await of.check();
    expect(await of.theRule()).toMatchObject({ value: 0.4, calls: 30, problem: null });
  });
});

describe("spend", () => {
  const spent = (at: string, costUsd: string | null, feature = "chat"): SpentCall => ({
    at,
    costUsd,
    feature,
    tokens: [0, 0, 1],
  });
  it("is that of the UTC day so far, exactly, and starts anew at midnight", async () => {
    await seedSpent(db.sql, [
      spent("2026-05-03T23:59:59.999Z", "100"),
      spent("2026-05-04T00:00:00.000Z", "0.1"),
      spent("2026-05-04T10:04:00.000Z", "0.2"),
      // Its cost is unknown: in no sum.
      spent("2026-05-04T10:04:00.000Z", null),
    ]);
    // As a sum of floats it would be 0.30000000000000004.
    await of.rule("spend_per_day", 0.3, { windowMinutes: 1440 });
    const above = await of.rule("spend_per_day", 0.29, { windowMinutes: 1440 });
    await of.check();
    expect((await of.rules()).map(({ value }) => value)).toEqual([0.3, 0.3]);
    expect((await of.rules())[0]).toMatchObject({ id: above, alert: { openedAt: new Date(NOW) } });
    await of.check(Date.parse("2026-05-05T00:00:00Z"));
    expect((await of.rules()).map(({ value, alert }) => [value, alert])).toEqual([
      [0, null],
      [0, null],
    ]);
  });
  it("can be of a feature", async () => {
    await seedSpent(db.sql, [spent(ago(MINUTE), "3"), spent(ago(MINUTE), "50", "search")]);
    await of.rule("spend_per_day", 10, { scope: { feature: "chat" } });
    await of.check();
    expect(await of.theRule()).toMatchObject({ value: 3, alert: null });
  });
});

const stored = (ms: number) => db.sql`
  insert into spool_positions (spool, low_segment, low_offset, high_segment, high_offset, run, totals, updated_at)
  values ('a', 0, 0, 0, 0, '', '{}', ${ago(ms)}::timestamptz)`;

describe("unpriced calls", () => {
  it("are counted in the window; more than none is above none", async () => {
    const unpriced = (ms: number): SpentCall => ({ at: ago(ms), costUsd: null, tokens: [0, 0, 1], model: "new" });
    await seedSpent(db.sql, [unpriced(MINUTE), unpriced(59 * MINUTE), unpriced(61 * MINUTE), unpriced(200 * MINUTE)]);
    await of.rule("unpriced_calls", 0);
    await of.rule("unpriced_calls", 2, { scope: { model: "new" } });
    await of.rule("unpriced_calls", 0, { scope: { model: "other" } });
    await of.check();
    const found = await of.rules();
    expect(found.map(({ value, alert }) => [value, alert !== null])).toEqual([
      [2, true],
      [2, false],
      [0, false],
    ]);
  });
});

describe("a window of which nothing is stored yet", () => {
  it("is unknown, not empty", async () => {
    await stored(90 * MINUTE);
    await of.rule("unpriced_calls", 0);
    await of.rule("unpriced_calls", 0, { windowMinutes: 120 });
    await of.check();
    expect((await of.rules()).map(({ value }) => value)).toEqual([null, 0]);
  });
});

describe("data lag", () => {
  it("is how far the store is behind", async () => {
    await stored(90_000);
    await of.rule("data_lag", 60);
    await of.check();
    expect(await of.theRule()).toMatchObject({ value: 90, calls: null, alert: { lastValue: 90 } });
  });
  it("up to its threshold is fine", async () => {
    await stored(60_000);
    await of.rule("data_lag", 60);
    await of.check();
    expect(await of.theRule()).toMatchObject({ value: 60, alert: null });
  });
  it("is unknown where nothing was ever recorded", async () => {
    await of.rule("data_lag", 0);
    await of.check();
    expect(await of.theRule()).toMatchObject({ value: null, problem: null, alert: null });
  });
});

it("hints tell the last hour and the worst of seven UTC days, and nothing of too few calls", async () => {
  const failing = (day: string, n: number, failed: number): SpentCall[] =>
    Array.from({ length: n }, (_, i) => ({
      at: `${day}T08:00:00.000Z`,
      outcome: i < failed ? "failed" : "completed",
      durationMs: 1000,
      costUsd: "0.5",
      tokens: [0, 0, 1],
    }));
  await seedSpent(db.sql, [
    ...failing("2026-04-27", 40, 40), // the eighth day
    ...failing("2026-04-28", 40, 10),
    ...failing("2026-05-02", 19, 19), // too few for a rate
    ...failing("2026-05-04", 100, 0),
  ]);
  const hints = await alertHints(db.sql, "default", NOW);
  const hinted = (measure: AlertMeasure) => hints.find((hint) => hint.measure === measure);
  expect(hinted("error_rate")).toEqual({ measure: "error_rate", now: { value: null, calls: 0 }, worstDay: 0.25 });
  expect(hinted("spend_per_day")).toMatchObject({ now: { value: 50, calls: null }, worstDay: 50 });
  expect(hinted("data_lag")).toEqual({ measure: "data_lag", now: { value: null, calls: null }, worstDay: null });
  within(hinted("p95_duration")?.worstDay, 1000);
  expect(hinted("p95_first_token")?.worstDay).toBeNull();
});
