import type { ExchangeEnd, ExchangeStart, RecordedMessage } from "#lib/exchange.ts";
import type { ChildFacts } from "#lib/openai/facts.ts";
import type { SessionOutput, TurnFacts } from "#lib/openai/sessions/session-reader.ts";
import type { DecodedSession } from "#lib/openai/sessions/sessions.ts";
import { sessionReaderOf } from "#lib/openai/sessions/sessions.ts";

export const SESSION_ID = "0197f0a0-0000-7000-8000-00000000005e";

/** A WebSocket that was opened with some path. */
export const socketStart = (path = "/v1/realtime?model=gpt-realtime"): ExchangeStart => ({
  kind: "websocket",
  method: "GET",
  target: path,
  upstreamTarget: path,
  upstream: "default",
  upstreamOrigin: "https://api.openai.com",
  headers: [],
  startedAtMs: 1_700_000_000_000,
});

export const socketEnd = (over: Partial<ExchangeEnd> = {}): ExchangeEnd => ({
  ending: "completed",
  requestEndAtMs: null,
  sentAtMs: 1,
  connectMs: null,
  responseEndAtMs: 60_000,
  endAtMs: 60_000,
  requestBytes: 0,
  responseBytes: 0,
  ...over,
});

export type Said = readonly [from: "client" | "server", atMs: number, event: object | string];

/** Messages as the spool gives them; a text goes as it is. */
export const messagesOf = (said: readonly Said[]): RecordedMessage[] =>
  said.map(([from, atMs, event]) => {
    const text = typeof event === "string" ? event : JSON.stringify(event);
    return { from, atMs, bytes: Buffer.byteLength(text), text };
  });

/** Reads a session whose state is put down and taken up again after every message, as a recorder that dies all the time would. */
export function decodeInPieces(
  start: ExchangeStart,
  messages: readonly RecordedMessage[],
  end: ExchangeEnd | null,
  id: string,
): DecodedSession {
  const reader = sessionReaderOf(start);
  if (reader === null) throw new Error("no socket");
  const calls: ChildFacts[] = [];
  const turns: TurnFacts[] = [];
  const give = (output: SessionOutput) => {
    calls.push(...output.calls);
    turns.push(...output.turns);
  };
  let state = reader.open(id, start);
  for (const message of messages) {
    state = JSON.parse(JSON.stringify(state));
    give(reader.take(state, message));
  }
  state = JSON.parse(JSON.stringify(state));
  give(reader.close(state, end, end?.endAtMs ?? messages.at(-1)?.atMs ?? 0));
  return { calls, turns, session: reader.facts(state) };
}
