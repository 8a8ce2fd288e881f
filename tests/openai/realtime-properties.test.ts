import { expect, test } from "vitest";
import { OUTCOMES } from "#lib/call.ts";
import type { RecordedMessage } from "#lib/exchange.ts";
import { decodeSession, sessionReaderOf } from "#lib/openai/sessions/sessions.ts";
import { seeded } from "#tests/support/split.ts";
import { VOICE_MODEL, voiceSession } from "#tests/support/upstream/voice-session.ts";
import type { Said } from "./session-messages.ts";
import { decodeInPieces, messagesOf, SESSION_ID, socketEnd, socketStart } from "./session-messages.ts";

const PATHS = [
  "/v1/realtime?model=gpt-realtime",
  "/v1/realtime?call_id=rtc_1",
  "/v1/realtime?intent=transcription",
  "/v1/realtime/translations",
  "/v1/responses",
  "/v1/other",
];
const voice = messagesOf(voiceSession().map(({ from, atMs, event }) => [from, atMs, event]));

test("a session that is cut anywhere gives every response once, each with a recorded end", () => {
  const start = socketStart(`/v1/realtime?model=${VOICE_MODEL}`);
  const wholeKeys = decodeSession(start, voice, socketEnd(), SESSION_ID).calls.map(({ key }) => key.join("/"));
  const events = voice.flatMap((message, index) => (message.text?.includes("buffer.append") ? [] : [index]));
  for (const cut of events) {
    const { calls, turns, session } = decodeSession(start, voice.slice(0, cut), null, SESSION_ID);
    const keys = calls.map(({ key }) => key.join("/"));
    expect(new Set(keys).size).toBe(keys.length);
    expect(wholeKeys).toEqual(expect.arrayContaining(keys));
    for (const { outcome } of calls) expect(OUTCOMES).toContain(outcome);
    expect(turns.map(({ index }) => index)).toEqual(turns.map((_, index) => index));
    expect(session.endReason).toBe(cut === voice.length ? "expired" : "interrupted");
  }
});

test("a text that was cut is counted, and read as far as it goes", () => {
  const whole = JSON.stringify({
    type: "session.created",
    session: { id: "sess_1", model: "gpt-realtime" },
    more: "x".repeat(100),
  });
  const cut: RecordedMessage = { from: "server", atMs: 1, bytes: whole.length, text: whole.slice(0, -20) };
  const { session } = decodeSession(socketStart(), [cut], null);
  expect(session).toMatchObject({ providerId: "sess_1", serverBytes: whole.length, problems: ["event_cut"] });
});

test("what is no JSON is counted and named once", () => {
  const { session } = decodeSession(
    socketStart(),
    messagesOf([
      ["server", 1, "{"],
      ["client", 2, "nonsense"],
      ["server", 3, "[]"],
    ]),
    null,
  );
  expect(session).toMatchObject({ serverMessages: 2, clientMessages: 1, problems: ["event_unreadable"] });
});

test("whatever comes, in whatever order, nothing throws and what comes of it is the same in pieces", () => {
  for (let seed = 1; seed <= 60; seed++) {
    const random = seeded(seed);
    const messages = messagesOf(garbage(random, 80));
    const start = socketStart(PATHS[seed % PATHS.length]);
    const atOnce = decodeSession(start, messages, socketEnd(), SESSION_ID);
    const inPieces = decodeInPieces(start, messages, socketEnd(), SESSION_ID);
    expect(JSON.parse(JSON.stringify(inPieces))).toEqual(JSON.parse(JSON.stringify(atOnce)));
    for (const { facts, timings } of atOnce.calls) {
      for (const { quantity } of facts.lines) expect(quantity).toBeGreaterThan(0);
      expect(Number.isFinite(timings.durationMs ?? 0)).toBe(true);
    }
    for (const { heardMs, wastedMs, latencyMs } of atOnce.turns)
      for (const ms of [heardMs, wastedMs, latencyMs])
        expect(ms === null || (Number.isFinite(ms) && ms >= 0)).toBe(true);
    expect(atOnce.session.problems).not.toContain("event_failed");
  }
});

test("an hour of talk leaves a state no larger than a minute's", () => {
  const start = socketStart();
  const reader = sessionReaderOf(start);
  if (reader === null) throw new Error("no reader");
  const state = reader.open(SESSION_ID, start);
  const sizes: number[] = [];
  let calls = 0;
  let read = 0;
  for (const message of talk(100_000)) {
    calls += reader.take(state, message).calls.length;
    if (++read % 10_000 === 0) sizes.push(JSON.stringify(state).length);
  }
  expect(calls).toBeGreaterThan(100);
  expect(Math.max(...sizes)).toBeLessThan(100_000);
});

/** Turn after turn: a thousand appends, some noise that is never answered, an answer of many deltas. */
function* talk(count: number): Generator<RecordedMessage> {
  for (let turn = 0, said = 0; said < count; turn++) {
    const fromMs = turn * 20_000;
    const id = `r${turn}`;
    const round: Said[] = [
      [
        "server",
        fromMs,
        { type: "input_audio_buffer.speech_started", audio_start_ms: fromMs, item_id: `noise${turn}` },
      ],
      ["server", fromMs, { type: "input_audio_buffer.speech_stopped", audio_end_ms: fromMs, item_id: `noise${turn}` }],
      ["server", fromMs, { type: "input_audio_buffer.committed", item_id: `noise${turn}` }],
      ...Array.from(
        { length: 500 },
        (_, i): Said => ["client", fromMs + i * 20, { type: "input_audio_buffer.append", audio: "elided:1280" }],
      ),
      ["server", fromMs + 10_000, { type: "response.created", response: { id } }],
      ...Array.from(
        { length: 200 },
        (_, i): Said => [
          "server",
          fromMs + 10_100 + i,
          { type: "response.output_audio.delta", response_id: id, item_id: `${id}_i`, delta: "elided:6400" },
        ],
      ),
      ["server", fromMs + 10_500, { type: "response.done", response: { id, status: "completed", output: [] } }],
      ["server", fromMs + 10_501, { type: `new.event.${turn}`, anything: turn }],
    ];
    yield* messagesOf(round);
    said += round.length;
  }
}

const TYPES = [
  "session.created",
  "session.updated",
  "transcription_session.updated",
  "input_audio_buffer.append",
  "input_audio_buffer.commit",
  "input_audio_buffer.committed",
  "input_audio_buffer.speech_started",
  "input_audio_buffer.speech_stopped",
  "input_audio_buffer.timeout_triggered",
  "conversation.item.create",
  "conversation.item.added",
  "conversation.item.truncate",
  "conversation.item.input_audio_transcription.delta",
  "conversation.item.input_audio_transcription.completed",
  "conversation.item.input_audio_transcription.failed",
  "response.create",
  "response.cancel",
  "response.created",
  "response.output_item.added",
  "response.output_item.done",
  "response.output_text.delta",
  "response.output_audio.delta",
  "response.function_call_arguments.done",
  "response.done",
  "response.completed",
  "output_audio_buffer.started",
  "output_audio_buffer.cleared",
  "rate_limits.updated",
  "session.output_audio.delta",
  "error",
  "unheard.of",
];

function garbage(random: () => number, count: number): Said[] {
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
  const value = (depth = 0): unknown => {
    const plain = [null, true, -1, 1e300, 0.5, 42, "", "x", "elided:640=", "AAAA", "item_1", "item_2", "r1", "r2"];
    if (depth > 2 || random() < 0.6) return pick(plain);
    return random() < 0.3 ? [value(depth + 1), value(depth + 1)] : object(depth + 1);
  };
  const object = (depth: number): Record<string, unknown> =>
    Object.fromEntries(Array.from({ length: 4 }, () => [pick(NAMES), value(depth)]));
  let atMs = 0;
  return Array.from({ length: count }, (): Said => {
    atMs += random() * 200;
    const event = { ...object(0), ...object(0), type: random() < 0.98 ? pick(TYPES) : value() };
    return [pick(["client", "server"] as const), atMs, event];
  });
}

const NAMES = [
  "id",
  "item_id",
  "response_id",
  "stream_id",
  "response",
  "session",
  "item",
  "audio",
  "delta",
  "usage",
  "output",
  "content",
  "status",
  "status_details",
  "reason",
  "audio_start_ms",
  "audio_end_ms",
  "turn_detection",
  "input",
  "format",
  "type",
  "role",
  "call_id",
  "arguments",
  "input_tokens",
  "output_tokens",
  "rate_limits",
  "name",
  "metadata",
  "error",
  "transcript",
  "conversation",
  "output_modalities",
  "tools",
  "instructions",
  "model",
];
