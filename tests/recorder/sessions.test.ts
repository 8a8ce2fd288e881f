import { randomBytes } from "node:crypto";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { DECODER_VERSION, decode } from "#lib/openai/decode.ts";
import type { ChildFacts } from "#lib/openai/facts.ts";
import { noUsage } from "#lib/openai/no-facts.ts";
import { openContent } from "#lib/privacy/seal.ts";
import type { Decoder } from "#lib/recorder/decode-exchange.ts";
import { recordSpool } from "#lib/recorder/record-spool.ts";
import type { Store } from "#lib/recorder/store.ts";
import { FRAME } from "#lib/spool/frames.ts";
import { listSegments } from "#lib/spool/segment.ts";
import { createSpoolWriter, type SpoolWriter } from "#lib/spool/writer.ts";
import { chatExchange, endOf } from "#tests/support/exchange.ts";
import { memoryStore } from "#tests/support/memory-store.ts";
import { seeded } from "#tests/support/split.ts";
import { openSession } from "#tests/support/spooled-session.ts";
import { TINY_MODEL, tinyReader } from "#tests/support/tiny-session.ts";

const spoolKey = randomBytes(32);
const contentKey = randomBytes(32);

/** A spool and its store, and recorders that can be stopped, or die, and be started again. */
function newSpool(segmentBytes = 1 << 20) {
  const dir = mkdtempSync(join(tmpdir(), "omnimeter-sessions-"));
  const memory = memoryStore();
  let lives = 0;
  return {
    ...memory,
    dir,
    newWriter: () => createSpoolWriter({ dir, spool: "s", key: spoolKey, spoolBytes: 1 << 30, segmentBytes }),
    record(change: (store: Store) => Store = (store) => store, decoder?: Decoder) {
      let stop = false;
      const lease = `recorder ${++lives}`;
      const store = change(memory.store);
      const done = store.lease("s", lease, true).then((held) =>
        recordSpool(held as NonNullable<typeof held>, {
          ...{ dir, spool: "s", lease, spoolKey, contentKey, keepSegments: false, store },
          ...{ readerOf: () => tinyReader, stopping: () => stop, log() {} },
          ...(decoder && { decoder }),
        }),
      );
      return {
        done,
        async stop() {
          stop = true;
          await done;
        },
      };
    },
  };
}

async function writeCall(writer: SpoolWriter) {
  const { id, start, request, response } = chatExchange();
  const bytes = [request, response].map((body) => body?.chunks[0]?.bytes as Buffer) as [Buffer, Buffer];
  const seq = await new Promise<number>((resolve) => {
    const given: number = writer.start(JSON.stringify({ ...start, id }), () => resolve(given));
  });
  writer.chunk(FRAME.requestChunk, seq, 1, 0, bytes[0]);
  writer.head(seq, 2, JSON.stringify({ status: 200, headers: response?.headers }));
  writer.chunk(FRAME.responseChunk, seq, 3, 0, bytes[1]);
  const end = endOf({ requestBytes: bytes[0].length, responseBytes: bytes[1].length });
  await new Promise<void>((resolve) => writer.end(seq, 4, JSON.stringify(end), resolve));
}

const soon = (holds: () => void) => vi.waitFor(holds, { timeout: 8000, interval: 10 });

test("a session's calls are stored while it is open, each turn with what it wasted, and its end once", async () => {
  const spool = newSpool();
  const writer = spool.newWriter();
  const recorder = spool.record();
  const session = await openSession(writer, ["x-omnimeter-feature", "concierge", "x-omnimeter-session", "call-7"]);
  await soon(() => expect(spool.sessions.get(session.id)).toMatchObject({ endedAt: null, turns: 0 }));
  session.client("noise");
  session.server("begin r0");
  session.server("done r0 1000");
  session.server("done r1 250");
  await soon(() => expect(spool.calls.size).toBe(2));
  const [first] = [...spool.calls.values()];
  // 10 tokens at $5 and 5 at $20 a million.
  expect(first?.call).toMatchObject({
    ...{ parentId: session.id, endpoint: "realtime", feature: "concierge", session: "call-7", model: TINY_MODEL },
    ...{ origin: { spool: "s", seq: session.seq }, outcome: "completed", status: null, attempt: 0 },
    lines: [{ costUsd: "0.00005" }, { costUsd: "0.0001" }],
  });
  expect(first?.call.operationId).toBe(first?.call.id);
  expect(openContent(first?.payload?.sealed as Buffer, contentKey).output).toMatchObject([
    { parts: [{ text: "the answer r0" }] },
  ]);
  // 20 tokens of audio for a second, $80 a million.
  const turns = () => [...spool.turns.values()].map(({ index, callId, wastedUsd }) => ({ index, callId, wastedUsd }));
  const [r0, r1] = [...spool.calls.keys()];
  expect(turns()).toEqual([
    { index: 0, callId: r0, wastedUsd: "0.0016" },
    { index: 1, callId: r1, wastedUsd: "0.0004" },
  ]);
  expect(spool.sessions.get(session.id)).toMatchObject({
    endedAt: null,
    endReason: null,
    turns: 2,
    wastedUsd: "0.002",
  });
  expect(spool.ended).toEqual([]);
  await session.end({ endAtMs: 5000, socket: { closeCode: 1000, clientBytes: 5, upstreamBytes: 9 } });
  await soon(() => expect(spool.ended).toEqual([session.id]));
  await recorder.stop();
  writer.close();
  const row = spool.sessions.get(session.id);
  expect(row).toMatchObject({
    ...{
      feature: "concierge",
      session: "call-7",
      environment: "production",
      endReason: "server_closed",
      closeCode: 1000,
    },
    ...{ clientMessages: 1, serverMessages: 3, wastedMs: 1250, wastedUsd: "0.002", problems: [] },
  });
  expect((row?.endedAt as number) - (row?.startedAt as number)).toBe(5000);
  // Each session once in a batch, however much of it was heard.
  for (const { sessions } of spool.batches)
    expect(new Set(sessions.map((one) => one.session.id)).size).toBe(sessions.length);
});

test("a session of hours lets its segments go, and recorders that die in the middle of it give every call once", async () => {
  const spool = newSpool(4000);
  const writer = spool.newWriter();
  const random = seeded(11);
  const session = await openSession(writer);
  const keys: string[] = [];
  for (let life = 0; life < 6; life++) {
    let batches = 1 + Math.floor(random() * 4);
    const recorder = spool.record((store) => ({
      ...store,
      async record(batch) {
        // It dies before its transaction, or right behind it.
        const dies = batch.calls.length > 0 && batches-- <= 0;
        if (dies && random() < 0.5) throw Object.assign(new Error("died"), { code: "lease_lost" });
        const done = await store.record(batch);
        if (dies) throw Object.assign(new Error("died"), { code: "lease_lost" });
        return done;
      },
    }));
    for (let i = 0; i < 60; i++) {
      const key = `r${keys.length}`;
      keys.push(key);
      session.client("noise ".repeat(20));
      session.server(`begin ${key}`);
      session.server(`done ${key} 50`);
      if (i % 5 === 0) await new Promise((turn) => setTimeout(turn, 6));
    }
    await Promise.race([recorder.done, new Promise((later) => setTimeout(later, 60))]);
    await recorder.stop();
  }
  const last = spool.record();
  await soon(() => expect(spool.calls.size).toBe(keys.length));
  expect(spool.ended).toEqual([]);
  expect(listSegments(spool.dir).length).toBeLessThanOrEqual(4);
  expect(spool.held().carried).toHaveLength(1);
  expect(spool.held().carried[0]?.sealed.length).toBeLessThan(2000);
  await session.end();
  await soon(() => expect(spool.ended).toEqual([session.id]));
  await last.stop();
  writer.close();
  expect([...spool.calls.values()].map(({ call }) => call.responseId)).toEqual(keys);
  expect([...spool.turns.values()].map(({ index }) => index)).toEqual(keys.map((_, i) => i));
  expect(spool.held().carried).toEqual([]);
  // 50 ms are one token of audio.
  expect(spool.sessions.get(session.id)).toMatchObject({
    ...{ turns: 360, wastedUsd: "0.0288", clientMessages: 360, serverMessages: 720 },
  });
});

test("a reader that fails costs what it would have read of its session, and nobody else anything", async () => {
  const spool = newSpool();
  const writer = spool.newWriter();
  const poisoned = await openSession(writer);
  const other = await openSession(writer);
  poisoned.server("done p0");
  poisoned.server("die");
  poisoned.server("done p1");
  poisoned.client("noise");
  other.server("done o0");
  const recorder = spool.record();
  await poisoned.end();
  await other.end();
  await soon(() => expect(spool.ended).toHaveLength(2));
  await recorder.stop();
  writer.close();
  expect([...spool.calls.values()].map(({ call }) => call.responseId).sort()).toEqual(["o0", "p0"]);
  expect(spool.sessions.get(poisoned.id)).toMatchObject({
    ...{ problems: ["reader_failed"], turns: 1, endReason: "server_closed", serverMessages: 3, clientMessages: 1 },
  });
  expect(spool.sessions.get(other.id)).toMatchObject({ problems: [], turns: 1, serverMessages: 1 });
});

test("a session that failed is carried at once, so that what failed is not read again after a restart", async () => {
  const spool = newSpool();
  const writer = spool.newWriter();
  const session = await openSession(writer);
  session.server("done r0");
  session.server("die");
  const first = spool.record();
  await soon(() => expect(spool.held().carried).toMatchObject([{ seq: session.seq }]));
  await first.stop();
  const second = spool.record();
  session.server("done r1");
  await session.end();
  await soon(() => expect(spool.ended).toEqual([session.id]));
  await second.stop();
  writer.close();
  expect(spool.calls.size).toBe(1);
  expect(spool.sessions.get(session.id)).toMatchObject({ turns: 1, serverMessages: 3, problems: ["reader_failed"] });
  expect(spool.held().carried).toEqual([]);
});

test("what a dead worker left open is an interrupted session, with the call that was being made", async () => {
  const spool = newSpool();
  const dying = spool.newWriter();
  const session = await openSession(dying);
  session.server("begin r0");
  // Written with what was said before.
  await openSession(dying);
  // The next run is what tells that this one is over.
  const next = spool.newWriter();
  const recorder = spool.record();
  await soon(() => expect(spool.ended).toEqual([session.id]));
  await recorder.stop();
  next.close();
  expect(spool.sessions.get(session.id)).toMatchObject({ endReason: "interrupted", closeCode: null, turns: 1 });
  // The other one was not opened yet: it is an exchange, and so a call of its own.
  const outcomes = [...spool.calls.values()].map(({ call }) => [call.parentId, call.responseId, call.outcome]);
  expect(outcomes).toEqual([
    [null, null, "interrupted"],
    [session.id, "r0", "interrupted"],
  ]);
});

/** What a reader would make of a file with a batch's answers. */
const batchDecoder = (lines: number): Decoder => ({
  version: DECODER_VERSION,
  async decode(exchange) {
    const facts = await decode(exchange);
    const children = Array.from({ length: lines }, (_, i): ChildFacts => {
      const line = { ...facts, responseId: `chatcmpl-${i}`, serviceTier: "batch" };
      return {
        ...{ key: [`batch_req_${i}`], endpoint: "chat_completions", startedAtMs: exchange.start.startedAtMs - 60_000 },
        ...{ timings: {}, outcome: "completed", status: 200, requestBytes: 0, responseBytes: 0, facts: line },
      };
    });
    return { ...facts, usage: noUsage(), lines: [], children };
  },
});

test("a file with thousands of answers is stored in parts, and the position moves with the last of them", async () => {
  const spool = newSpool();
  const writer = spool.newWriter();
  await writeCall(writer);
  let died = false;
  const unlucky = spool.record(
    (store) => ({
      ...store,
      async record(batch) {
        const done = await store.record(batch);
        died ||= spool.batches.length === 1;
        if (died) throw Object.assign(new Error("died"), { code: "lease_lost" });
        return done;
      },
    }),
    batchDecoder(2600),
  );
  await unlucky.done;
  expect(spool.calls.size).toBe(600);
  expect(spool.held().high).toEqual({ segment: 0, offset: 0 });
  const next = spool.record(undefined, batchDecoder(2600));
  await soon(() => expect(spool.calls.size).toBe(2601));
  await next.stop();
  writer.close();
  expect(spool.held().high.segment).toBeGreaterThan(0);
  const [own, ...lines] = [...spool.calls.values()]
    .map(({ call }) => call)
    .sort((a, b) => (a.parentId ? 1 : 0) - (b.parentId ? 1 : 0));
  expect(own).toMatchObject({ parentId: null, lines: [], responseId: expect.any(String) });
  expect(new Set(lines.map(({ responseId }) => responseId)).size).toBe(2600);
  // Half of 13 × $2.50 + 8 × $10 a million.
  expect(
    lines.every(
      ({ parentId, lines: [input, output] }) =>
        parentId === own?.id && input?.costUsd === "0.00001625" && output?.costUsd === "0.00004",
    ),
  ).toBe(true);
  for (const { calls } of spool.batches) expect(calls.length).toBeLessThanOrEqual(2001);
});
