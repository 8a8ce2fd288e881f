import { afterEach, expect, test } from "vitest";
import type { Observation } from "#lib/observation.ts";
import { chatExchange } from "#tests/support/exchange.ts";
import { type Mode, type OtlpReceiver, startOtlpReceiver } from "#tests/support/otlp-receiver.ts";
import { exported, observe, startTelemetry } from "./export.ts";

let receiver: OtlpReceiver | undefined;
afterEach(async () => {
  await receiver?.stop();
  receiver = undefined;
});

const many = async (count: number): Promise<Observation[]> => {
  const observations: Observation[] = [];
  for (let i = 0; i < count; i++) observations.push(await observe(chatExchange()));
  return observations;
};

test("protobuf and JSON, compressed or not, arrive as the same spans and metrics", async () => {
  const observations = await many(3);
  const sent = async (protocol: "http/protobuf" | "http/json", env: Record<string, string> = {}) => {
    const options = { traces: { protocol, queueSpans: 2048 }, metrics: { protocol, everyMs: 60_000 } };
    return exported(observations, options, env);
  };
  const protobuf = await sent("http/protobuf");
  const json = await sent("http/json");
  const zipped = await sent("http/protobuf", { OTEL_EXPORTER_OTLP_COMPRESSION: "gzip" });
  const zippedJson = await sent("http/json", { OTEL_EXPORTER_OTLP_COMPRESSION: "gzip" });
  // Which signal goes first is left open.
  const ofTraces = ({ requests }: typeof json) => requests.filter(({ path }) => path === "/v1/traces");
  expect([protobuf, json, zipped, zippedJson].flatMap(ofTraces)).toEqual([
    { path: "/v1/traces", contentType: "application/x-protobuf", encoding: "identity" },
    { path: "/v1/traces", contentType: "application/json", encoding: "identity" },
    { path: "/v1/traces", contentType: "application/x-protobuf", encoding: "gzip" },
    { path: "/v1/traces", contentType: "application/json", encoding: "gzip" },
  ]);
  // Only the instance of the service differs, which is new with each start.
  const comparable = ({ spans, metrics }: typeof json) => ({
    spans: spans.map(({ resource: _, ...span }) => span),
    metrics,
  });
  expect(protobuf.spans).toHaveLength(3);
  expect(protobuf.metrics.length).toBeGreaterThan(0);
  for (const other of [json, zipped, zippedJson]) expect(comparable(other)).toEqual(comparable(protobuf));
});

test("the service is ours until the environment names another one", async () => {
  const [observation] = (await many(1)) as [Observation];
  const nameOf = async (env: Record<string, string>) =>
    (await exported([observation], {}, env)).spans[0]?.resource["service.name"];
  expect(await nameOf({})).toBe("omnimeter-recorder");
  expect(await nameOf({ OTEL_SERVICE_NAME: "ledger" })).toBe("ledger");
});

test("one signal alone: the other is not sent", async () => {
  const observations = await many(1);
  const spansOnly = await exported(observations, { metrics: null });
  expect([spansOnly.spans.length, spansOnly.metrics.length]).toEqual([1, 0]);
  const metricsOnly = await exported(observations, { traces: null });
  expect(metricsOnly.spans).toEqual([]);
  expect(metricsOnly.metrics.length).toBeGreaterThan(0);
  expect(metricsOnly.counts).toEqual({ exported: 0, dropped: { queue_full: 0, export_failed: 0, faulty: 0 } });
});

test("a sampler's no is not a loss", async () => {
  const { spans, counts } = await exported(await many(5), {}, { OTEL_TRACES_SAMPLER: "always_off" });
  expect(spans).toEqual([]);
  expect(counts).toEqual({ exported: 0, dropped: { queue_full: 0, export_failed: 0, faulty: 0 } });
});

test("a collector that never answers fills the queue; what is beyond is counted, and recording never waits", async () => {
  receiver = await startOtlpReceiver();
  receiver.mode = "hangs";
  const said: string[] = [];
  const telemetry = startTelemetry(
    receiver.url,
    { traces: { protocol: "http/protobuf", queueSpans: 100 }, metrics: null, log: (sentence) => said.push(sentence) },
    { OTEL_BSP_MAX_QUEUE_SIZE: "100", OTEL_EXPORTER_OTLP_TIMEOUT: "300" },
  );
  const observations = await many(250);
  telemetry.record(observations);
  // It returned before anything could have been sent: all that it may do is to queue.
  expect(telemetry.counts()).toEqual({ exported: 0, dropped: { queue_full: 150, export_failed: 0, faulty: 0 } });
  await telemetry.shutdown();
  expect(telemetry.counts()).toEqual({ exported: 0, dropped: { queue_full: 150, export_failed: 100, faulty: 0 } });
  expect(said).toEqual([expect.stringMatching(/^the collector does not take traces \(.+\); calls go on, losses are/)]);
});

test.each<[Mode | "away", string]>([
  ["away", "is not there"],
  ["unavailable", "is overloaded and says to come back in a minute"],
  ["refuses", "refuses"],
  ["resets", "resets connections"],
])("a collector that is %s (%s): every span is counted as lost", async (mode) => {
  receiver = await startOtlpReceiver();
  if (mode === "away") await receiver.stop();
  else receiver.mode = mode;
  const telemetry = startTelemetry(receiver.url, { metrics: null }, { OTEL_EXPORTER_OTLP_TIMEOUT: "300" });
  telemetry.record(await many(7));
  await telemetry.shutdown();
  if (mode === "away") receiver = undefined;
  expect(telemetry.counts()).toEqual({ exported: 0, dropped: { queue_full: 0, export_failed: 7, faulty: 0 } });
});

test("a collector that fails and comes back is said once each, and takes what comes then", async () => {
  receiver = await startOtlpReceiver();
  const said: string[] = [];
  const telemetry = startTelemetry(
    receiver.url,
    { metrics: null, log: (sentence) => said.push(sentence) },
    // Each record is an export of its own.
    { OTEL_BSP_MAX_EXPORT_BATCH_SIZE: "1", OTEL_BSP_SCHEDULE_DELAY: "1" },
  );
  const settled = (count: number) =>
    expect
      .poll(() => telemetry.counts().exported + telemetry.counts().dropped.export_failed, { interval: 5 })
      .toBe(count);
  receiver.mode = "refuses";
  telemetry.record(await many(1));
  await settled(1);
  telemetry.record(await many(1));
  await settled(2);
  receiver.mode = { slowMs: 20 };
  telemetry.record(await many(1));
  await settled(3);
  await telemetry.shutdown();
  expect(telemetry.counts()).toEqual({ exported: 1, dropped: { queue_full: 0, export_failed: 2, faulty: 0 } });
  expect(said.map((sentence) => sentence.replace(/ \(.*/, ""))).toEqual([
    "the collector does not take traces",
    "the collector takes traces again",
  ]);
});

test("a call that no span can be made of costs that span only", async () => {
  const [broken, whole] = (await many(2)) as [Observation, Observation];
  const faulty = { ...broken, call: { ...broken.call, timings: null } } as unknown as Observation;
  const { spans, counts } = await exported([faulty, whole]);
  expect(spans.map(({ attributes }) => attributes["omnimeter.call.id"])).toEqual([whole.call.id]);
  expect(counts.dropped.faulty).toBe(1);
});
