import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { foldDays } from "#db/fold-days.ts";
import { type CallFilter, inScope, type Reader, type Scope } from "#db/queries/call-filter.ts";
import { callsOfPage, callsOverTime } from "#db/queries/calls-page.ts";
import { latencyGroups } from "#db/queries/latency-groups.ts";
import { columnsOf, heatmapIn, stripsOf } from "#db/queries/latency-page.ts";
import { routesOf } from "#db/queries/latency-routes.ts";
import { slowestOf } from "#db/queries/latency-slowest.ts";
import { latencySource } from "#db/queries/latency-source.ts";
import { spendSource } from "#db/queries/spend-source.ts";
import { OUTCOMES } from "#lib/call.ts";
import { formatBand, LATENCY_METRICS, type LatencyMetric, nearestEdge } from "#lib/latency.ts";
import { cutIntoBuckets, type Interval } from "#lib/range.ts";
import { type TestDatabase, testDatabase } from "#tests/support/postgres.ts";
import { type SpentCall, seedSpent } from "#tests/support/seed-spent.ts";
import { seeded } from "#tests/support/split.ts";

let db: TestDatabase;
beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db?.drop());

const empty = () => db.sql`truncate calls, usage_lines, rollup_calls, rollup_spend, rollup_latency`;
const between = (from: string, to: string): Interval => ({ fromMs: Date.parse(from), toMs: Date.parse(to) });
const DAY = between("2026-05-04T00:00Z", "2026-05-05T00:00Z");
const AT = "2026-05-04T10:00:00.000Z";
const scope = (interval: Interval = DAY, filter: CallFilter = {}): Scope => ({ project: "default", interval, filter });
const times = (n: number, call: (i: number) => SpentCall): SpentCall[] => Array.from({ length: n }, (_, i) => call(i));
/** Nothing is left out by it, and no rollup of latency knows outcomes: the same figures, from the calls themselves. */
const EVERY: CallFilter = { outcome: OUTCOMES };
const heatmapOf = async (sql: Reader, of: Scope, metric: LatencyMetric, edges: readonly number[]) =>
  heatmapIn(await latencyGroups(sql, of, { edges, by: ["modality"] }, [metric]), metric);
const within1Percent = (ms: number | null, exact: number) => expect(Math.abs((ms ?? 0) / exact - 1)).toBeLessThan(0.01);

describe("strips", () => {
  beforeEach(empty);

  it("tell counts, whose time it was and the speed, per modality, most calls first", async () => {
    await seedSpent(db.sql, [
      // Client 3 (its request came until then), own 2 + 5, upstream 40 - 5.
      {
        at: AT,
        requestEndMs: 3,
        sentMs: 5,
        responseEndMs: 40,
        durationMs: 45,
        firstTokenMs: 10,
        lastTokenMs: 35,
        streamed: true,
        tokens: [1, 0, 51],
      },
      // Sent before it was all here: nothing of that is ours.
      { at: AT, requestEndMs: 9, sentMs: 5, responseEndMs: 105, durationMs: 105 },
      // Counted and not timed.
      { at: AT, durationMs: 9000, outcome: "failed" },
      { at: AT, durationMs: 9000, outcome: "client_aborted" },
      { at: AT, sentMs: 0, responseEndMs: null, durationMs: 9000 },
      { at: AT, inputs: ["text", "image"], durationMs: 700 },
      { at: AT, inputs: [], outputs: [], durationMs: 7, outcome: "unreachable" },
      { at: "2026-05-05T00:00:00.000Z", durationMs: 9000 },
    ]);
    const strips = await stripsOf(db.sql, scope());
    expect(strips).toMatchObject([
      // (45 + 105) / 2 = 75, in its parts; 50 tokens in 25 ms.
      {
        modality: "text",
        calls: 5,
        callsFailed: 1,
        callsTimed: 2,
        clientMs: 4,
        ownMs: 3.5,
        upstreamMs: 67.5,
        tokensPerSecond: 2000,
      },
      { modality: "", calls: 1, callsFailed: 1, callsTimed: 0, clientMs: null, ownMs: null, tokensPerSecond: null },
      { modality: "image", calls: 1, callsFailed: 0, callsTimed: 1, upstreamMs: 700 },
    ]);
    expect(strips[0]?.percentiles).toMatchObject({
      duration: { n: 2, p50Ms: null },
      first_token: { n: 1 },
      own: { n: 2 },
      first_byte: { n: 0, p50Ms: null, p95Ms: null, p99Ms: null },
    });
  });

  it("tell a percentile by nearest rank once there are enough calls for it, and not before", async () => {
    const seconds = (n: number) => times(n, (i) => ({ at: AT, durationMs: (i + 1) * 1000 }));
    const durations = async () => (await stripsOf(db.sql, scope()))[0]?.percentiles.duration;
    await seedSpent(db.sql, seconds(19));
    expect(await durations()).toEqual({ n: 19, p50Ms: null, p95Ms: null, p99Ms: null });
    await empty();
    await seedSpent(db.sql, seconds(99));
    const some = await durations();
    within1Percent(some?.p50Ms ?? null, 50_000);
    expect(some).toMatchObject({ n: 99, p95Ms: null });
    await empty();
    await seedSpent(db.sql, seconds(500));
    const all = await durations();
    within1Percent(all?.p50Ms ?? null, 250_000);
    within1Percent(all?.p95Ms ?? null, 475_000);
    within1Percent(all?.p99Ms ?? null, 495_000);
  });

  it("are right to 1 % whatever the values, over all quarters of an hour", async () => {
    const random = seeded(11);
    const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    const calls = times(1500, () => {
      const durationMs = Math.exp(6 + 1.4 * normal());
      const at = new Date(DAY.fromMs + Math.floor(random() * 86_400_000)).toISOString();
      return { at, durationMs, firstByteMs: durationMs * random() };
    });
    await seedSpent(db.sql, calls);
    const [strip] = await stripsOf(db.sql, scope());
    for (const [metric, values] of [
      ["duration", calls.map(({ durationMs }) => durationMs ?? 0)],
      ["first_byte", calls.map(({ firstByteMs }) => firstByteMs ?? 0)],
    ] as const) {
      const sorted = values.toSorted((a, b) => a - b);
      const rank = (p: number) => sorted[Math.ceil((p / 100) * sorted.length) - 1] as number;
      within1Percent(strip?.percentiles[metric].p50Ms ?? null, rank(50));
      within1Percent(strip?.percentiles[metric].p95Ms ?? null, rank(95));
      within1Percent(strip?.percentiles[metric].p99Ms ?? null, rank(99));
    }
  });

  it("of a time without calls are none", async () => {
    expect(await stripsOf(db.sql, scope())).toEqual([]);
    const edges = [DAY.fromMs, DAY.toMs];
    expect(await columnsOf(db.sql, scope(), "duration", edges)).toEqual([]);
    expect(await heatmapOf(db.sql, scope(), "duration", edges)).toMatchObject({ cells: [], below: 0, above: 0 });
    expect(await routesOf(db.sql, scope(), DAY, 5)).toEqual([]);
    expect(await slowestOf(db.sql, scope(), "duration", 5)).toEqual([]);
  });
});

describe("routes", () => {
  beforeEach(empty);
  const WEEK_BEFORE = between("2026-04-27T00:00Z", "2026-04-28T00:00Z");
  const THEN = "2026-04-27T10:00:00.000Z";

  it("are ordered by the seconds that calls took above last week's median, then by p95", async () => {
    await seedSpent(db.sql, [
      ...times(20, () => ({ at: THEN, feature: "slower", durationMs: 1000 })),
      ...times(20, () => ({ at: THEN, feature: "same", durationMs: 1000 })),
      ...times(19, () => ({ at: THEN, feature: "too few then", durationMs: 1 })),
      ...times(10, () => ({ at: AT, feature: "slower", durationMs: 3000 })),
      // As much below the median as above: what is quicker makes up for nothing.
      ...times(10, () => ({ at: AT, feature: "slower", durationMs: 100 })),
      ...times(100, () => ({ at: AT, feature: "same", durationMs: 1000, firstTokenMs: 200 })),
      ...times(100, () => ({ at: AT, feature: "too few then", durationMs: 5000 })),
      ...times(100, () => ({ at: AT, feature: "new", endpoint: "responses", durationMs: 9000 })),
      { at: AT, feature: "new", endpoint: "responses", outcome: "failed" },
    ]);
    const routes = await routesOf(db.sql, scope(), WEEK_BEFORE, 10);
    expect(routes.map(({ feature }) => feature)).toEqual(["slower", "same", "new", "too few then"]);
    const [slower, same, unheard, few] = routes;
    // 10 × 2 s.
    expect(slower?.excessSeconds).toBeGreaterThan(19.5);
    expect(slower?.excessSeconds).toBeLessThan(20.5);
    expect(slower?.before).toMatchObject({ callsTimed: 20, p95Ms: null, upstreamMs: 1000, ownMs: 0, clientMs: 0 });
    within1Percent(slower?.before?.p50Ms ?? null, 1000);
    expect(same).toMatchObject({ excessSeconds: 0, firstToken: { n: 100 }, calls: 100 });
    within1Percent(same?.firstToken.p95Ms ?? null, 200);
    expect(unheard).toMatchObject({
      model: "gpt-4o-2024-08-06",
      endpoint: "responses",
      modality: "text",
      calls: 101,
      callsFailed: 1,
      callsTimed: 100,
      before: null,
      excessSeconds: null,
    });
    expect(few).toMatchObject({ before: null, excessSeconds: null });
    expect(await routesOf(db.sql, scope(), WEEK_BEFORE, 1)).toEqual([slower]);
    const alone = await routesOf(db.sql, scope(), null, 10);
    expect(alone.map(({ feature }) => feature)).toEqual(["new", "too few then", "same", "slower"]);
    expect(alone.every(({ before, excessSeconds }) => before === null && excessSeconds === null)).toBe(true);
  });
});

describe("over a day of all kinds of calls", () => {
  const FROM_MS = Date.parse("2026-03-28T18:00Z");
  const calls: SpentCall[] = [];

  beforeAll(async () => {
    await empty();
    const random = seeded(2);
    const one = <T>(values: readonly T[]) => values[Math.floor(random() * values.length)] as T;
    // On edges, a clock's tick beside them, far outside, and anywhere.
    const some = () => {
      const edge = 2 ** (Math.floor(random() * 60) / 4);
      return one([edge, edge * (1 - 1e-9), edge + 0.001, Math.exp(random() * 12), 0, 400_000, 64, 1024]);
    };
    calls.push(
      ...times(700, (i) => {
        const firstByteMs = some();
        return {
          // Some at the very edges of quarters of an hour.
          at: new Date(
            FROM_MS + (i % 5 ? Math.floor(random() * 86_400_000) : 900_000 * (i % 96) - (i % 2)),
          ).toISOString(),
          feature: one(["search", "chat", undefined]),
          endpoint: one(["chat_completions", "responses"]),
          inputs: one([["text"], ["audio"], []]),
          outputs: one([["text"], ["image"], []]),
          outcome: random() < 0.85 ? "completed" : one(OUTCOMES),
          requestEndMs: one([undefined, 3]),
          sentMs: one([0, 0.01, some() / 100, null]),
          firstByteMs,
          firstTokenMs: one([undefined, firstByteMs]),
          lastTokenMs: firstByteMs + 10,
          streamed: random() < 0.5,
          responseEndMs: random() < 0.95 ? some() : null,
          durationMs: random() < 0.95 ? some() : undefined,
          tokens: [1, 0, 9],
        } as SpentCall;
      }),
    );
    await seedSpent(db.sql, calls);
  });

  const ranges: Record<string, Interval> = {
    "whole quarters of an hour": { fromMs: FROM_MS, toMs: FROM_MS + 86_400_000 },
    "ends in the middle of quarters": { fromMs: FROM_MS + 1_234_567, toMs: FROM_MS + 70_077_777 },
    "within one quarter": { fromMs: FROM_MS + 3_601_000, toMs: FROM_MS + 4_400_000 },
  };
  for (const [name, interval] of Object.entries(ranges))
    it(`the rollup and the calls say the same: ${name}`, async () => {
      const ways = [scope(interval), scope(interval, EVERY)] as const;
      const both = async <T>(read: (of: Scope) => Promise<T>) => {
        const [quick, exact] = await Promise.all(ways.map(read));
        expect(quick).toEqual(exact);
        return quick as T;
      };
      const [strip] = await both((of) => stripsOf(db.sql, of));
      if (name !== "within one quarter") expect(strip?.callsTimed).toBeGreaterThan(50);
      await both((of) => routesOf(db.sql, of, ranges["ends in the middle of quarters"] as Interval, 100));
      for (const metric of LATENCY_METRICS) await both((of) => slowestOf(db.sql, of, metric, 20));
      // Kathmandu is 5:45 ahead, Chatham 13:45, and New York's clocks have just changed.
      for (const zone of ["UTC", "Asia/Kathmandu", "Pacific/Chatham", "America/New_York"]) {
        const { edges } = cutIntoBuckets(interval, zone, 30);
        const columns = await both((of) => columnsOf(db.sql, of, "duration", edges));
        expect(sum(columns.map((column) => column.calls))).toBe(await countOf(scope(interval)));
        const { cells } = await both((of) => heatmapOf(db.sql, of, "duration", edges));
        expect(sum(cells.map(({ n }) => n))).toBe(sum(columns.map(({ callsTimed }) => callsTimed)));
      }
    });

  it("is the same where whole days are folded, for any columns", async () => {
    const days = { fromMs: FROM_MS - 172_800_000 + 1234, toMs: FROM_MS + 172_800_000 + 1234 };
    const read = (edges: readonly number[]) =>
      Promise.all([
        stripsOf(db.sql, scope(days)),
        columnsOf(db.sql, scope(days), "duration", edges),
        heatmapOf(db.sql, scope(days), "first_token", edges),
        routesOf(db.sql, scope(days), days, 100),
        slowestOf(db.sql, scope(days), "duration", 10),
      ]);
    for (const zone of ["UTC", "Pacific/Chatham"]) {
      const { edges } = cutIntoBuckets(days, zone, 200, 86_400_000);
      await db.sql`delete from folded_days`;
      const before = await read(edges);
      expect(await foldDays(db.sql, Date.now())).toBeGreaterThan(0);
      expect(await read(edges)).toEqual(before);
    }
    await db.sql`delete from folded_days`;
  });

  it("comes from the rollup unless the filter, the columns or the range ask for more than it knows", async () => {
    const [day, , inside] = Object.values(ranges) as [Interval, Interval, Interval];
    const from = async (of: Scope, edges: number[] = []) => (await latencySource(db.sql, of, edges)).from;
    expect(await from(scope(day, { modality: ["audio", ""], endpoint: ["responses"], feature: [""] }))).toBe("rollup");
    expect(await from(scope(day), [day.fromMs + 900_000])).toBe("rollup");
    expect(await from(scope(day), [day.fromMs + 300_000])).toBe("calls");
    expect(await from(scope(day, { customer: ["acme"] }))).toBe("calls");
    expect(await from(scope(inside))).toBe("calls");
  });

  for (const metric of ["duration", "own", "first_token"] as const)
    it(`every cell of ${metric} leads to exactly its calls`, async () => {
      const interval = { fromMs: FROM_MS, toMs: FROM_MS + 86_400_000 };
      const { edges } = cutIntoBuckets(interval, "Pacific/Chatham", 5);
      const { cells, rowEdgesMs, topMs, below, above } = await heatmapOf(db.sql, scope(interval), metric, edges);
      const strips = await stripsOf(db.sql, scope(interval));
      expect(sum(cells.map(({ n }) => n))).toBe(sum(strips.map(({ percentiles }) => percentiles[metric].n)));
      expect(cells.length).toBeGreaterThan(80);
      await Promise.all(
        cells.map(async ({ modality, column, row, n }) => {
          const from = row === 0 ? null : nearestEdge(rowEdgesMs[row] as number);
          const to = row === rowEdgesMs.length - 1 ? null : nearestEdge(rowEdgesMs[row + 1] as number);
          const cell = { fromMs: edges[column] as number, toMs: edges[column + 1] as number };
          const of = scope(cell, { modality: [modality], latency: [formatBand({ metric, from, to })] });
          const slots = await callsOverTime(db.sql, of, [cell.fromMs, cell.toMs]);
          expect([sum(slots.map((slot) => slot.calls)), (await callsOfPage(db.sql, of, null, 1000)).length]).toEqual([
            n,
            n,
          ]);
        }),
      );
      const outside = (band: { from: number | null; to: number | null }) =>
        countOf(scope(interval, { latency: [formatBand({ metric, ...band })] }));
      expect(below).toBe(await outside({ from: null, to: nearestEdge(rowEdgesMs[0] as number) }));
      expect(above).toBe(await outside({ from: nearestEdge(topMs), to: null }));
    });

  it("a band holds what is on its lower edge and not what is on its upper one; several bands are joined", async () => {
    const timed = calls.filter(
      ({ outcome, sentMs, responseEndMs, durationMs }) =>
        outcome === "completed" && sentMs !== null && responseEndMs !== null && durationMs !== undefined,
    );
    const found = (latency: string[]) =>
      countOf(scope({ fromMs: FROM_MS - 1000, toMs: FROM_MS + 86_400_000 }, { latency }));
    const expected = (from: number, to: number) =>
      timed.filter(({ durationMs = 0 }) => durationMs >= from && durationMs < to).length;
    expect(await found(["duration:64..1024"])).toBe(expected(64, 1024));
    expect(await found(["duration:1024..2048", "duration:64..76.11"])).toBe(
      expected(1024, 2048) + expected(64, 2 ** 6.25),
    );
    expect(await found(["duration:.."])).toBe(timed.length);
    expect(await found(["nonsense"])).toBe(0);
  });

  it("a band, a modality and an endpoint narrow money down too", async () => {
    const filter: CallFilter = { latency: ["duration:64..1024"], modality: ["text", ""], endpoint: ["responses"] };
    const of = scope({ fromMs: FROM_MS - 1000, toMs: FROM_MS + 86_400_000 }, filter);
    const { rows } = await spendSource(db.sql, of);
    const [counted] = await db.sql`select sum(calls)::int as calls, sum(text_output)::int as tokens from ${rows} spent`;
    const calls = await countOf(of);
    expect(calls).toBeGreaterThan(5);
    expect(counted).toEqual({ calls, tokens: calls * 9 });
  });

  it("the slowest are those with the most of the metric, with their three parts", async () => {
    const slowest = await slowestOf(db.sql, scope({ fromMs: FROM_MS, toMs: FROM_MS + 86_400_000 }), "first_token", 7);
    const expected = calls
      .filter(({ at }) => Date.parse(at) >= FROM_MS)
      .filter((call) => call.outcome === "completed" && call.sentMs !== null && call.responseEndMs !== null)
      .flatMap((call) => (call.durationMs === undefined ? [] : (call.firstTokenMs ?? [])))
      .sort((a, b) => b - a);
    expect(slowest.map(({ metricMs }) => metricMs)).toEqual(expected.slice(0, 7));
    for (const { clientMs, ownMs, upstreamMs, durationMs } of slowest)
      expect(clientMs + ownMs + upstreamMs).toBeCloseTo(durationMs, 6);
  });
});

describe("a value that the rollup has folded away", () => {
  it("is read from the calls", async () => {
    await empty();
    await seedSpent(
      db.sql,
      times(505, (i) => ({ at: AT, feature: `f${String(i).padStart(3, "0")}`, durationMs: 100 })),
    );
    const of = scope(DAY, { feature: ["f504"] });
    expect((await latencySource(db.sql, of)).from).toBe("calls");
    expect(await stripsOf(db.sql, of)).toMatchObject([{ calls: 1, callsTimed: 1, upstreamMs: 100 }]);
    const routes = await routesOf(db.sql, scope(), null, 1000);
    expect(routes.find(({ feature }) => feature === "(other)")).toMatchObject({ calls: 5 });
  });
});

const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0);

async function countOf(of: Scope): Promise<number> {
  const [row] = await db.sql<{ n: number }[]>`select count(*)::int as n from calls where ${inScope(db.sql, of)}`;
  return row?.n ?? 0;
}
