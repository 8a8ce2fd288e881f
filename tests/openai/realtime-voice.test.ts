import { expect, test } from "vitest";
import type { UsageLine } from "#lib/call.ts";
import type { TimedEvent } from "#lib/demo/realtime/timed.ts";
import { addMoney } from "#lib/money.ts";
import type { ChildFacts } from "#lib/openai/facts.ts";
import { decodeSession } from "#lib/openai/sessions/sessions.ts";
import { toChildCall } from "#lib/recorder/to-call.ts";
import { wastedLine } from "#lib/session.ts";
import {
  VOICE_MODEL,
  VOICE_TOTALS,
  VOICE_TURNS,
  voiceSession,
  voiceSessionResumed,
} from "#tests/support/upstream/voice-session.ts";
import { decodeInPieces, messagesOf, SESSION_ID, socketEnd, socketStart } from "./session-messages.ts";

const PRICED_AT = Date.UTC(2025, 1, 1);
const START = { ...socketStart(`/v1/realtime?model=${VOICE_MODEL}`), startedAtMs: PRICED_AT };
const first = decode(voiceSession(), "server");
const second = decode(voiceSessionResumed(), "client");

test("each turn is timed from the true end of speech, by the audio clock", () => {
  expect(first.turns).toHaveLength(VOICE_TURNS.length);
  for (const [index, expected] of VOICE_TURNS.entries()) {
    const turn = first.turns[index];
    expect(turn?.inputEndMs).toBeCloseTo(expected.inputEndMs, 6);
    expect(turn?.firstAudioMs).toBe(expected.firstAudioMs);
    expect(turn?.latencyMs).toBeCloseTo(expected.latencyMs, 6);
    expect(turn?.audioMs).toBe(expected.audioMs);
  }
  expect(first.turns[0]).toMatchObject({ kind: "server_vad", inputStartMs: 1000, createdMs: 2730, firstTextMs: 2790 });
  // 1600 ms of audio were made between 2730 and 3170.
  expect(first.turns[0]).toMatchObject({ generationMs: 440, doneMs: 3200, status: "completed", reason: null });
  expect(first.turns.map(({ problems }) => problems)).toEqual(VOICE_TURNS.map(() => []));
});

test("a barge-in says when, how soon the answer stopped, and how much of it was never heard", () => {
  for (const [index, { bargeIn }] of VOICE_TURNS.entries()) {
    const turn = first.turns[index];
    if (bargeIn === null) expect(turn).toMatchObject({ bargeIn: null, wastedMs: 0, reactionMs: null });
    else {
      const { atMs, heardMs, wastedMs, reactionMs } = bargeIn;
      expect(turn).toMatchObject({ bargeIn: "confirmed", bargeInMs: atMs, heardMs, wastedMs, reactionMs });
      expect(usd(withLine(wastedLine(wastedMs)))).toBe(bargeIn.wastedUsd);
    }
  }
  expect(first.session).toMatchObject({ bargeIns: 3, falseBargeIns: 0, wastedMs: VOICE_TOTALS.wastedMs });
});

test("the turn that calls a tool tells the model's time from the tool's", () => {
  const turn = first.turns[3];
  expect(turn).toMatchObject({ kind: "tool", toolCalls: 1, toolMs: 620 });
  expect(turn?.modelMs).toBeCloseTo(500, 6);
  expect(first.session.toolCalls).toBe(1);
});

test("every response is a call of its own and costs what a hand calculation says", () => {
  const responses = first.calls.filter(({ endpoint }) => endpoint === "realtime");
  expect(responses.map(usd)).toEqual(VOICE_TURNS.flatMap((turn) => [...turn.usd]));
  expect(responses.map(usd).reduce(addMoney)).toBe(VOICE_TOTALS.usd);
  const [written] = first.calls.filter(({ endpoint }) => endpoint === "realtime_transcription");
  expect(written?.facts).toMatchObject({ model: "whisper-1", usage: { source: "reported", durationSeconds: 2 } });
  expect(usd(written as ChildFacts)).toBe(VOICE_TOTALS.transcriptionUsd);
  expect(responses[0]).toMatchObject({
    // From the end of speech on, as the turn is timed.
    startedAtMs: PRICED_AT + 2500,
    outcome: "completed",
    timings: { requestEndMs: 0, sentMs: 0, firstByteMs: 230, durationMs: 700, responseEndMs: 700 },
    facts: {
      model: VOICE_MODEL,
      inputAudioMs: 2000,
      outputAudioMs: 1600,
      marks: { firstTextMs: 290, firstAudioMs: 320 },
    },
  });
  expect(responses[0]?.facts.content.input).toMatchObject([
    { role: "system", parts: [{ type: "text", text: "Be brief." }] },
    { role: "user", parts: [{ type: "audio", mediaType: "audio/pcm" }] },
  ]);
});

test("the session says what it was, how long was spoken and why it ended", () => {
  expect(first.session).toMatchObject({
    kind: "realtime",
    transport: "websocket",
    providerId: "sess_voice_A",
    model: VOICE_MODEL,
    expiresAt: 1_785_217_650_000,
    endReason: "expired",
    audioInMs: VOICE_TOTALS.audioInMs,
    audioOutMs: VOICE_TOTALS.audioOutMs,
    turns: 6,
    errors: 1,
    rateLimits: { requests: { limit: 1000, remaining: 999, resetSeconds: 0.06 } },
    rateLimitEvents: 7,
    problems: [],
  });
});

test("the connection that takes it up costs what the worked example says", () => {
  const { resumed } = VOICE_TOTALS;
  expect(second.session).toMatchObject({ endReason: "client_closed", audioInMs: resumed.audioInMs, turns: 1 });
  const [turn] = second.turns;
  expect(turn).toMatchObject({ kind: "server_vad", firstAudioMs: resumed.firstAudioMs, audioMs: resumed.audioMs });
  expect(turn?.latencyMs).toBeCloseTo(resumed.latencyMs, 6);
  const [call] = second.calls;
  expect(call?.facts.usage).toMatchObject({ cachedTokens: 640, cachedTextTokens: 256, cachedAudioTokens: 384 });
  // (313 - 256) × 5 + 256 × 2.5 + (476 - 384) × 40 + 384 × 2.5 + 9 × 20 + 23 × 80 millionths.
  expect(usd(call as ChildFacts)).toBe("0.007585");
  expect(call?.facts.content.input[1]).toMatchObject({ parts: [{ text: "We spoke about the weather." }] });
});

test("a recorder that stops after every message tells the same", () => {
  expect(decode(voiceSession(), "server", decodeInPieces)).toEqual(first);
});

test("idle is what is left when nobody speaks, nothing is made and nothing is played", () => {
  // Played to the end or cut: 1000–2500 … as the table beside the script has it; speech counts from when it is noticed.
  const busy = [
    [1060, 2710],
    [2730, 4420],
    [5060, 6210],
    [6230, 7090],
    [7060, 8710],
    [8730, 10_100],
    [10_060, 11_210],
    [11_230, 11_520],
    [12_150, 13_600],
    [14_060, 15_210],
    [15_230, 16_130],
    [16_060, 17_210],
    [17_230, 18_320],
  ] as const;
  let idleMs = 0;
  let untilMs = 0;
  for (const [from, to] of busy) {
    idleMs += Math.max(0, from - untilMs);
    untilMs = Math.max(untilMs, to);
  }
  // Noticed at the events around it, which lie at most 20 ms apart.
  expect(Math.abs((first.session.idleMs ?? 0) - (idleMs + 60_000 - untilMs))).toBeLessThan(1);
});

function decode(events: TimedEvent[], closedBy: "client" | "server", read: typeof decodeInPieces = decodeSession) {
  const messages = messagesOf(events.map(({ from, atMs, event }) => [from, atMs, event]));
  const socket = { closeCode: 1000, closedBy, clientBytes: 0, upstreamBytes: 0 };
  return read(START, messages, socketEnd({ socket }), SESSION_ID);
}

function usd(child: ChildFacts): string {
  const parent = { id: SESSION_ID, origin: { spool: "s", run: "r", seq: 1 }, start: START };
  const { lines } = toChildCall(parent, child, "default");
  return lines.map(({ costUsd }) => costUsd as string).reduce(addMoney, "0");
}

function withLine(line: UsageLine): ChildFacts {
  const [call] = first.calls as [ChildFacts];
  return { ...call, facts: { ...call.facts, lines: [line] } };
}
