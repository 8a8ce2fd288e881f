import {
  type Attributes,
  type Context,
  type HrTime,
  ROOT_CONTEXT,
  type SpanStatus,
  SpanStatusCode,
  TraceFlags,
  trace,
} from "@opentelemetry/api";
import type { Call } from "#lib/call.ts";
import type { Observation } from "#lib/observation.ts";
import { contentAttributes } from "./content-attributes.ts";
import { errorTypeOf } from "./error-type.ts";
import { genAiAttributes } from "./gen-ai-attributes.ts";
import { operationOf } from "./operations.ts";
import { type NullableAttributes, ownAttributes } from "./own-attributes.ts";
import type { Server } from "./server.ts";

export interface CallSpan {
  name: string;
  attributes: Attributes;
  parent: Context;
  start: HrTime;
  end: HrTime;
  status: SpanStatus;
}

/** What a call's span says. Its ids are the tracer's business: they follow from the call's id. */
export function spanOf(observation: Observation, { provider, attributes }: Server): CallSpan {
  const { call, content } = observation;
  const operation = operationOf(call);
  return {
    name: operation ? [operation.name, call.requestModel ?? []].flat().join(" ") : `${call.method} ${call.endpoint}`,
    attributes: known(
      attributes,
      operation ? genAiAttributes(observation, operation, provider) : { "http.request.method": call.method },
      operation && content ? contentAttributes(content, call) : {},
      { "http.response.status_code": call.status, "error.type": errorTypeOf(call) },
      ownAttributes(call),
    ),
    parent: parentOf(call),
    start: toHrTime(call.startedAt, 0),
    end: toHrTime(call.startedAt, call.timings.durationMs ?? lastSeenMs(call)),
    status: statusOf(observation),
  };
}

/** Unknown is absent. A loop, because with 50 names per call the tidier ways were a tenth of a span's cost. */
function known(...groups: NullableAttributes[]): Attributes {
  const attributes: Attributes = {};
  for (const group of groups)
    for (const name in group) {
      const value = group[name];
      if (value !== null) attributes[name] = value;
    }
  return attributes;
}

/** The client's span. The recorder keeps no sampling flag, so a known parent counts as sampled: every call has its span. */
function parentOf({ traceId, parentSpanId }: Call): Context {
  if (traceId === null || parentSpanId === null) return ROOT_CONTEXT;
  const spanContext = { traceId, spanId: parentSpanId, traceFlags: TraceFlags.SAMPLED, isRemote: true };
  return trace.setSpanContext(ROOT_CONTEXT, spanContext);
}

/** [seconds, nanoseconds]: a number would be a millisecond, and small ones are taken for another clock. */
function toHrTime(epochMs: number, laterMs: number): HrTime {
  const nanoseconds = (epochMs % 1000) * 1e6 + Math.round(laterMs * 1e6);
  return [Math.floor(epochMs / 1000) + Math.floor(nanoseconds / 1e9), nanoseconds % 1e9];
}

/** Where the end was not seen (the proxy died), the span ends with the last moment that was. */
function lastSeenMs({ timings }: Call): number {
  const { requestEndMs, sentMs, firstByteMs, firstTokenMs, lastTokenMs, responseEndMs } = timings;
  const seen = [requestEndMs, sentMs, firstByteMs, firstTokenMs, lastTokenMs, responseEndMs];
  return Math.max(0, ...seen.filter((one) => one !== null));
}

/** The upstream's words may repeat what was said, so they leave with the content only. */
function statusOf({ call, content }: Observation): SpanStatus {
  if (!FAILED.has(call.outcome)) return { code: SpanStatusCode.UNSET };
  const message = content === null ? null : call.errorMessage;
  return { code: SpanStatusCode.ERROR, ...(message !== null && { message }) };
}

/** A client that leaves is an outcome, not an error: `error.type` names it, and the status stays unset. */
const FAILED: ReadonlySet<Call["outcome"]> = new Set(["failed", "truncated", "unreachable", "interrupted"]);
