import type { Exchange } from "#lib/exchange.ts";
import type { Bodies } from "./bodies/body.ts";
import { readBareError, readError, sentence } from "./error.ts";
import type { Facts } from "./facts.ts";

/** A status of 400 and above is a failure whatever the endpoint; the body says why, if it says anything. */
export function readHttpError(facts: Facts, exchange: Exchange, { response }: Bodies): void {
  const status = exchange.response?.status ?? 0;
  if (status < 400) return;
  facts.outcome = "failed";
  if (response.kind === "json") facts.error ??= readError(response.value) ?? readBareError(response.value);
  // A gateway in front answers in HTML.
  if (response.kind === "none" && response.text !== null) {
    const text = response.text.replace(/<(style|script)\b.*?<\/\1>|<[^>]*>/gis, " ").replace(/\s+/g, " ");
    facts.error ??= { type: null, code: null, message: sentence(text.trim().slice(0, 300)) };
  }
}

/**
 * How a stream ended. Every stream says when it is over; one that was received to its end and did not say so broke off
 * somewhere before the upstream's last hop. Without the end of the body nothing can be said.
 */
export function settleStream(facts: Facts, exchange: Exchange, bodies: Bodies, sawTerminal: boolean): void {
  if (facts.error !== null) facts.outcome = "failed";
  // The official client hangs up as soon as it has read `[DONE]`: it has everything it asked for.
  if (sawTerminal && exchange.end?.ending === "client_aborted") facts.outcome ??= "completed";
  if (sawTerminal || bodies.response.kind !== "stream" || !bodies.response.reachesEnd) return;
  if (exchange.end?.ending !== "completed") return;
  facts.problems.push("stream_without_terminal_event");
  facts.outcome ??= "truncated";
}
