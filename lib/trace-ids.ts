import { createHash } from "node:crypto";

/** What W3C Trace Context says of the caller, in lower-case hex: 32, 16 and 2 digits. */
export interface Traceparent {
  traceId: string;
  parentSpanId: string;
  flags: string;
}

/**
 * The ids of a call's span follow from the call's id, so the proxy can tell them to the upstream before there is a span,
 * and a call that is recorded again makes the same span again.
 */
export function spanIdOf(callId: string): string {
  const id = createHash("sha256").update(`span:${callId}`).digest("hex").slice(0, 16);
  // All zero means "no span" to everybody.
  return isZero(id) ? "0000000000000001" : id;
}

/** For a call whose client named no trace. */
export const traceIdOf = (callId: string): string => callId.replaceAll("-", "");

/** null when there is none, or it is malformed, or one of its ids is all zero (W3C Trace Context, section 3.2.2). */
export function readTraceparent(value: string | undefined): Traceparent | null {
  const [, version, traceId, parentSpanId, flags, more] =
    /^(?!ff)([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/.exec(value ?? "") ?? [];
  if (!traceId || !parentSpanId || !flags || isZero(traceId) || isZero(parentSpanId)) return null;
  // Later versions may say more; this one may not.
  return version === "00" && more !== undefined ? null : { traceId, parentSpanId, flags };
}

/** Ours, for the upstream: in the client's trace with the client's flags, or the first of a new, sampled trace. */
export function traceparentOf(callId: string, client: Traceparent | null): string {
  return `00-${client?.traceId ?? traceIdOf(callId)}-${spanIdOf(callId)}-${client ? knownFlags(client.flags) : "01"}`;
}

/** Sampled and random: senders of version 00 set no other bit. */
const knownFlags = (flags: string): string => `0${Number.parseInt(flags, 16) & 3}`;

const isZero = (hex: string): boolean => /^0+$/.test(hex);
