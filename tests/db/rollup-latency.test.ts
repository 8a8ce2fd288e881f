import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { rebuildRollups } from "#db/rebuild-rollups.ts";
import { recordBatch } from "#db/record-batch.ts";
import { leaseSpool, touchSpool } from "#db/spool-lease.ts";
import { type Call, OUTCOMES, type Timings } from "#lib/call.ts";
import { LATENCY_METRICS, type LatencyMetric } from "#lib/latency.ts";
import { decodeExchange } from "#lib/recorder/decode-exchange.ts";
import { createUuid7, uuid7Ms } from "#lib/uuid7.ts";
import { chatExchange } from "#tests/support/exchange.ts";
import { type TestDatabase, testDatabase } from "#tests/support/postgres.ts";
import { seeded } from "#tests/support/split.ts";

const HOUR_MS = 3_600_000;
const SUMS = [
  "calls",
  "calls_failed",
  "calls_timed",
  "client_us",
  "own_us",
  "upstream_us",
  "pace_tokens",
  "pace_us",
] as const;

/** A row of the rollup: its key, sums and histograms, as plain values. */
interface Row {
  sums: Record<(typeof SUMS)[number], number>;
  bins: Record<LatencyMetric, Record<number, number>>;
}

/** What the rollup should hold, from the calls themselves, without any of the code that makes it. */
function expected(calls: readonly Call[]): Map<string, Row> {
  const rows = new Map<string, Row>();
  for (const call of calls) {
    const key = [
      new Date(Math.floor(call.startedAt / 900_000) * 900_000).toISOString(),
      call.environment,
      call.feature ?? "",
      call.model ?? call.requestModel ?? "",
      call.endpoint,
      modalityOf(call),
    ].join(" | ");
    const row = rows.get(key) ?? {
      sums: Object.fromEntries(SUMS.map((name) => [name, 0])) as Row["sums"],
      bins: { first_byte: {}, first_token: {}, first_audio: {}, duration: {}, own: {} },
    };
    rows.set(key, row);
    add(row, call);
  }
  return rows;
}

function add({ sums, bins }: Row, { outcome, timings: t, usage, streamed }: Call) {
  sums.calls++;
  if (["failed", "truncated", "unreachable", "interrupted"].includes(outcome)) sums.calls_failed++;
  if (outcome !== "completed" || t.sentMs === null || t.responseEndMs === null || t.durationMs === null) return;
  const clientMs = Math.min(t.requestEndMs ?? 0, t.sentMs);
  const ownMs = Math.max(0, t.sentMs - clientMs - (t.connectMs ?? 0)) + Math.max(0, t.durationMs - t.responseEndMs);
  sums.calls_timed++;
  sums.client_us += clientMs * 1000;
  sums.own_us += ownMs * 1000;
  sums.upstream_us += (t.durationMs - clientMs - ownMs) * 1000;
  if (streamed && usage.source === "reported" && (usage.outputTokens ?? 0) > 1)
    if (t.firstTokenMs !== null && t.lastTokenMs !== null && t.lastTokenMs > t.firstTokenMs) {
      sums.pace_tokens += (usage.outputTokens ?? 0) - 1;
      sums.pace_us += (t.lastTokenMs - t.firstTokenMs) * 1000;
    }
  const metrics = {
    first_byte: t.firstByteMs,
    first_token: t.firstTokenMs,
    first_audio: t.firstAudioMs,
    duration: t.durationMs,
    own: ownMs,
  };
  for (const metric of LATENCY_METRICS) {
    const ms = metrics[metric];
    if (ms === null) continue;
    const bin = Math.floor(Math.log2(Math.max(ms, 0.001)) * 36 + 1e-9);
    bins[metric][bin] = (bins[metric][bin] ?? 0) + 1;
  }
}

function modalityOf({ inputModalities, outputModalities }: Call): string {
  const all = [...inputModalities, ...outputModalities];
  return ["audio", "image", "text"].find((one) => all.some((modality) => modality === one)) ?? "";
}

describe.each([18, 15] as const)("latency on PostgreSQL %i", (major) => {
  let db: TestDatabase;
  let template: Call;
  beforeAll(async () => {
    db = await testDatabase(major);
    const content = { projectId: "default", contentKey: null, knownInstructions: new Set<string>() };
    template = (await decodeExchange(chatExchange(), content)).call;
  });
  afterAll(() => db?.drop());

  async function newSpool() {
    const spool = `spool-${createUuid7()()}`;
    await leaseSpool(db.sql, spool, "me", false);
    let place = { segment: 0, offset: 0 };
    return async (calls: readonly Call[]) => {
      await touchSpool(db.sql, spool, "me");
      const high = { segment: 1, offset: place.offset + 1 };
      await recordBatch(db.sql, {
        spool,
        lease: "me",
        from: place,
        low: high,
        high,
        run: "run",
        runs: new Map(),
        calls: calls.map((call) => ({
          call: { ...call, origin: { ...call.origin, spool } },
          payload: null,
          words: null,
        })),
        feedback: [],
        sealForSetAside: () => Buffer.alloc(0),
      });
      place = high;
    };
  }

  async function stored(from: string, to: string): Promise<Map<string, Row>> {
    const rows = await db.sql`
      select *, ${db.sql.unsafe(LATENCY_METRICS.map((one) => `(${one}).bins as ${one}_bins, (${one}).counts as ${one}_counts`).join(", "))}
      from rollup_latency where bucket >= ${from}::timestamptz and bucket < ${to}::timestamptz`;
    return new Map(
      rows.map((row) => {
        const binsOf = (metric: LatencyMetric) =>
          Object.fromEntries(
            (row[`${metric}_bins`] as number[]).map((bin, i) => [bin, (row[`${metric}_counts`] as number[])[i]]),
          );
        return [
          [row.bucket.toISOString(), row.environment, row.feature, row.model, row.endpoint, row.modality].join(" | "),
          {
            sums: Object.fromEntries(SUMS.map((name) => [name, row[name]])),
            bins: Object.fromEntries(LATENCY_METRICS.map((metric) => [metric, binsOf(metric)])),
          } as Row,
        ];
      }),
    );
  }

  /** Times are eighths of a millisecond, so that no sum of them is rounded. */
  function draw(atMs: number, random: () => number, over: Partial<Call> = {}): Call {
    const one = <T>(values: readonly T[]) => values[Math.floor(random() * values.length)] as T;
    const some = (ms: number) => Math.floor(random() * ms * 8) / 8;
    const sentMs = one([null, 0, some(400), some(3)]);
    const firstByteMs = (sentMs ?? 0) + 1 + some(900);
    const timings: Timings = {
      ...template.timings,
      requestEndMs: one([null, 0.5, some(500)]),
      sentMs,
      firstByteMs,
      firstTokenMs: one([null, firstByteMs, firstByteMs + some(100)]),
      firstAudioMs: one([null, null, firstByteMs + 64]),
      lastTokenMs: one([null, firstByteMs, firstByteMs + 200 + some(4000)]),
      responseEndMs: one([null, firstByteMs + 5000, firstByteMs + 4200]),
      durationMs: one([null, firstByteMs + 5000, firstByteMs + 5000.25, 8192]),
    };
    const id = createUuid7(() => atMs)();
    return {
      ...template,
      id,
      operationId: id,
      startedAt: uuid7Ms(id),
      environment: one(["production", "staging"]),
      feature: one(["search", "Café — «α»", null]),
      model: one(["gpt-4o-2024-08-06", null]),
      endpoint: one(["chat_completions", "responses"]),
      outcome: random() < 0.8 ? "completed" : one(OUTCOMES),
      streamed: random() < 0.7,
      inputModalities: one([[], ["text"], ["text", "image"], ["audio"]]),
      outputModalities: one([[], ["text"], ["text", "audio"], ["image"]]),
      timings,
      usage: {
        ...template.usage,
        source: one(["reported", "reported", "estimated"]),
        outputTokens: one([null, 1, 2, 40]),
      },
      lines: [],
      ...over,
    };
  }

  it("equals what the calls say, after batches, replays and what a newer decoder reads, and after a rebuild", async () => {
    const random = seeded(major);
    const from = Date.UTC(2026, 4, 9, 23);
    const record = await newSpool();
    const batches = Array.from({ length: 5 }, () =>
      Array.from({ length: 60 }, () => draw(from + Math.floor(random() * 2 * HOUR_MS), random)),
    );
    for (const batch of batches) await record(batch);
    await record((batches[1] as Call[]).slice(0, 30));
    const known = new Map(batches.flat().map((call) => [call.id, call]));
    const again = [...known.values()]
      .filter(() => random() < 0.3)
      .map(({ id, startedAt }) => draw(startedAt, random, { id, startedAt, operationId: id, decoderVersion: 99 }));
    for (const call of again) known.set(call.id, call);
    await record([...again, ...(batches[0] as Call[]).filter(({ id }) => known.get(id)?.decoderVersion !== 99)]);

    const truth = expected([...known.values()]);
    expect(truth.size).toBeGreaterThan(100);
    const [start, end] = ["2026-05-09T23:00Z", "2026-05-10T01:00Z"];
    expect(await stored(start, end)).toEqual(truth);
    await rebuildRollups(db.sql, from, from + 2 * HOUR_MS);
    expect(await stored(start, end)).toEqual(truth);
  });

  it("leaves nothing of a call that is read again under another name", async () => {
    const random = seeded(5);
    const record = await newSpool();
    const call = draw(Date.UTC(2026, 4, 20), random, { feature: "old-name", outcome: "completed" });
    await record([call]);
    const renamed = { ...call, feature: "new-name", decoderVersion: 99 };
    await record([renamed]);
    expect(await stored("2026-05-20", "2026-05-21")).toEqual(expected([renamed]));
  });

  it("keeps a bounded number of values apart in a bucket and calls the rest (other), losing no count", async () => {
    const random = seeded(6);
    const record = await newSpool();
    const calls = Array.from({ length: 620 }, (_, i) =>
      draw(Date.UTC(2026, 5, 1), random, { feature: `feature ${i}`, timings: { ...template.timings, ...TIMED } }),
    ).map((call): Call => ({ ...call, outcome: "completed" }));
    await record(calls.slice(0, 300));
    await record(calls.slice(300));
    const rows = await db.sql`
      select feature = '(other)' as other, count(distinct feature)::int as features, sum(calls)::int as calls,
        sum((select sum(n) from unnest((duration).counts) n))::int as counted
      from rollup_latency where bucket >= '2026-06-01' and bucket < '2026-06-02' group by 1 order by 1`;
    expect([...rows]).toEqual([
      { other: false, features: 500, calls: 500, counted: 500 },
      { other: true, features: 1, calls: 120, counted: 120 },
    ]);
  });

  it("puts no edge of a heatmap's row below itself", async () => {
    const edges = Array.from({ length: 159 }, (_, i) => 2 ** ((i - 39) / 4));
    const bins =
      await db.sql`select latency_bin(ms) as bin from unnest(${edges}::float8[]) with ordinality as x (ms, i) order by i`;
    expect(bins.map(({ bin }) => bin)).toEqual(edges.map((_, i) => (i - 39) * 9));
    const [ends] = await db.sql`
      select latency_bin(0) = latency_bin(1e-9) as low, latency_bin('Infinity') = latency_bin(1e9) as high, latency_bin(null) as none`;
    expect(ends).toEqual({ low: true, high: true, none: null });
  });
});

const TIMED = { sentMs: 1, responseEndMs: 900, durationMs: 1000 };
