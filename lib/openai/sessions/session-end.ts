import type { Outcome } from "#lib/call.ts";
import type { ExchangeEnd } from "#lib/exchange.ts";
import type { SessionEnd } from "#lib/session.ts";

/** Who ended it; a provider's own limit is told before, by an event. */
export function endReason(end: ExchangeEnd | null): SessionEnd {
  if (end === null) return "interrupted";
  const by = end.socket?.closedBy;
  if (by === "proxy" || end.ending === "interrupted") return "stopped";
  if (by === "client" || end.ending === "client_aborted") return "client_closed";
  return end.ending === "completed" ? "server_closed" : "reset";
}

/** How it left what was being made. */
export function cutOutcome(end: ExchangeEnd | null): Outcome {
  const reason = endReason(end);
  if (reason === "interrupted" || reason === "stopped") return "interrupted";
  return reason === "client_closed" ? "client_aborted" : "truncated";
}
