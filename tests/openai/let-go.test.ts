import { expect, test } from "vitest";
import type { ExchangeStart, RecordedMessage } from "#lib/exchange.ts";
import type { ChildFacts } from "#lib/openai/facts.ts";
import type { TurnFacts } from "#lib/openai/sessions/session-reader.ts";
import { decodeSession, sessionReaderOf } from "#lib/openai/sessions/sessions.ts";
import { VOICE_MODEL, voiceSession } from "#tests/support/upstream/voice-session.ts";
import type { Said } from "./session-messages.ts";
import { messagesOf, SESSION_ID, socketEnd, socketStart } from "./session-messages.ts";

const voice = messagesOf(voiceSession().map(({ from, atMs, event }) => [from, atMs, event]));
const voiceStart = socketStart(`/v1/realtime?model=${VOICE_MODEL}`);

/** As decodeSession does it, but that `when` says behind which messages the session gives up its words. */
function decodeForgetting(
  start: ExchangeStart,
  messages: readonly RecordedMessage[],
  when: (index: number) => boolean,
) {
  const reader = sessionReaderOf(start);
  if (!reader) throw new Error("no reader");
  const state = reader.open(SESSION_ID, start);
  const calls: ChildFacts[] = [];
  const turns: TurnFacts[] = [];
  const take = (output: { calls: ChildFacts[]; turns: TurnFacts[] }) => {
    calls.push(...output.calls);
    turns.push(...output.turns);
  };
  for (const [index, message] of messages.entries()) {
    take(reader.take(state, message));
    if (when(index)) reader.letGo(state);
  }
  take(reader.close(state, socketEnd(), socketEnd().endAtMs));
  return { calls, turns, session: reader.facts(state), bytes: JSON.stringify(state).length };
}

const figuresOf = ({ key, outcome, timings, startedAtMs, facts }: ChildFacts) => ({
  ...{ key, outcome, timings, startedAtMs },
  ...{ usage: facts.usage, lines: facts.lines, marks: facts.marks, tools: facts.toolCalls.map(({ name }) => name) },
});

test("a voice session that gives up its words behind every single message has the same figures, and says so", () => {
  const whole = decodeSession(voiceStart, voice, socketEnd(), SESSION_ID);
  const forgetful = decodeForgetting(voiceStart, voice, () => true);
  expect(forgetful.calls.map(figuresOf)).toEqual(whole.calls.map(figuresOf));
  expect(forgetful.turns).toEqual(whole.turns);
  expect(whole.session.problems).not.toContain("words_let_go");
  expect(forgetful.session).toEqual({ ...whole.session, problems: [...whole.session.problems, "words_let_go"] });
});

test("the audio that a session keeps is what it gives up", () => {
  const reader = sessionReaderOf(voiceStart);
  const state = reader?.open(SESSION_ID, voiceStart);
  for (const message of voice.filter(({ atMs }) => atMs <= 7000)) reader?.take(state, message);
  // Two seconds of speech and three of an answer, 64 kB a second.
  expect(JSON.stringify(state).length).toBeGreaterThan(300_000);
  reader?.letGo(state);
  expect(JSON.stringify(state).length).toBeLessThan(60_000);
});

const usage = { input_tokens: 10, output_tokens: 4, total_tokens: 14 };
const responses: Said[] = [
  ["client", 0, { type: "response.create", model: "gpt-4o", input: "One? ".repeat(1000) }],
  ["server", 10, { type: "response.created", response: { id: "resp_1", model: "gpt-4o" } }],
  [
    "server",
    20,
    { type: "response.output_text.delta", response_id: "resp_1", item_id: "m", output_index: 0, delta: "a" },
  ],
  [
    "server",
    90,
    { type: "response.completed", response: { id: "resp_1", model: "gpt-4o", status: "completed", usage, output: [] } },
  ],
];

test("a response over a WebSocket that gave up its words is billed as its end says", () => {
  const start = socketStart("/v1/responses");
  const messages = messagesOf(responses);
  const whole = decodeSession(start, messages, socketEnd(), SESSION_ID);
  const { calls, bytes } = decodeForgetting(start, messages, (index) => index === 2);
  expect(calls.map(figuresOf)).toEqual(whole.calls.map(figuresOf));
  expect(calls[0]?.facts.usage).toMatchObject({ source: "reported", inputTokens: 10, outputTokens: 4 });
  expect(calls[0]?.facts.problems).toContain("words_let_go");
  expect(bytes).toBeLessThan(2000);
});
