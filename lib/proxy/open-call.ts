import type { ExchangeEnding } from "#lib/exchange.ts";
import type { Refusal } from "./admit.ts";

/** A call or a WebSocket under way, as far as others than its two ends may end it. */
export interface OpenCall {
  /** At once: with an answer of ours where none has begun, else broken off, never with a clean end. */
  cut(why: Cut): void;
  /** Says goodbye where the protocol has one. */
  goAway?(): void;
}

export interface Cut extends Refusal {
  /** How it is recorded; the message is its cause. */
  ending: ExchangeEnding;
}

export const STOPPED: Cut = {
  ending: "interrupted",
  status: 503,
  code: "omnimeter_stopping",
  message: "the proxy was stopped before this call was over. Send it again.",
};

export const silent = (silenceMs: number): Cut => ({
  ending: "client_aborted",
  status: 408,
  code: "omnimeter_request_timeout",
  message: `nothing of the request's body came for ${silenceMs / 1000} s (OMNIMETER_CLIENT_TIMEOUT_MS).`,
});
