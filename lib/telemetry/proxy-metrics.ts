import { type HrTime, ValueType } from "@opentelemetry/api";
import { emptyResource } from "@opentelemetry/resources";
import {
  AggregationTemporality,
  DataPointType,
  type MetricData,
  type MetricProducer,
} from "@opentelemetry/sdk-metrics";
import type { Buckets, MetricFamily, Sample } from "#lib/metric-family.ts";
import { SCOPE, type SdkOptions, startSdk } from "./start-sdk.ts";

export interface ProxyMetricsOptions {
  metrics: NonNullable<SdkOptions["metrics"]>;
  /** The figures as they are now. Asked before each export. */
  read: () => Promise<MetricFamily[]>;
  /** A collector began to fail, or takes again: one sentence each time that this changes. */
  log: (sentence: string) => void;
}

/**
 * Sends what /metrics says of the proxy by OTLP as well, under the same names. The workers have counted already, so nothing is
 * measured twice: the SDK is handed sums and buckets. They are cumulative whatever temporality is preferred; a worker's fall when
 * it is replaced, which a collector takes for a reset.
 */
export function startProxyMetrics({ metrics, read, log }: ProxyMetricsOptions): { shutdown(): Promise<void> } {
  let failing = false;
  const { shutdown } = startSdk({
    service: "omnimeter-proxy",
    traces: null,
    metrics,
    metricProducer: createProducer(read),
    onExport(_signal, _items, error) {
      if (failing === (error !== null)) return;
      failing = error !== null;
      log(
        error
          ? `the collector does not take metrics (${error.message || error.name}); calls go on, and /metrics has them`
          : "the collector takes metrics again",
      );
    },
  });
  return { shutdown };
}

function createProducer(read: () => Promise<MetricFamily[]>): MetricProducer {
  const startTime = toHrTime(Date.now());
  return {
    async collect() {
      // A metric without points says nothing, and some collectors refuse it.
      const families = (await read()).filter(({ samples }) => samples.length > 0);
      const endTime = toHrTime(Date.now());
      const metrics = families.map((family) => toMetric(family, startTime, endTime));
      // The resource is the SDK's: this one is ignored.
      return { resourceMetrics: { resource: emptyResource(), scopeMetrics: [{ scope: SCOPE, metrics }] }, errors: [] };
    },
  };
}

function toMetric(family: MetricFamily, startTime: HrTime, endTime: HrTime): MetricData {
  const common = {
    descriptor: {
      name: family.name,
      description: family.help,
      unit: unitOf(family.name),
      valueType: ValueType.DOUBLE,
    },
    aggregationTemporality: AggregationTemporality.CUMULATIVE,
  };
  const points = <T>(samples: Sample<T>[]) =>
    samples.map(({ labels, value }) => ({ startTime, endTime, attributes: labels, value }));
  if (family.type === "histogram")
    return {
      ...common,
      dataPointType: DataPointType.HISTOGRAM,
      dataPoints: points(family.samples.map(({ labels, value }) => ({ labels, value: toHistogram(value) }))),
    };
  const dataPoints = points(family.samples);
  if (family.type === "gauge") return { ...common, dataPointType: DataPointType.GAUGE, dataPoints };
  return { ...common, dataPointType: DataPointType.SUM, isMonotonic: true, dataPoints };
}

const toHistogram = ({ bounds, counts, sum }: Buckets) => ({
  buckets: { boundaries: [...bounds], counts: [...counts] },
  sum,
  count: counts.reduce((total, count) => total + count, 0),
});

/** UCUM, as the conventions want it; counts of things have none. */
function unitOf(name: string): string {
  if (/_seconds(_total)?$/.test(name)) return "s";
  return /_bytes(_total)?$/.test(name) ? "By" : "";
}

const toHrTime = (ms: number): HrTime => [Math.trunc(ms / 1000), (ms % 1000) * 1_000_000];
