import { randomBytes } from "node:crypto";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, expect, test, vi } from "vitest";
import type { Call } from "#lib/call.ts";
import type { TimedEvent } from "#lib/demo/realtime/timed.ts";
import { addMoney } from "#lib/money.ts";
import { openBytes } from "#lib/privacy/seal.ts";
import { recordSpool } from "#lib/recorder/record-spool.ts";
import type { HeldSpool } from "#lib/recorder/store.ts";
import type { Turn } from "#lib/session.ts";
import { FRAME, MESSAGE } from "#lib/spool/frames.ts";
import { createSpoolWriter, type SpoolWriter } from "#lib/spool/writer.ts";
import { createUuid7 } from "#lib/uuid7.ts";
import { chatExchange, endOf } from "#tests/support/exchange.ts";
import { memoryStore } from "#tests/support/memory-store.ts";
import {
  VOICE_CLOSE,
  VOICE_MODEL,
  VOICE_TOTALS,
  VOICE_TURNS,
  voiceSession,
  voiceSessionResumed,
} from "#tests/support/upstream/voice-session.ts";

// One conversation by voice as the proxy spools it, with the times at which it was heard: what must come of it was computed by hand.

const key = randomBytes(32);
const newId = createUuid7();
const memory = memoryStore();
let first: string;
let second: string;
/** The second one again, as a proxy spools it that keeps audio. */
let kept: string;

beforeAll(async () => {
  const dir = mkdtempSync(join(tmpdir(), "omnimeter-voice-"));
  const writer = createSpoolWriter({ dir, spool: "s", key, spoolBytes: 1 << 30, segmentBytes: 20_000 });
  let stop = false;
  const held = (await memory.store.lease("s", "me", true)) as HeldSpool;
  const recording = recordSpool(held, {
    ...{ dir, spool: "s", lease: "me", spoolKey: key, contentKey: key, keepSegments: false, store: memory.store },
    keepAudio: true,
    ...{ stopping: () => stop, log() {} },
  });
  first = await speak(writer, voiceSession());
  second = await speak(writer, voiceSessionResumed());
  kept = await speak(writer, voiceSessionResumed(), JSON.stringify);
  await vi.waitFor(() => expect(memory.ended).toEqual([first, second, kept]), { timeout: 8000, interval: 10 });
  stop = true;
  await recording;
  writer.close();
});

/** Audio as the proxy elides it. */
function textOf(event: TimedEvent["event"]): string {
  return JSON.stringify(event, (name, value) =>
    typeof value === "string" && value.length > 512 && (name === "audio" || name === "delta")
      ? `elided:${value.replace(/=+$/, "").length}${"=".repeat(value.length - value.replace(/=+$/, "").length)}`
      : value,
  );
}

async function speak(
  writer: SpoolWriter,
  events: readonly TimedEvent[],
  write: (event: TimedEvent["event"]) => string = textOf,
): Promise<string> {
  const id = newId();
  const { start } = chatExchange();
  const target = `/v1/realtime?model=${VOICE_MODEL}`;
  const about = { ...start, kind: "websocket", method: "GET", target, upstreamTarget: target };
  const seq = await new Promise<number>((resolve) => {
    const headers = ["x-omnimeter-session", "conversation-1"];
    const given: number = writer.start(JSON.stringify({ ...about, headers, id }), () => resolve(given));
  });
  writer.head(seq, 5, JSON.stringify({ status: 101, headers: [] }));
  for (const { from, atMs, event } of events) {
    const text = Buffer.from(write(event));
    const bytes = Buffer.byteLength(JSON.stringify(event));
    writer.message(from === "client" ? FRAME.clientMessage : FRAME.serverMessage, seq, atMs, bytes, MESSAGE.text, text);
  }
  const at = (events.at(-1)?.atMs ?? 0) + 1;
  const socket = { closeCode: VOICE_CLOSE.code, closedBy: "server" as const, clientBytes: 1, upstreamBytes: 1 };
  await new Promise<void>((resolve) => writer.end(seq, at, JSON.stringify(endOf({ endAtMs: at, socket })), resolve));
  return id;
}

const turnsOf = (id: string): Turn[] => [...memory.turns.values()].filter(({ sessionId }) => sessionId === id);
const callsOf = (id: string): Call[] =>
  [...memory.calls.values()].map(({ call }) => call).filter(({ parentId }) => parentId === id);
const costOf = (calls: readonly Call[]): string =>
  calls.flatMap(({ lines }) => lines.map(({ costUsd }) => costUsd as string)).reduce(addMoney, "0");
const near = (value: number | null | undefined, expected: number) => {
  expect(value).not.toBeNull();
  expect(Math.abs((value as number) - expected)).toBeLessThanOrEqual(5);
};

test.each(VOICE_TURNS.map((turn, index) => ({ index, ...turn })))(
  "turn $index has its times and its barge-in",
  (turn) => {
    const found = turnsOf(first)[turn.index];
    near(found?.inputEndMs, turn.inputEndMs);
    near(found?.firstAudioMs, turn.firstAudioMs);
    near(found?.latencyMs, turn.latencyMs);
    near(found?.audioMs, turn.audioMs);
    expect(found?.bargeIn).toBe(turn.bargeIn && "confirmed");
    expect(found?.wastedMs ?? 0).toBe(turn.bargeIn?.wastedMs ?? 0);
    expect(found?.wastedUsd).toBe(turn.bargeIn?.wastedUsd ?? null);
    if (!turn.bargeIn) return;
    near(found?.bargeInMs, turn.bargeIn.atMs);
    near(found?.heardMs, turn.bargeIn.heardMs);
    near(found?.reactionMs, turn.bargeIn.reactionMs);
  },
);

test("each turn's calls cost what was computed, and the last of them is the turn's", () => {
  const responses = callsOf(first).filter(({ endpoint }) => endpoint === "realtime");
  expect(responses.map((call) => costOf([call]))).toEqual(VOICE_TURNS.flatMap(({ usd }) => usd));
  const last = VOICE_TURNS.map((_, index) => VOICE_TURNS.slice(0, index + 1).flatMap(({ usd }) => usd).length - 1);
  expect(turnsOf(first).map(({ callId }) => callId)).toEqual(last.map((i) => responses[i]?.id));
  expect(costOf(responses)).toBe(VOICE_TOTALS.usd);
  const transcriptions = callsOf(first).filter(({ endpoint }) => endpoint === "realtime_transcription");
  expect(costOf(transcriptions)).toBe(VOICE_TOTALS.transcriptionUsd);
});

test("the session adds up, and says how it ended", () => {
  const row = memory.sessions.get(first);
  expect(row).toMatchObject({
    ...{ kind: "realtime", transport: "websocket", model: VOICE_MODEL, session: "conversation-1" },
    ...{ turns: VOICE_TURNS.length, bargeIns: 3, toolCalls: 1, endReason: "expired", closeCode: VOICE_CLOSE.code },
    ...{ wastedMs: VOICE_TOTALS.wastedMs, wastedUsd: VOICE_TOTALS.wastedUsd },
  });
  near(row?.audioInMs, VOICE_TOTALS.audioInMs);
  near(row?.audioOutMs, VOICE_TOTALS.audioOutMs);
});

test("the connection that goes on with it has its own turn, of $0.007585", () => {
  const { resumed } = VOICE_TOTALS;
  const [turn] = turnsOf(second);
  near(turn?.inputEndMs, resumed.inputEndMs);
  near(turn?.firstAudioMs, resumed.firstAudioMs);
  near(turn?.latencyMs, resumed.latencyMs);
  expect(costOf(callsOf(second).filter(({ endpoint }) => endpoint === "realtime"))).toBe(resumed.usd);
  near(memory.sessions.get(second)?.audioInMs, resumed.audioInMs);
  expect(memory.sessions.get(second)).toMatchObject({ session: "conversation-1", wastedMs: 0, wastedUsd: "0" });
});

test("audio that is kept comes out as it was said and answered, and costs what it costs without", () => {
  const response = (id: string) => callsOf(id).find(({ endpoint }) => endpoint === "realtime") as Call;
  const mediaOf = (id: string) => memory.calls.get(response(id).id)?.media;
  expect(mediaOf(second)).toBeUndefined();
  const answered = mediaOf(kept)?.find(({ direction }) => direction === "output");
  expect(answered?.mediaType).toBe("audio/wav");
  const wav = openBytes(answered?.sealed as Buffer, key);
  expect(wav.toString("latin1", 0, 4)).toBe("RIFF");
  // 44 bytes of head, then 48 bytes for each millisecond.
  near((wav.length - 44) / 48, VOICE_TOTALS.resumed.audioMs);
  expect(costOf([response(kept)])).toBe(VOICE_TOTALS.resumed.usd);
});
