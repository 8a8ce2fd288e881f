import type { ExchangeEnd, ExchangeStart, RecordedMessage } from "#lib/exchange.ts";
import type { Session, Turn } from "#lib/session.ts";
import type { AttributionHints, ChildFacts } from "../facts.ts";

/**
 * Reads a WebSocket message by message. What it knows between two messages is a JSON value, so that a session of hours can be put down
 * anywhere and taken up by another process; its size has a limit that does not grow with the session. Never throws: what cannot be
 * understood is a problem of the session or of the call. The same messages give the same calls, whoever reads them and however often.
 */
export interface SessionReader<State = unknown> {
  open(id: string, start: ExchangeStart): State;
  /** `state` is changed in place. */
  take(state: State, message: RecordedMessage): SessionOutput;
  /** Sessions hold too much in all: gives up what was said, as far as figures can do without it, and names that a problem (WORDS_LET_GO). */
  letGo(state: State): void;
  /** The connection is over; `end` null: Omnimeter died while it was open, `atMs` is then the last that was heard. */
  close(state: State, end: ExchangeEnd | null, atMs: number): SessionOutput;
  facts(state: State): SessionFacts;
}

/** What a message completed; mostly nothing. */
export interface SessionOutput {
  calls: ChildFacts[];
  turns: TurnFacts[];
}

export const WORDS_LET_GO = "words_let_go";

export const NOTHING: SessionOutput = { calls: [], turns: [] };

/** A turn before prices and ids: `callKey` is the key of its last response's ChildFacts. */
export type TurnFacts = Omit<Turn, "sessionId" | "callId" | "wastedUsd"> & {
  callKey: readonly string[] | null;
  /** Milliseconds since the epoch, of that call. */
  callStartedAtMs: number | null;
  /** Model that spoke: prices the wasted part. */
  model: string | null;
};

/** What the reader adds to a session; the rest is known from the exchange (lib/recorder/to-session.ts). */
export type SessionFacts = Pick<
  Session,
  | "kind"
  | "transport"
  | "providerId"
  | "providerCallId"
  | "model"
  | "expiresAt"
  | "endReason"
  | "audioInMs"
  | "audioOutMs"
  | "turns"
  | "idleMs"
  | "toolCalls"
  | "bargeIns"
  | "falseBargeIns"
  | "wastedMs"
  | "errors"
  | "rateLimits"
  | "rateLimitEvents"
  | "clientBytes"
  | "serverBytes"
  | "clientMessages"
  | "serverMessages"
  | "problems"
> & { hints: AttributionHints };
