import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { closeMonth } from "#db/close-month.ts";
import { callsOverTime } from "#db/queries/calls-page.ts";
import { rebuildRollups } from "#db/rebuild-rollups.ts";
import { recordBatch } from "#db/record-batch.ts";
import { leaseSpool } from "#db/spool-lease.ts";
import type { Call, UsageLine } from "#lib/call.ts";
import { priceLines } from "#lib/pricing/price-lines.ts";
import { decodeExchange } from "#lib/recorder/decode-exchange.ts";
import { createUuid7, uuid7Ms } from "#lib/uuid7.ts";
import { chatExchange } from "#tests/support/exchange.ts";
import { type TestDatabase, testDatabase } from "#tests/support/postgres.ts";
import { usageOf } from "#tests/support/store-calls.ts";

const DAY_MS = 86_400_000;
const QUARTER_MS = 900_000;
const FROM_MS = Date.UTC(2026, 4, 4, 10);
const SPOOL = "spool-operations";

/** 1,000 input and 100 output tokens on gpt-4o-2024-08-06: 0.0025 + 0.001 = 0.0035 USD. */
const linesOf = (source: UsageLine["source"], output = 100): UsageLine[] =>
  [
    { direction: "input" as const, quantity: 1000 },
    { direction: "output" as const, quantity: output },
  ].map((line) => ({ ...line, modality: "text", cache: "none", unit: "token", product: null, source }));

async function callAt(ms: number, over: Partial<Call> = {}, lines = linesOf("reported")): Promise<Call> {
  const options = { projectId: "default", contentKey: null, knownInstructions: new Set<string>() };
  const { call } = await decodeExchange(chatExchange(), options);
  const id = over.id ?? createUuid7(() => ms)();
  const changed = { ...call, operationId: id, model: "gpt-4o-2024-08-06", responseId: null, ...over };
  return {
    ...changed,
    id,
    startedAt: uuid7Ms(id),
    origin: { ...call.origin, spool: SPOOL },
    usage: usageOf({ ...call.usage, source: lines[0]?.source ?? "none" }, lines),
    lines: priceLines(lines, { ...changed, startedAt: uuid7Ms(id), inputTokens: null }),
  };
}

describe.each([18, 15] as const)("operations and costs by outcome on PostgreSQL %i", (major) => {
  let db: TestDatabase;
  let offset = 0;
  beforeAll(async () => {
    db = await testDatabase(major);
    await leaseSpool(db.sql, SPOOL, "me", false);
  });
  afterAll(() => db?.drop());
  beforeEach(() => db.sql`truncate calls, usage_lines, rollup_calls, rollup_latency, rollup_spend`);

  async function record(...calls: Call[]) {
    const from = { segment: offset && 1, offset };
    offset += 100;
    const high = { segment: 1, offset };
    await recordBatch(db.sql, {
      spool: SPOOL,
      lease: "me",
      from,
      low: high,
      high,
      run: "run",
      runs: new Map([["run", { accepted: calls.length, started: calls.length, dropped: {}, atRisk: 0 }]]),
      calls: calls.map((call) => ({ call, payload: null, words: null })),
      feedback: [],
      sealForSetAside: () => Buffer.alloc(0),
    });
  }
  const rows = () => db.sql`
    select
      project_id as project, extract(epoch from bucket)::float8 * 1000 as bucket, feature, outcome, calls, operations,
      trim_scale(cost_usd)::text as usd, trim_scale(cost_estimated_usd)::text as estimated,
      calls_unpriced as unpriced
    from rollup_calls order by 1, 2, 3, 4`;
  const row = (
    ms: number,
    outcome: string,
    [calls, operations, usd, estimated]: [number, number | null, string, string],
  ) => ({
    project: "default",
    bucket: Math.floor(ms / QUARTER_MS) * QUARTER_MS,
    feature: "",
    outcome,
    calls,
    operations,
    usd,
    estimated,
    unpriced: 0,
  });
  const operationsIn = async (fromMs: number, toMs: number) => {
    const slots = await callsOverTime(db.sql, { project: "default", interval: { fromMs, toMs }, filter: {} }, [
      fromMs,
      toMs,
    ]);
    return slots.map(({ calls, operations }) => [calls, operations]);
  };

  it("count the first attempts, in the quarter of an hour of each, and what every attempt cost", async () => {
    const first = await callAt(FROM_MS + QUARTER_MS - 1, { outcome: "failed" }, []);
    const again = { operationId: first.id, attempt: 1 };
    await record(
      first,
      await callAt(FROM_MS + QUARTER_MS + 500, { ...again, outcome: "client_aborted" }, linesOf("estimated")),
      await callAt(FROM_MS + QUARTER_MS + 900, { ...again, attempt: 2 }),
      await callAt(FROM_MS + QUARTER_MS + 1000),
      await callAt(FROM_MS, { projectId: "other" }),
    );
    const later = FROM_MS + QUARTER_MS;
    const expected = [
      row(FROM_MS, "failed", [1, 1, "0", "0"]),
      row(later, "client_aborted", [1, 0, "0", "0.0035"]),
      row(later, "completed", [2, 1, "0.007", "0"]),
      { ...row(FROM_MS, "completed", [1, 1, "0.0035", "0"]), project: "other" },
    ];
    expect(await rows()).toEqual(expected);
    await rebuildRollups(db.sql, FROM_MS, FROM_MS + 1);
    expect(await rows()).toEqual(expected);
    // Whole quarters from the rollup, and a range that takes its ends from the calls.
    expect(await operationsIn(FROM_MS, FROM_MS + DAY_MS / 24)).toEqual(
      expect.arrayContaining([
        [1, 0],
        [1, 1],
        [2, 1],
      ]),
    );
    expect(await operationsIn(later + 501, later + 1000)).toEqual([[1, 0]]);
  });

  it("follow a call that is read again: another attempt, another outcome, another cost", async () => {
    const call = await callAt(FROM_MS);
    await record(call, await callAt(FROM_MS + 1, { feature: "stays" }));
    const better = { id: call.id, decoderVersion: call.decoderVersion + 1, attempt: 1, outcome: "truncated" as const };
    await record(await callAt(FROM_MS, better, linesOf("estimated", 300)));
    const stays = { ...row(FROM_MS, "completed", [1, 1, "0.0035", "0"]), feature: "stays" };
    expect(await rows()).toEqual([row(FROM_MS, "truncated", [1, 0, "0", "0.0055"]), stays]);
    await record(await callAt(FROM_MS, { ...better, decoderVersion: 9, attempt: 0, outcome: "completed" }));
    expect(await rows()).toEqual([row(FROM_MS, "completed", [1, 1, "0.0035", "0"]), stays]);
  });

  it("stand beside how many calls have no price, each once, until it has one", async () => {
    const unpriced = await callAt(FROM_MS, { model: "nobody-knows-it" });
    const contradicts = await callAt(FROM_MS + 1, { problems: ["usage_inconsistent"] }, []);
    await record(
      unpriced,
      contradicts,
      await callAt(FROM_MS + 2),
      await callAt(FROM_MS + 3, { outcome: "failed" }, []),
    );
    const priced = row(FROM_MS, "completed", [1, 1, "0.0035", "0"]);
    const failed = row(FROM_MS, "failed", [1, 1, "0", "0"]);
    const before = [{ ...priced, calls: 2, operations: 2, unpriced: 1 }, { ...priced, usd: "0", unpriced: 1 }, failed];
    expect(await rows()).toEqual(expect.arrayContaining(before));
    await rebuildRollups(db.sql, FROM_MS, FROM_MS + 1);
    expect(await rows()).toEqual(expect.arrayContaining(before));
    await record(await callAt(FROM_MS, { id: unpriced.id, decoderVersion: 9 }));
    expect(await rows()).toEqual([{ ...priced, calls: 3, operations: 3, usd: "0.007", unpriced: 1 }, failed]);
  });

  it("are those that are known now, also of a month that is closed", async () => {
    const call = await callAt(FROM_MS);
    await record(call);
    await closeMonth(db.sql, { project: "default", month: "2026-05-01", by: null });
    await record(await callAt(FROM_MS, { id: call.id, decoderVersion: 9 }, linesOf("reported", 300)));
    const expected = [row(FROM_MS, "completed", [1, 1, "0.0055", "0"])];
    expect(await rows()).toEqual(expected);
    await rebuildRollups(db.sql, FROM_MS, FROM_MS + 1);
    expect(await rows()).toEqual(expected);
    await db.sql`truncate closed_periods, booked_as`;
  });

  it("stay unknown where they were not counted before, whatever is added, until the day is counted again", async () => {
    await record(await callAt(FROM_MS), await callAt(FROM_MS + QUARTER_MS));
    await db.sql`
      update rollup_calls set operations = null, cost_usd = null, cost_estimated_usd = null, calls_unpriced = null
      where bucket = ${new Date(FROM_MS)}`;
    await record(await callAt(FROM_MS + 2));
    const [unknown] = await rows();
    expect(unknown).toMatchObject({ calls: 2, operations: null, usd: null, estimated: null, unpriced: null });
    expect(await operationsIn(FROM_MS, FROM_MS + 2 * QUARTER_MS)).toEqual([[3, null]]);
    expect(await operationsIn(FROM_MS + QUARTER_MS, FROM_MS + 2 * QUARTER_MS)).toEqual([[1, 1]]);
    await rebuildRollups(db.sql, FROM_MS, FROM_MS + 1);
    expect(await operationsIn(FROM_MS, FROM_MS + 2 * QUARTER_MS)).toEqual([[3, 3]]);
  });
});
