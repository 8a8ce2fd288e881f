/**
 * Where a trace is shown: the pattern of OMNIMETER_TRACE_URL with the ids put in. A span that is not known leaves its
 * place empty.
 */
export const traceHref = (pattern: string, traceId: string, spanId: string | null): string =>
  pattern
    .replaceAll("{trace_id}", encodeURIComponent(traceId))
    .replaceAll("{span_id}", encodeURIComponent(spanId ?? ""));
