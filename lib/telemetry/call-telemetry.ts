import { SpanKind, TraceFlags } from "@opentelemetry/api";
import type { Observation } from "#lib/observation.ts";
import { spanIdOf, traceIdOf } from "#lib/trace-ids.ts";
import { createCallMetrics } from "./call-metrics.ts";
import { type Server, serverOf } from "./server.ts";
import { spanOf } from "./span-of.ts";
import { type OtlpProtocol, type SdkOptions, startSdk } from "./start-sdk.ts";

export interface CallTelemetryOptions {
  traces: { protocol: OtlpProtocol; queueSpans: number } | null;
  metrics: SdkOptions["metrics"];
  /** Name → base URL. */
  upstreams: Readonly<Record<string, string>>;
  /** A collector began to fail, or takes again: one sentence each time that this changes. */
  log: (sentence: string) => void;
}

export interface CallTelemetry {
  /** Never waits and never throws. */
  record(observations: readonly Observation[]): void;
  counts(): SpanCounts;
  shutdown(): Promise<void>;
}

/** Of spans, since the start. What is in none of them waits. */
export interface SpanCounts {
  /** The collector took the request. Single spans that it then refuses (OTLP's partial success) are in here too. */
  exported: number;
  dropped: {
    /** The collector took too long, so that as many waited as may (OTEL_BSP_MAX_QUEUE_SIZE). */
    queue_full: number;
    /** The collector was away or refused them, and the SDK's retries did not help. */
    export_failed: number;
    /** A span could not be made: a fault of ours. */
    faulty: number;
  };
}

/**
 * One client span per call, and the GenAI metrics. A span's ids follow from the call's id, its parent is the client's,
 * its start and end are the call's, so a call that is read again makes the same span again. A cumulative metric loses
 * nothing when an export fails: the next one holds it.
 */
export function createCallTelemetry({ traces, metrics, upstreams, log }: CallTelemetryOptions): CallTelemetry {
  const counts: SpanCounts = { exported: 0, dropped: { queue_full: 0, export_failed: 0, faulty: 0 } };
  const failing = { traces: false, metrics: false };
  const servers = new Map(Object.entries(upstreams).map(([name, url]) => [name, serverOf(url)]));
  /** Spans in the SDK's queue or on their way. Kept below its limit here, where what is beyond can be counted. */
  let waiting = 0;
  /** The call whose span is being started. */
  let current = "";
  const sdk = startSdk({
    service: "omnimeter-recorder",
    traces: traces?.protocol ?? null,
    metrics,
    idGenerator: { generateSpanId: () => spanIdOf(current), generateTraceId: () => traceIdOf(current) },
    onExport(signal, items, error) {
      if (signal === "traces") {
        waiting -= items;
        if (error) counts.dropped.export_failed += items;
        else counts.exported += items;
      }
      noteState(signal, error);
    },
  });
  const recordMetrics = metrics && createCallMetrics(sdk.meter);

  return {
    record(observations) {
      for (const observation of observations) {
        const server = servers.get(observation.call.upstream) ?? serverOf();
        try {
          recordMetrics?.(observation.call, server);
          if (traces) recordSpan(observation, server, traces.queueSpans);
        } catch {
          counts.dropped.faulty++;
        }
      }
    },
    counts: () => structuredClone(counts),
    async shutdown() {
      await sdk.shutdown();
      if (waiting > 0) log(`${waiting} spans were not sent before the end`);
    },
  };

  function recordSpan(observation: Observation, server: Server, queueSpans: number) {
    if (waiting >= queueSpans) {
      counts.dropped.queue_full++;
      return;
    }
    const { name, attributes, parent, start, end, status } = spanOf(observation, server);
    current = observation.call.id;
    const span = sdk.tracer.startSpan(name, { kind: SpanKind.CLIENT, startTime: start, attributes }, parent);
    // A sampler may have said no.
    if (span.spanContext().traceFlags & TraceFlags.SAMPLED) waiting++;
    span.setStatus(status);
    span.end(end);
  }

  function noteState(signal: "traces" | "metrics", error: Error | null) {
    if (failing[signal] === (error !== null)) return;
    failing[signal] = error !== null;
    log(
      error
        ? `the collector does not take ${signal} (${error.message || error.name}); calls go on, losses are counted`
        : `the collector takes ${signal} again`,
    );
  }
}
