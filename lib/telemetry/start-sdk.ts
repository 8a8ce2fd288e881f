import { setTimeout as sleep } from "node:timers/promises";
import { context, type Meter, metrics, propagation, type Tracer, trace } from "@opentelemetry/api";
import { OTLPMetricExporter as JsonMetricExporter } from "@opentelemetry/exporter-metrics-otlp-http";
import { OTLPMetricExporter as ProtobufMetricExporter } from "@opentelemetry/exporter-metrics-otlp-proto";
import { OTLPTraceExporter as JsonTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { OTLPTraceExporter as ProtobufTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import {
  defaultResource,
  envDetector,
  resourceFromAttributes,
  serviceInstanceIdDetector,
} from "@opentelemetry/resources";
import { type MetricProducer, PeriodicExportingMetricReader, type ResourceMetrics } from "@opentelemetry/sdk-metrics";
import { NodeSDK, type NodeSDKConfiguration } from "@opentelemetry/sdk-node";

export type OtlpProtocol = "http/protobuf" | "http/json";

export interface SdkOptions {
  /** `service.name`, unless OTEL_SERVICE_NAME or OTEL_RESOURCE_ATTRIBUTES say otherwise. */
  service: string;
  /** null: no spans. */
  traces: OtlpProtocol | null;
  /** null: no metrics. */
  metrics: { protocol: OtlpProtocol; everyMs: number } | null;
  idGenerator?: NodeSDKConfiguration["idGenerator"];
  /** Figures that somebody else has counted, sent with the SDK's own. */
  metricProducer?: MetricProducer;
  onExport?: OnExport;
}

/** After every export: how many spans or metrics it held, and why it failed, if it did. Called before the next export begins. */
export type OnExport = (signal: "traces" | "metrics", items: number, error: Error | null) => void;

export interface Sdk {
  tracer: Tracer;
  meter: Meter;
  /** Sends what waits. Never rejects, and takes at most SHUTDOWN_MS: what has not gone by then is lost. */
  shutdown(): Promise<void>;
}

/** On every span and metric. The version is that of our own names and their meanings: it moves when one of them changes. */
export const SCOPE = { name: "omnimeter", version: "1" };
const SHUTDOWN_MS = 2000;

/**
 * Starts OpenTelemetry for this process. Where to send, headers, compression, timeouts, queue, sampler and limits come
 * from the standard OTEL_* variables, which the SDK reads by itself; what it does not say here follows its defaults.
 * Only one can run in a process.
 */
export function startSdk(options: SdkOptions): Sdk {
  const { service, traces, metrics: metering, idGenerator, metricProducer, onExport = () => {} } = options;
  const sdk = new NodeSDK({
    // What the environment says of the resource is laid over this.
    resource: defaultResource().merge(resourceFromAttributes({ "service.name": service })),
    resourceDetectors: [serviceInstanceIdDetector, envDetector],
    ...(traces
      ? { traceExporter: watched(spanExporter(traces), ({ length }) => length, "traces", onExport) }
      : { spanProcessors: [] }),
    metricReaders: metering
      ? [
          new PeriodicExportingMetricReader({
            exporter: watched(metricExporter(metering.protocol), countMetrics, "metrics", onExport),
            exportIntervalMillis: metering.everyMs,
            metricProducers: metricProducer ? [metricProducer] : [],
          }),
        ]
      : [],
    logRecordProcessors: [],
    ...(idGenerator && { idGenerator }),
  });
  sdk.start();
  return {
    tracer: trace.getTracer(SCOPE.name, SCOPE.version),
    meter: metrics.getMeter(SCOPE.name, SCOPE.version),
    async shutdown() {
      await Promise.race([sdk.shutdown().catch(() => {}), sleep(SHUTDOWN_MS, undefined, { ref: false })]);
      for (const api of [trace, metrics, context, propagation]) api.disable();
    },
  };
}

const spanExporter = (protocol: OtlpProtocol) =>
  protocol === "http/json" ? new JsonTraceExporter() : new ProtobufTraceExporter();

const metricExporter = (protocol: OtlpProtocol) =>
  protocol === "http/json" ? new JsonMetricExporter() : new ProtobufMetricExporter();

const countMetrics = ({ scopeMetrics }: ResourceMetrics): number =>
  scopeMetrics.reduce((sum, scope) => sum + scope.metrics.length, 0);

interface Exporter<T> {
  export(items: T, done: (result: { code: number; error?: Error }) => void): void;
}

/** The exporter itself, telling how each export went. */
function watched<T, E extends Exporter<T>>(
  exporter: E & Exporter<T>,
  count: (items: T) => number,
  signal: "traces" | "metrics",
  onExport: OnExport,
): E {
  const send = exporter.export.bind(exporter);
  exporter.export = (items, done) =>
    send(items, (result) => {
      onExport(signal, count(items), result.code === 0 ? null : (result.error ?? new Error("the export failed")));
      done(result);
    });
  return exporter;
}
