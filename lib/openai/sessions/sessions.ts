import type { ExchangeEnd, ExchangeStart, RecordedMessage } from "#lib/exchange.ts";
import { findEndpoint } from "../endpoints.ts";
import type { ChildFacts } from "../facts.ts";
import { otherSocketReader } from "./other-socket.ts";
import { realtimeReader } from "./realtime.ts";
import { responsesSocketReader } from "./responses-socket.ts";
import type { SessionFacts, SessionReader, TurnFacts } from "./session-reader.ts";

/** The reader of a WebSocket that was opened. null: the exchange is none. */
export function sessionReaderOf(start: ExchangeStart): SessionReader | null {
  if (start.kind !== "websocket") return null;
  return READERS[findEndpoint("GET", start.upstreamTarget).name] ?? otherSocketReader;
}

const READERS: Record<string, SessionReader | undefined> = {
  realtime: realtimeReader,
  realtime_translations: realtimeReader,
  responses: responsesSocketReader,
};

export interface DecodedSession {
  calls: ChildFacts[];
  turns: TurnFacts[];
  session: SessionFacts;
}

/** A whole session at once. `end` null: nobody knows how it ended. */
export function decodeSession(
  start: ExchangeStart,
  messages: Iterable<RecordedMessage>,
  end: ExchangeEnd | null,
  id = "session",
): DecodedSession {
  const reader = sessionReaderOf(start) ?? otherSocketReader;
  const state = reader.open(id, start);
  const calls: ChildFacts[] = [];
  const turns: TurnFacts[] = [];
  let atMs = 0;
  for (const message of messages) {
    const output = reader.take(state, message);
    calls.push(...output.calls);
    turns.push(...output.turns);
    atMs = message.atMs;
  }
  const rest = reader.close(state, end, end?.endAtMs ?? atMs);
  return { calls: [...calls, ...rest.calls], turns: [...turns, ...rest.turns], session: reader.facts(state) };
}
