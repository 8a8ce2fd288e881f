import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compare } from "#app/calls/[id]/comparison.ts";
import { type Moments, whoseTime } from "#app/calls/[id]/stages.ts";
import { ensurePartitions } from "#db/partitions.ts";
import { attemptsOf, callFacts } from "#db/queries/call-page.ts";
import { comparableCalls } from "#db/queries/comparable-calls.ts";
import { type TestDatabase, testDatabase } from "#tests/support/postgres.ts";
import { type SpentCall, seedSpent } from "#tests/support/seed-spent.ts";
import { seeded } from "#tests/support/split.ts";

const AT = Date.parse("2026-06-15T12:00:00.000Z");
const MINUTE_MS = 60_000;
const WEEK_MS = 7 * 24 * 60 * MINUTE_MS;
const at = (ms: number) => new Date(AT + ms).toISOString();

let db: TestDatabase;
beforeAll(async () => {
  db = await testDatabase();
  await ensurePartitions(db.sql, AT - 2 * WEEK_MS, AT + WEEK_MS);
});
afterAll(() => db?.drop());

/** Stores calls, the first of which is the one that is looked at; durations tell which of the others were found. */
async function found(calls: Partial<SpentCall>[], change = "", limits?: { looked: number; taken: number }) {
  await db.sql`truncate calls, usage_lines, rollup_calls, rollup_spend`;
  const ids = await seedSpent(
    db.sql,
    calls.map((call, i) => ({ at: at(-i * MINUTE_MS), durationMs: i, ...call })),
  );
  if (change) await db.sql.unsafe(change, [ids as never]);
  const call = await callFacts(db.sql, "default", ids[0] as string);
  const comparable = call && (await comparableCalls(db.sql, "default", call, limits));
  return comparable && { by: comparable.by, ms: comparable.calls.map(({ durationMs }) => durationMs) };
}

describe("comparable calls", () => {
  const reply = { template: "support_reply", unit: "u1", feature: "chat" };
  it("have the same template, model, endpoint and way of answering, and completed", async () => {
    const others = [
      reply,
      { ...reply, feature: "other", unit: "u2", customer: "acme", version: "13" },
      { ...reply, template: "support_triage" },
      { ...reply, model: "gpt-4o-mini-2024-07-18" },
      { ...reply, outcome: "failed" },
      { ...reply, streamed: true },
      reply,
    ];
    expect(await found([reply, ...others])).toEqual({ by: "template", ms: [1, 2, 7] });
    const elsewhere = `update calls set endpoint = 'responses' where id = ($1::uuid[])[2]`;
    expect(await found([reply, reply, reply], elsewhere)).toEqual({ by: "template", ms: [2] });
    const anothers = `update calls set project_id = 'another' where id = ($1::uuid[])[2]`;
    expect(await found([reply, reply, reply], anothers)).toEqual({ by: "template", ms: [2] });
  });
  it("are those with the same instructions, else the same feature, where nothing narrower is known", async () => {
    const others = [{ unit: "u1" }, { feature: "chat" }, { unit: "u2", feature: "chat" }, { unit: "u1", feature: "x" }];
    expect(await found([{ unit: "u1", feature: "chat" }, ...others])).toEqual({ by: "instructions", ms: [1, 4] });
    expect(await found([{ feature: "chat" }, ...others])).toEqual({ by: "feature", ms: [2, 3] });
    expect(await found([{}, ...others, {}])).toBeNull();
  });
  it("are of the seven days before, not of the time after, and never the call itself", async () => {
    const moments = [0, 1, -WEEK_MS, -WEEK_MS - 1, -1].map((ms) => ({ ...reply, at: at(ms) }));
    expect(await found(moments)).toEqual({ by: "template", ms: [4, 2] });
  });
  it("are those of the model that was asked for, when no model answered", async () => {
    const refused = { ...reply, outcome: "failed", model: "gpt-4o" };
    const change = `update calls set model = null where id = ($1::uuid[])[1]`;
    // Here both models have one name; a call that was asked for under another name is none of them.
    const others = [
      { ...reply, model: "gpt-4o" },
      { ...reply, model: "gpt-4.1" },
    ];
    expect(await found([refused, ...others], change)).toEqual({ by: "template", ms: [1] });
  });
  it("are looked for among few calls, also when hardly any was asked of that model", async () => {
    const misspelt = { ...reply, outcome: "failed", model: "gpt-4oo" };
    const change = `update calls set model = null where id = ($1::uuid[])[1]`;
    const calls = [misspelt, ...Array.from({ length: 9 }, () => reply), { ...reply, model: "gpt-4oo" }];
    expect(await found(calls, change, { looked: 10, taken: 10 })).toEqual({ by: "template", ms: [10] });
    expect(await found(calls, change, { looked: 9, taken: 10 })).toEqual({ by: "template", ms: [] });
  });
  it("are the newest, within both limits", async () => {
    const calls = Array.from({ length: 12 }, (_, i) => (i % 3 ? { ...reply, template: "other" } : reply));
    expect(await found(calls, "", { looked: 100, taken: 2 })).toEqual({ by: "template", ms: [3, 6] });
    expect(await found(calls, "", { looked: 7, taken: 100 })).toEqual({ by: "template", ms: [3, 6] });
  });
});

it("whose time a call took is on its page what it is in every sum", async () => {
  const random = seeded(99);
  const anyMs = () => (random() < 0.2 ? null : Math.round(random() * 1000));
  const calls = Array.from({ length: 200 }, (): Moments => {
    const some = {
      requestEndMs: anyMs(),
      connectMs: anyMs(),
      sentMs: Math.round(random() * 500),
      responseEndMs: anyMs(),
    };
    const none = { firstByteMs: null, firstTokenMs: null, lastTokenMs: null };
    return { ...none, ...some, streamed: false, durationMs: Math.round(random() * 1500) };
  });
  const rows = await db.sql<{ client: number; omnimeter: number }[]>`
    select
      call_client_ms("requestEndMs", "sentMs") as client,
      call_own_ms("requestEndMs", "connectMs", "sentMs", "responseEndMs", "durationMs") as omnimeter
    from json_to_recordset(${JSON.stringify(calls)}::text::json) as one
      ("requestEndMs" float8, "connectMs" float8, "sentMs" float8, "responseEndMs" float8, "durationMs" float8)`;
  for (const [i, call] of calls.entries()) expect(whoseTime(call)).toMatchObject({ ...rows[i] });
});

it("a call is compared by what its row says", async () => {
  await db.sql`truncate calls, usage_lines, rollup_calls, rollup_spend`;
  const ids = await seedSpent(
    db.sql,
    Array.from({ length: 21 }, (_, i) => ({
      at: at(-i * MINUTE_MS),
      feature: "chat",
      streamed: true,
      firstTokenMs: 100,
      durationMs: 600,
    })),
  );
  await db.sql`update calls set last_token_ms = 600, output_tokens = 101, usage_source = 'reported', sent_ms = 1, connect_ms = 1`;
  const call = await callFacts(db.sql, "default", ids[0] as string);
  if (!call) throw new Error("the call is not stored");
  const comparison = compare(call, await comparableCalls(db.sql, "default", call));
  expect(comparison).toMatchObject({
    by: "feature",
    n: 20,
    newConnections: 20,
    durationMs: { n: 20, p50: 600, tail: null },
    tokensPerSecond: { n: 20, p50: 200, tail: null },
  });
});

it("the calls of an operation come with what each cost", async () => {
  await db.sql`truncate calls, usage_lines, rollup_calls, rollup_spend`;
  const ids = await seedSpent(db.sql, [
    { at: at(0), outcome: "failed" },
    { at: at(1500), tokens: [10, 0, 5], costUsd: "0.000000000007" },
    { at: at(1600), tokens: [10, 0, 5], costUsd: null },
    { at: at(1700), tokens: [10, 0, 5], costUsd: "9" },
  ]);
  await db.sql`update calls set operation_id = ${ids[0] as string} where id in ${db.sql(ids.slice(0, 3))}`;
  const call = await callFacts(db.sql, "default", ids[1] as string);
  if (!call) throw new Error("the call is not stored");
  const attempts = await attemptsOf(db.sql, "default", call, 10);
  expect(attempts.map(({ id, costUsd, unpriced }) => [ids.indexOf(id), costUsd, unpriced])).toEqual([
    [0, null, false],
    [1, "0.000000000007", false],
    [2, null, true],
  ]);
  expect(await attemptsOf(db.sql, "default", call, 2)).toHaveLength(2);
});
