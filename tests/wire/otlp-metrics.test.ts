import { expect, test } from "vitest";
import { ask } from "#tests/support/http-client.ts";
import { startOtlpReceiver } from "#tests/support/otlp-receiver.ts";
import { figureOf, parsePrometheus } from "#tests/support/prometheus.ts";
import { startProxy } from "#tests/support/proxy.ts";
import { useWire } from "./setup.ts";

const wire = useWire();

test.each(["http/protobuf", "http/json"])(
  "a collector gets the proxy's figures as /metrics has them (%s)",
  async (protocol) => {
    const receiver = await startOtlpReceiver();
    const proxy = await startProxy(wire.upstream.url, {
      OTEL_METRICS_EXPORTER: "otlp",
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
    });
    try {
      for (let i = 0; i < 3; i++) await ask(`${proxy.url}/v1/models`);
      await ask(`${proxy.url}/nowhere`);
      const shown = parsePrometheus((await ask(`${proxy.url}/metrics`)).text);
      // What was counted last is sent before the end.
      await proxy.stop();
      const name = "omnimeter_overhead_seconds";
      const points = (metric: string) => receiver.metrics.find((one) => one.name === metric)?.points ?? [];
      expect(points("omnimeter_accepted_calls_total").map(({ value }) => value)).toEqual([3]);
      expect(points("omnimeter_own_errors_total")).toMatchObject([
        { attributes: { code: "omnimeter_unknown_path" }, value: 1 },
      ]);
      const [overhead] = points(name);
      expect(overhead?.histogram?.count).toBe(3);
      expect(overhead?.histogram?.sum).toBeCloseTo(figureOf(shown, `${name}_sum`) as number, 12);
      expect(overhead?.histogram?.buckets).toHaveLength((overhead?.histogram?.bounds.length as number) + 1);
      // Nothing was dropped: no points, and so no metric.
      expect(receiver.metrics.map((one) => one.name)).not.toContain("omnimeter_dropped_calls_total");
      expect(receiver.metrics.find((one) => one.name === name)?.unit).toBe("s");
    } finally {
      await proxy.stop();
      await receiver.stop();
    }
  },
);

test("a collector that hangs costs no call, and the proxy stops all the same", async () => {
  const receiver = await startOtlpReceiver();
  receiver.mode = "hangs";
  const proxy = await startProxy(wire.upstream.url, {
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    OTEL_METRIC_EXPORT_INTERVAL: "20",
  });
  try {
    for (let i = 0; i < 50; i++) expect((await ask(`${proxy.url}/v1/models`)).status).toBe(200);
    expect(await proxy.process.stop()).toBe(0);
  } finally {
    await proxy.stop();
    await receiver.stop();
  }
});
