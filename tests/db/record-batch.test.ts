import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { matchFeedback } from "#db/match-feedback.ts";
import { rebuildRollups } from "#db/rebuild-rollups.ts";
import { LeaseLost, type RecordBatch, recordBatch, type SpoolPlace } from "#db/record-batch.ts";
import { leaseSpool, touchSpool } from "#db/spool-lease.ts";
import type { RecordedCall } from "#db/stored-calls.ts";
import type { Call } from "#lib/call.ts";
import type { Feedback } from "#lib/feedback.ts";
import { noUsage } from "#lib/openai/no-facts.ts";
import { decodeExchange } from "#lib/recorder/decode-exchange.ts";
import { createUuid7, uuid7Ms } from "#lib/uuid7.ts";
import { chatExchange } from "#tests/support/exchange.ts";
import { type TestDatabase, testDatabase } from "#tests/support/postgres.ts";

const DAY_MS = 86_400_000;

async function newCall(over: Partial<Call> = {}): Promise<RecordedCall> {
  const { call } = await decodeExchange(chatExchange(), {
    projectId: "default",
    contentKey: null,
    knownInstructions: new Set<string>(),
  });
  const changed = { ...call, ...over };
  return { call: { ...changed, startedAt: uuid7Ms(changed.id), operationId: changed.id }, payload: null, words: null };
}

describe.each([18, 15] as const)("the store on PostgreSQL %i", (major) => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await testDatabase(major);
  });
  afterAll(() => db.drop());

  /** A spool of its own, leased, with a place that moves on by one with each batch. */
  async function newSpool() {
    const spool = `spool-${createUuid7()()}`;
    await leaseSpool(db.sql, spool, "me", false);
    let at: SpoolPlace = { segment: 0, offset: 0 };
    return {
      spool,
      batch(calls: RecordedCall[], over: Partial<RecordBatch> = {}): RecordBatch {
        const high = { segment: 1, offset: at.offset + 100 };
        return {
          spool,
          lease: "me",
          from: at,
          low: high,
          high,
          run: "run-1",
          runs: new Map([["run-1", { accepted: calls.length, started: calls.length, dropped: {}, atRisk: 0 }]]),
          calls: calls.map((one) => ({ ...one, call: { ...one.call, origin: { ...one.call.origin, spool } } })),
          feedback: [],
          sealForSetAside: (call) => Buffer.from(JSON.stringify(call)),
          ...over,
        };
      },
      async record(calls: RecordedCall[], over: Partial<RecordBatch> = {}) {
        const batch = this.batch(calls, over);
        const done = await recordBatch(db.sql, batch);
        at = batch.high;
        return done;
      },
    };
  }
  const stored = async (id: string) => (await db.sql`select * from calls where id = ${id}`)[0];
  const rollups = (spool: string) =>
    db.sql`select * from rollup_calls where writer = ${spool} and calls <> 0 order by bucket, feature, model, outcome`;

  it("keeps every fact of a call, and unknown stays null", async () => {
    const spool = await newSpool();
    const one = await newCall({ feature: "Café — «α»", firstTokenMs: null } as Partial<Call>);
    await spool.record([one]);
    expect(await stored(one.call.id)).toMatchObject({
      feature: "Café — «α»",
      model: "gpt-4o-2024-08-06",
      input_tokens: 13,
      output_tokens: 8,
      usage_source: "reported",
      first_token_ms: null,
      outcome: "completed",
      started_at: new Date(uuid7Ms(one.call.id)),
    });
    const lines =
      await db.sql`select direction, quantity, cost_usd from usage_lines where call_id = ${one.call.id} order by 1`;
    expect([...lines]).toEqual([
      { direction: "input", quantity: "13", cost_usd: "0.0000325" },
      { direction: "output", quantity: "8", cost_usd: "0.00008" },
    ]);
  });

  it("keeps sealed content beside the facts, with what was redacted", async () => {
    const spool = await newSpool();
    const one = { ...(await newCall()), payload: { sealed: Buffer.from([0, 255, 92, 10]), redactions: { card: 2 } } };
    await spool.record([one]);
    expect(await db.sql`select sealed, redactions from payloads where call_id = ${one.call.id}`).toEqual([
      { sealed: Buffer.from([0, 255, 92, 10]), redactions: { card: 2 } },
    ]);
  });

  it("stores a batch once, however often it is tried", async () => {
    const spool = await newSpool();
    const calls = [await newCall(), await newCall()];
    const batch = spool.batch(calls);
    await recordBatch(db.sql, batch);
    await expect(recordBatch(db.sql, batch)).rejects.toThrow(LeaseLost);
    expect(await db.sql`select count(*)::int as n from calls where spool = ${spool.spool}`).toMatchObject([{ n: 2 }]);
    expect((await rollups(spool.spool))[0]).toMatchObject({ calls: 2, input_tokens: 26 });
  });

  it("does not count a call twice when its spool is read again from the start", async () => {
    const first = await newSpool();
    const again = await newSpool();
    const calls = [await newCall(), await newCall()];
    await first.record(calls);
    await again.record(calls);
    const ids = calls.map(({ call }) => call.id);
    expect(await db.sql`select count(*)::int as n from calls where id = any(${ids}::uuid[])`).toMatchObject([{ n: 2 }]);
    expect(await rollups(again.spool)).toHaveLength(0);
  });

  it("refuses a batch of a recorder that has lost its lease", async () => {
    const spool = await newSpool();
    const batch = spool.batch([await newCall()]);
    expect(await leaseSpool(db.sql, spool.spool, "other", false)).toBeNull();
    expect(await leaseSpool(db.sql, spool.spool, "other", true)).toMatchObject({ high: { segment: 0, offset: 0 } });
    await expect(recordBatch(db.sql, batch)).rejects.toThrow(LeaseLost);
    expect(await touchSpool(db.sql, spool.spool, "me")).toBe(false);
    expect(await stored(batch.calls[0]?.call.id as string)).toBeUndefined();
  });

  it("sets aside the one call that the database refuses, keeps it, and stores the rest", async () => {
    const spool = await newSpool();
    const good = await newCall();
    const bad = await newCall({ outcome: "exploded" as Call["outcome"] });
    expect(await spool.record([good, bad])).toEqual({ stored: 1, setAside: 1 });
    expect(await stored(good.call.id)).toBeDefined();
    expect(await db.sql`select id, reason from set_aside where id = ${bad.call.id}`).toMatchObject([
      { reason: expect.stringContaining("calls_outcome") },
    ]);
    expect(await db.sql`select accepted, stored, set_aside from spool_runs where spool = ${spool.spool}`).toMatchObject(
      [{ accepted: 2, stored: 1, set_aside: 1 }],
    );
  });

  it("sets aside a call whose text is too long for an index", async () => {
    const spool = await newSpool();
    const long = Array.from({ length: 4000 }, (_, i) => String.fromCodePoint(0x4e00 + ((i * 7919) % 20000))).join("");
    expect(await spool.record([await newCall({ model: long }), await newCall()])).toEqual({ stored: 1, setAside: 1 });
  });

  it("makes no partitions for the time between two calls that lie far apart", async () => {
    const spool = await newSpool();
    const at = (ms: number) => newCall({ id: createUuid7(() => ms)() });
    await spool.record([await at(Date.UTC(2025, 0, 6)), await at(Date.UTC(2026, 0, 6))]);
    const [{ n } = { n: 0 }] = await db.sql`
      select count(*)::int as n from pg_inherits where inhparent = 'payloads'::regclass
        and inhrelid::regclass::text between 'payloads_p20250101' and 'payloads_p20251231'`;
    expect(n).toBe(1);
  });

  it("stores text that Postgres cannot hold as it is: U+0000 and lone surrogates", async () => {
    const spool = await newSpool();
    const one = await newCall({ feature: "a\u0000b\ud800c" });
    expect(await spool.record([one])).toEqual({ stored: 1, setAside: 0 });
    expect((await stored(one.call.id))?.feature).toBe("a\ufffdb\ufffdc");
  });

  it("makes the partitions for calls from another season", async () => {
    const spool = await newSpool();
    const old = await newCall({ id: createUuid7(() => Date.UTC(2024, 4, 13, 12))() });
    await spool.record([old]);
    expect((await stored(old.call.id))?.started_at).toEqual(new Date(Date.UTC(2024, 4, 13, 12)));
  });

  it("replaces what an older decoder had read, in the rollups too", async () => {
    const spool = await newSpool();
    const one = await newCall({ decoderVersion: 1 });
    await spool.record([one]);
    const usage = { ...one.call.usage, inputTokens: 1000, totalTokens: 1008 };
    const lines = one.call.lines.map((line) => (line.direction === "input" ? { ...line, quantity: 1000 } : line));
    await spool.record([{ ...one, call: { ...one.call, decoderVersion: 2, usage, lines } }]);
    expect(await stored(one.call.id)).toMatchObject({ decoder_version: 2, input_tokens: 1000 });
    expect((await rollups(spool.spool))[0]).toMatchObject({ calls: 1, input_tokens: 1000 });
    expect(await db.sql`select sum(quantity)::int as n from usage_lines where call_id = ${one.call.id}`).toMatchObject([
      { n: 1008 },
    ]);
    // An older decoder never undoes a newer one.
    await spool.record([one]);
    expect(await stored(one.call.id)).toMatchObject({ decoder_version: 2, input_tokens: 1000 });
  });

  it("keeps what an older decoder had stored of a call that the database refuses now", async () => {
    const spool = await newSpool();
    const one = await newCall({ decoderVersion: 1 });
    await spool.record([one]);
    const impossible = { ...one.call.usage, inputTokens: 1, cachedTokens: 99 };
    const done = await spool.record([{ ...one, call: { ...one.call, decoderVersion: 2, usage: impossible } }]);
    expect(done).toEqual({ stored: 0, setAside: 1 });
    expect(await stored(one.call.id)).toMatchObject({ decoder_version: 1, input_tokens: 13 });
    const lines = await db.sql`select count(*)::int as n from usage_lines where call_id = ${one.call.id}`;
    expect([...lines]).toEqual([{ n: 2 }]);
  });

  it("books late calls of a closed month into the first open one, and leaves the closed month's lines alone", async () => {
    const spool = await newSpool();
    const newId = createUuid7(() => Date.UTC(2026, 2, 20));
    const inMarch = () => newCall({ id: newId(), decoderVersion: 1 });
    const early = await inMarch();
    await spool.record([early]);
    await db.sql`insert into closed_periods (project_id, month) values ('default', '2026-03-01'), ('default', '2026-04-01')`;
    const closed = () =>
      db.sql`select call_id, adjustment, direction, quantity, booked_on::text from usage_lines where booked_on between '2026-03-01' and '2026-04-30' order by 1, 2, 3`;
    const before = await closed();

    const late = await inMarch();
    await spool.record([late]);
    const lines = early.call.lines.map((line) => (line.direction === "output" ? { ...line, quantity: 3 } : line));
    const usage = { ...early.call.usage, outputTokens: 3 };
    await spool.record([{ ...early, call: { ...early.call, decoderVersion: 2, usage, lines } }]);

    expect(await closed()).toEqual(before);
    const booked = await db.sql`
      select call_id, direction, quantity, adjustment, booked_on::text from usage_lines
      where booked_on = '2026-05-01' order by call_id, direction, adjustment`;
    expect([...booked]).toEqual([
      { call_id: early.call.id, direction: "output", quantity: "-8", adjustment: 1, booked_on: "2026-05-01" },
      { call_id: early.call.id, direction: "output", quantity: "3", adjustment: 2, booked_on: "2026-05-01" },
      { call_id: late.call.id, direction: "input", quantity: "13", adjustment: 0, booked_on: "2026-05-01" },
      { call_id: late.call.id, direction: "output", quantity: "8", adjustment: 0, booked_on: "2026-05-01" },
    ]);
    await db.sql`delete from closed_periods`;
  });

  it("goes on behind calls that can each be stored but not together", async () => {
    const spool = await newSpool();
    const most = await newCall();
    // A bigint holds 9.2e18: each fits, their sum does not.
    const usage = { ...most.call.usage, inputTokens: 5e18 };
    const lines = most.call.lines.map((line) => (line.direction === "input" ? { ...line, quantity: 5e18 } : line));
    const calls = [await newCall({ usage, lines }), await newCall({ usage, lines }), await newCall()];
    expect(await spool.record(calls)).toEqual({ stored: 0, setAside: 3 });
    const [run] = await db.sql`select stored, set_aside from spool_runs where spool = ${spool.spool}`;
    expect(run).toEqual({ stored: 0, set_aside: 3 });
    expect(await rollups(spool.spool)).toEqual([]);
    expect(await spool.record([await newCall()])).toEqual({ stored: 1, setAside: 0 });
  });

  it("joins feedback with its call whether it comes before or after", async () => {
    const spool = await newSpool();
    const one = await newCall();
    const id = createUuid7();
    const feedback = (target: Feedback["target"]): Feedback => ({
      id: id(),
      receivedAtMs: Date.now(),
      target,
      item: null,
      rating: "up",
      score: null,
      comment: null,
      correction: null,
      labels: [],
      rater: "",
    });
    const early = feedback({ kind: "response", id: one.call.responseId as string });
    const never = feedback({ kind: "response", id: "resp_of_somebody_else" });
    await spool.record([], { feedback: [early, never] });
    await matchFeedback(db.sql, true);
    expect(
      await db.sql`select 1 from feedback where call_id is not null and id = any(${[early.id, never.id]}::uuid[])`,
    ).toHaveLength(0);
    const late = feedback({ kind: "call", id: one.call.id });
    await spool.record([one], { feedback: [late] });
    await matchFeedback(db.sql, true);
    const rows =
      await db.sql`select id, call_id from feedback where id = any(${[early.id, late.id, never.id]}::uuid[]) order by id`;
    expect([...rows]).toEqual([
      { id: early.id, call_id: one.call.id },
      { id: never.id, call_id: null },
      { id: late.id, call_id: one.call.id },
    ]);
  });

  it("has rollups that equal what is recomputed from calls", async () => {
    const spool = await newSpool();
    const at = Date.UTC(2026, 5, 10);
    const newId = [0, 1, 2, 3].map((day) => createUuid7(() => at + day * DAY_MS + day * 3_600_000));
    for (let i = 0; i < 6; i++) {
      const calls = await Promise.all(
        Array.from({ length: 20 }, (_, k) =>
          newCall({
            id: (newId[k % 4] as () => string)(),
            feature: ["search", "chat", null][k % 3] as string | null,
            outcome: k % 7 === 0 ? "failed" : "completed",
            ...(k % 5 === 0 && { usage: noUsage(), lines: [] }),
          }),
        ),
      );
      await spool.record(calls);
    }
    const before = await rollups(spool.spool);
    expect(before.length).toBeGreaterThan(8);
    await rebuildRollups(db.sql, at, at + 5 * DAY_MS);
    expect(await rollups(spool.spool)).toEqual(before);
  });

  it("keeps a bounded number of values apart in a bucket and calls the rest (other), losing no count", async () => {
    const spool = await newSpool();
    const newId = createUuid7(() => Date.UTC(2026, 6, 1));
    const calls = await Promise.all(
      Array.from({ length: 620 }, (_, i) => newCall({ id: newId(), feature: `feature ${i}` })),
    );
    await spool.record(calls.slice(0, 300));
    await spool.record(calls.slice(300));
    const rows = await rollups(spool.spool);
    expect(rows.filter((row) => row.feature !== "(other)")).toHaveLength(500);
    expect(rows.find((row) => row.feature === "(other)")).toMatchObject({ calls: 120 });
    expect(rows.reduce((sum, row) => sum + row.calls, 0)).toBe(620);
  });
});
