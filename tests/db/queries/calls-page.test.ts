import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ensurePartitions } from "#db/partitions.ts";
import type { CallFilter, Scope } from "#db/queries/call-filter.ts";
import { optionsOf } from "#db/queries/call-options.ts";
import {
  anyCall,
  callsOfPage,
  callsOverTime,
  findCall,
  nearestCallMs,
  newestIds,
  roughCount,
} from "#db/queries/calls-page.ts";
import { snapshot } from "#db/queries/snapshot.ts";
import { rollUpCalls } from "#db/rollup-calls.ts";
import { OUTCOMES } from "#lib/call.ts";
import { cutIntoBuckets, type Interval } from "#lib/range.ts";
import { createUuid7, uuid7Ms } from "#lib/uuid7.ts";
import { type TestDatabase, testDatabase } from "#tests/support/postgres.ts";

const HOUR_MS = 3_600_000;
const FROM_MS = Date.parse("2026-03-28T00:00Z");
const DAYS = 4;
const CALLS = 3000;

let db: TestDatabase;
let ids: string[];

beforeAll(async () => {
  db = await testDatabase();
  await ensurePartitions(db.sql, FROM_MS, FROM_MS + DAYS * 24 * HOUR_MS);
  ids = await insertCalls();
  await db.sql.unsafe(rollUpCalls("true"));
});
afterAll(() => db?.drop());

const scope = (interval: Interval, filter: CallFilter = {}): Scope => ({ project: "default", interval, filter });
const everything = { fromMs: FROM_MS, toMs: FROM_MS + DAYS * 24 * HOUR_MS };

describe("the figures over a list equal its rows", () => {
  const ranges = {
    "whole days": everything,
    "ends in the middle of a quarter": { fromMs: FROM_MS + 1_234_567, toMs: FROM_MS + 50 * HOUR_MS + 77_777 },
    "within one quarter": { fromMs: FROM_MS + 30 * HOUR_MS + 1000, toMs: FROM_MS + 30 * HOUR_MS + 400_000 },
    "across one quarter's edge": { fromMs: FROM_MS + 30 * HOUR_MS - 300_000, toMs: FROM_MS + 30 * HOUR_MS + 300_000 },
    "three hours": { fromMs: FROM_MS + 40 * HOUR_MS + 1, toMs: FROM_MS + 43 * HOUR_MS + 1 },
  };
  const filters: Record<string, CallFilter> = {
    "no filter": {},
    "one feature": { feature: ["Café — «α»"] },
    "a feature or none given": { feature: ["search", ""] },
    "a model": { model: ["gpt-4o-2024-08-06"] },
    "a model that only was asked for": { model: ["gpt-4o"] },
    "no model at all": { model: [""] },
    "what did not complete, in staging": { outcome: ["failed", "client_aborted"], environment: ["staging"] },
    "a customer, which the rollup does not know": { customer: ["acme"] },
    "a value that the rollup has folded away": { feature: ["rare-700"] },
  };
  for (const [range, interval] of Object.entries(ranges))
    for (const [name, filter] of Object.entries(filters))
      it(`${range}, ${name}`, async () => {
        const of = scope(interval, filter);
        for (const zone of ["UTC", "Asia/Kolkata", "America/New_York", "Pacific/Chatham"]) {
          const { edges } = cutIntoBuckets(interval, zone);
          const slots = await callsOverTime(db.sql, of, edges);
          expect(slots.reduce((sum, { calls }) => sum + calls, 0)).toBe(await countRows(of));
          expect(slots.every(({ slot }) => slot >= 1 && slot < edges.length)).toBe(true);
        }
        const sums = sumTokens(await callsOverTime(db.sql, of, [interval.fromMs, interval.toMs]));
        expect(sums).toEqual(await tokensOfRows(of));
      });
});

// Clocks in Berlin change within these days: its columns are of unequal lengths.
it.each(["UTC", "Asia/Kolkata", "Europe/Berlin", "America/New_York"])(
  "calls are counted where they began in %s, however wide the columns are",
  async (zone) => {
    const interval = { fromMs: FROM_MS + 5 * HOUR_MS + 1_234_567, toMs: FROM_MS + 91 * HOUR_MS + 3 };
    for (const most of [3, 10, 40, 200]) {
      const { edges } = cutIntoBuckets(interval, zone, most, HOUR_MS);
      const expected = new Map<number, number>();
      for (const ms of ids.map(uuid7Ms).filter((at) => at >= interval.fromMs && at < interval.toMs)) {
        const slot = edges.findLastIndex((edge) => edge <= ms) + 1;
        expected.set(slot, (expected.get(slot) ?? 0) + 1);
      }
      const found = new Map<number, number>();
      for (const { slot, calls } of await callsOverTime(db.sql, scope(interval), edges))
        found.set(slot, (found.get(slot) ?? 0) + calls);
      expect(found).toEqual(expected);
    }
  },
);

describe("options", () => {
  it("count what choosing them shows, and ignore the filter on their own attribute", async () => {
    const interval = { fromMs: FROM_MS + 40 * HOUR_MS + 1_234_567, toMs: FROM_MS + 60 * HOUR_MS + 3 };
    const chosen: CallFilter = { feature: ["search"], outcome: ["completed"] };
    const { options } = await optionsOf(db.sql, scope(interval, chosen), "feature", 50);
    expect(options.length).toBeGreaterThan(3);
    for (const { value, calls } of options)
      expect(calls).toBe(await countRows(scope(interval, { ...chosen, feature: [value] })));
  });
  it("beyond the limit are summed", async () => {
    const { options, rest } = await optionsOf(db.sql, scope(everything), "model", 2);
    expect(options).toHaveLength(2);
    expect(options.reduce((sum, { calls }) => sum + calls, rest.calls)).toBe(ids.length);
  });
});

describe("pages", () => {
  it("go through all calls once, back and forth, while none is skipped", async () => {
    const of = scope(everything, { environment: ["production"] });
    const down: string[] = [];
    for (let before: string | undefined; ; before = down.at(-1)) {
      const rows = await callsOfPage(db.sql, of, before ? { before } : null, 400);
      down.push(...rows.slice(0, 400).map(({ id }) => id));
      if (rows.length <= 400) break;
    }
    expect(down).toEqual([...new Set(down)].sort().reverse());
    expect(down).toHaveLength(await countRows(of));
    const newer = await callsOfPage(db.sql, of, { after: down[900] as string }, 400);
    expect(newer.slice(1).map(({ id }) => id)).toEqual(down.slice(500, 900));
  });
  it("know their newest ids", async () => {
    expect(await newestIds(db.sql, scope(everything), 3)).toEqual(ids.slice(-3).reverse());
  });
});

describe("finding", () => {
  it("a call by its own id, its response's or a request's", async () => {
    const id = ids[10] as string;
    const find = (text: string) => findCall(db.sql, "default", ["default"], text, FROM_MS);
    await db.sql`insert into provider_objects values ('default', 'default', 'resp_old', ${id})`;
    expect(await find(id.toUpperCase())).toBe(id);
    expect(await find("resp_old")).toBe(id);
    expect(await find(`req_${id}`)).toBe(id);
    expect(await find("' or 1=1 --")).toBeNull();
  });
  it("the nearest calls to an empty range", async () => {
    const later = scope({ fromMs: everything.toMs, toMs: everything.toMs + HOUR_MS }, { feature: ["search"] });
    const nearest = (await nearestCallMs(db.sql, later)) ?? 0;
    expect(everything.toMs - nearest).toBeLessThan(HOUR_MS);
    expect(await nearestCallMs(db.sql, scope(everything, { feature: ["never"] }))).toBeNull();
    const earlier = { fromMs: FROM_MS - HOUR_MS, toMs: FROM_MS };
    expect(await nearestCallMs(db.sql, scope(earlier, { customer: ["acme"] }))).toBeGreaterThanOrEqual(FROM_MS);
  });
  it("knows whether there is anything at all", async () => {
    expect(await anyCall(db.sql, "default")).toBe(true);
    expect(await anyCall(db.sql, "another")).toBe(false);
    expect(await roughCount(db.sql, scope(everything))).toBe(ids.length);
  });
});

it("a page's queries see one moment and end in time", async () => {
  await snapshot(db.sql, async (tx) => {
    const before = await newestIds(tx, scope(everything), 1);
    await db.sql`update calls set environment = environment where id = ${ids[0] as string}`;
    expect(await newestIds(tx, scope(everything), 1)).toEqual(before);
  });
  await expect(snapshot(db.sql, (tx) => tx`select pg_sleep(5)`, { timeoutMs: 50 })).rejects.toThrow(
    /statement timeout/,
  );
});

async function countRows(of: Scope): Promise<number> {
  const rows = await callsOfPage(db.sql, of, null, CALLS * 2);
  return rows.length;
}

async function tokensOfRows(of: Scope) {
  const rows = await callsOfPage(db.sql, of, null, CALLS * 2);
  const sum = (source: string, pick: (row: (typeof rows)[number]) => number | null) =>
    rows.filter(({ usageSource }) => usageSource === source).reduce((all, row) => all + (pick(row) ?? 0), 0);
  return {
    inputTokens: sum("reported", (row) => row.inputTokens),
    cachedTokens: sum("reported", (row) => row.cachedTokens),
    outputTokens: sum("reported", (row) => row.outputTokens),
    inputTokensEstimated: sum("estimated", (row) => row.inputTokens),
    outputTokensEstimated: sum("estimated", (row) => row.outputTokens),
    callsWithoutUsage: sum("none", () => 1),
  };
}

function sumTokens(slots: Awaited<ReturnType<typeof callsOverTime>>) {
  const names = [
    "inputTokens",
    "cachedTokens",
    "outputTokens",
    "inputTokensEstimated",
    "outputTokensEstimated",
    "callsWithoutUsage",
  ] as const;
  return Object.fromEntries(names.map((name) => [name, slots.reduce((sum, slot) => sum + slot[name], 0)]));
}

/** Evenly spread calls, and 700 features within one quarter of an hour: more than a rollup keeps apart. */
async function insertCalls(): Promise<string[]> {
  let clock = 0;
  const nextId = createUuid7(() => clock);
  const rows = Array.from({ length: CALLS }, (_, i) => {
    const rare = i < 710;
    clock = rare ? FROM_MS + 30 * HOUR_MS + i : FROM_MS + Math.floor((i / CALLS) * DAYS * 24 * HOUR_MS);
    return { i, rare, atMs: clock };
  }).sort((a, b) => a.atMs - b.atMs);
  const pick = <T>(values: readonly T[], i: number) => values[i % values.length] as T;
  const calls = rows.map(({ i, rare, atMs }) => {
    clock = atMs;
    const id = nextId();
    const source = pick(["reported", "reported", "estimated", "none"], i);
    return {
      id,
      project_id: "default",
      environment: pick(["production", "production", "staging"], i),
      operation_id: id,
      attempt: 0,
      upstream: "default",
      started_at: new Date(uuid7Ms(id)).toISOString(),
      recorded_at: new Date(uuid7Ms(id)).toISOString(),
      decoder_version: 1,
      spool: pick(["a", "b"], i),
      run: "r",
      seq: i,
      endpoint: "chat_completions",
      method: "POST",
      path: "/v1/chat/completions",
      streamed: false,
      request_model: pick(["gpt-4o", "gpt-4o", null], i),
      model: pick(["gpt-4o-2024-08-06", "gpt-4o-mini-2024-07-18", null, null, null], i),
      feature: rare ? `rare-${i}` : pick(["search", "Café — «α»", null, "chat"], i),
      customer: pick(["acme", null, "globex"], i),
      tags: {},
      outcome: pick(OUTCOMES, Math.floor(i / 5)),
      finish_reasons: [],
      input_modalities: ["text"],
      output_modalities: ["text"],
      content_chunks: 0,
      request_bytes: 1,
      response_bytes: 1,
      cut: false,
      usage_source: source,
      input_tokens: source === "none" ? null : 10 + i,
      cached_tokens: source === "none" ? null : i % 7,
      output_tokens: source === "none" ? null : 3 * i,
      tool_call_count: 0,
      problems: [],
      upstream_request_id: `req_${id}`,
    };
  });
  await db.sql`insert into calls select * from json_populate_recordset(null::calls, ${JSON.stringify(calls)}::text::json)`;
  return calls.map(({ id }) => id);
}
