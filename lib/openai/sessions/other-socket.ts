import type { ExchangeEnd, ExchangeStart, RecordedMessage } from "#lib/exchange.ts";
import type { SessionEnd } from "#lib/session.ts";
import { endReason } from "./session-end.ts";
import type { SessionFacts, SessionOutput, SessionReader } from "./session-reader.ts";
import { NOTHING } from "./session-reader.ts";
import type { SocketLog } from "./socket-log.ts";
import { countMessage, newSocketLog } from "./socket-log.ts";

interface OtherState {
  log: SocketLog;
  endReason: SessionEnd | null;
}

/** A socket of which nothing is known but that it is one: it is counted. */
export const otherSocketReader: SessionReader<OtherState> = {
  open: (_id: string, _start: ExchangeStart) => ({ log: newSocketLog(), endReason: null }),
  take(state: OtherState, message: RecordedMessage): SessionOutput {
    countMessage(state.log, message);
    return NOTHING;
  },
  letGo() {},
  close(state: OtherState, end: ExchangeEnd | null): SessionOutput {
    state.endReason = endReason(end);
    return NOTHING;
  },
  facts: ({ log, endReason: reason }: OtherState) => ({ ...socketFacts(log), kind: "other", endReason: reason }),
};

/** Facts of a socket without turns and audio. */
export const socketFacts = (log: SocketLog): SessionFacts => ({
  ...log,
  problems: [...log.problems],
  kind: "other",
  transport: "websocket",
  providerId: null,
  providerCallId: null,
  model: null,
  expiresAt: null,
  endReason: null,
  audioInMs: null,
  audioOutMs: null,
  turns: 0,
  idleMs: null,
  toolCalls: 0,
  bargeIns: 0,
  falseBargeIns: 0,
  wastedMs: 0,
  errors: 0,
  rateLimits: {},
  rateLimitEvents: 0,
  hints: { metadata: {}, user: null, safetyIdentifier: null, promptId: null, promptVersion: null },
});
