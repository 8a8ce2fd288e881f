import { readTraceparent, traceparentOf } from "#lib/trace-ids.ts";

/**
 * Headers for the upstream with our `traceparent` in place of the client's, so that what the upstream does appears below
 * the span that the recorder will make of this call. `tracestate` means nothing without the client's own valid
 * `traceparent` (W3C Trace Context, section 3.3) and goes along only then.
 */
export function withTrace(headers: readonly string[], callId: string): string[] {
  const out: string[] = [];
  const parents: string[] = [];
  const states: string[] = [];
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    const value = headers[i + 1] as string;
    const lower = name.toLowerCase();
    if (lower === "traceparent") parents.push(value);
    else if (lower === "tracestate") states.push(name, value);
    else out.push(name, value);
  }
  // Two of them are none.
  const client = parents.length === 1 ? readTraceparent(parents[0]) : null;
  out.push("traceparent", traceparentOf(callId, client));
  if (client) out.push(...states);
  return out;
}
