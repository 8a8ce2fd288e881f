import type { ExchangeStart, RecordedMessage } from "#lib/exchange.ts";
import type { ChildFacts } from "#lib/openai/facts.ts";
import { noFacts } from "#lib/openai/no-facts.ts";
import type { SessionFacts, SessionOutput, SessionReader, TurnFacts } from "#lib/openai/sessions/session-reader.ts";

export const TINY_MODEL = "gpt-4o-realtime-preview-2024-12-17";

interface State {
  id: string;
  startedAtMs: number;
  clientMessages: number;
  serverMessages: number;
  clientBytes: number;
  serverBytes: number;
  turns: number;
  wastedMs: number;
  /** A response that was begun and is not done. */
  pending: string | null;
}

/**
 * A wire of four words, for what does not depend on the real one: `begin r1`, `done r1 [wasted ms]` (a call of 10 text tokens in and 5 out, and a turn), `die`
 * (the reader throws), `noise`.
 */
export const tinyReader: SessionReader<State> = {
  open: (id, { startedAtMs }: ExchangeStart) => ({
    ...{ id, startedAtMs, clientMessages: 0, serverMessages: 0, clientBytes: 0, serverBytes: 0 },
    ...{ turns: 0, wastedMs: 0, pending: null },
  }),
  take(state, { from, atMs, bytes, text }: RecordedMessage) {
    if (text?.startsWith("die")) throw new Error("a fault in the reader");
    state[`${from}Messages`]++;
    state[`${from}Bytes`] += bytes;
    const [word, name = "", wasted = "0"] = text?.split(" ") ?? [];
    if (word === "begin") state.pending = name;
    if (word !== "done") return { calls: [], turns: [] };
    state.pending = null;
    return completed(state, name, atMs, "completed", Number(wasted));
  },
  letGo() {},
  close(state, end, atMs) {
    if (state.pending === null) return { calls: [], turns: [] };
    return completed(state, state.pending, atMs, end ? "truncated" : "interrupted", 0);
  },
  facts: (state): SessionFacts => ({
    ...{ kind: "realtime", transport: "websocket", providerId: "sess_tiny", providerCallId: null, model: TINY_MODEL },
    ...{ expiresAt: null, endReason: null, audioInMs: null, audioOutMs: null, turns: state.turns, idleMs: null },
    ...{ toolCalls: 0, bargeIns: 0, falseBargeIns: 0, wastedMs: state.wastedMs, errors: 0, rateLimits: {} },
    ...{ rateLimitEvents: 0, clientBytes: state.clientBytes, serverBytes: state.serverBytes, problems: [] },
    ...{ clientMessages: state.clientMessages, serverMessages: state.serverMessages, hints: noFacts().hints },
  }),
};

function completed(
  state: State,
  name: string,
  atMs: number,
  outcome: ChildFacts["outcome"],
  wastedMs: number,
): SessionOutput {
  const key = [state.id, name];
  const startedAtMs = state.startedAtMs + atMs;
  const call: ChildFacts = {
    ...{ key, endpoint: "realtime", startedAtMs, timings: { durationMs: 40 }, outcome, status: null },
    ...{ requestBytes: 0, responseBytes: 0 },
    facts: {
      ...noFacts(),
      model: TINY_MODEL,
      responseId: name,
      usage: { ...noFacts().usage, source: "reported", inputTokens: 10, outputTokens: 5, totalTokens: 15 },
      lines: [
        {
          direction: "input",
          modality: "text",
          cache: "none",
          unit: "token",
          product: null,
          quantity: 10,
          source: "reported",
        },
        {
          direction: "output",
          modality: "text",
          cache: "none",
          unit: "token",
          product: null,
          quantity: 5,
          source: "reported",
        },
      ],
      content: {
        ...noFacts().content,
        output: [{ role: "assistant", parts: [{ type: "text", text: `the answer ${name}` }] }],
      },
    },
  };
  const turn: TurnFacts = {
    ...{ index: state.turns, kind: "text", inputStartMs: null, inputEndMs: atMs - 60, createdMs: atMs - 40 },
    ...{ firstTextMs: atMs - 20, firstAudioMs: null, doneMs: atMs, latencyMs: 40, toolCalls: 0, modelMs: null },
    ...{ toolMs: null, audioMs: null, generationMs: null, bargeIn: null, bargeInMs: null, heardMs: null },
    ...{ wastedMs: wastedMs || null, reactionMs: null, status: outcome, reason: null, problems: [] },
    ...{ callKey: key, callStartedAtMs: startedAtMs, model: TINY_MODEL },
  };
  state.turns++;
  state.wastedMs += wastedMs;
  return { calls: [call], turns: [turn] };
}
