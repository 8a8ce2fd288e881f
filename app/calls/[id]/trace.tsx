import type { CallFacts } from "#db/queries/call-page.ts";
import { readConfig } from "#lib/config.ts";
import { spanIdOf, traceIdOf } from "#lib/trace-ids.ts";
import type { Fact } from "./fact-list.tsx";
import { traceHref } from "./trace-href.ts";

/**
 * The trace that the call belongs to: its caller's, else the one that Omnimeter's own span begins. A link where it is known
 * which page shows traces.
 */
export function traceFact({ id, traceId: callers, parentSpanId }: CallFacts): Fact | null {
  const { traceUrl, telemetry } = readConfig();
  const hasSpan = telemetry.traces !== null;
  const traceId = callers ?? (hasSpan ? traceIdOf(id) : null);
  if (traceId === null) return null;
  if (traceUrl === null)
    return {
      name: "Trace id",
      id: traceId,
      value: traceId,
      note: "With OMNIMETER_TRACE_URL, such as https://jaeger.example/trace/{trace_id}, this is a link.",
    };
  return {
    name: "Trace id",
    id: traceId,
    value: (
      <a
        className="text-link"
        rel="noopener"
        href={traceHref(traceUrl, traceId, hasSpan ? spanIdOf(id) : parentSpanId)}
      >
        {traceId}
      </a>
    ),
  };
}
