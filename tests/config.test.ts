import { expect, test } from "vitest";
import { readConfig } from "#lib/config.ts";

test("without settings everything has its documented default", () => {
  const config = readConfig({});
  expect(config).toMatchObject({
    host: "127.0.0.1",
    proxyPort: 4000,
    dashboardPort: 3000,
    upstreams: { default: "https://api.openai.com" },
    workers: 1,
    capture: "full",
    databaseUrl: undefined,
    includeUsage: true,
    fsync: false,
    upstreamConnections: 4096,
    clientTimeoutMs: 60_000,
    maxConnections: 20_000,
    allowedHosts: [],
    drainMs: 30_000,
  });
  expect(config.dataDir).toMatch(/\/\.omnimeter$/);
  expect(Object.isFrozen(config)).toBe(true);
});

test("every bad variable is named in one message, with what to write instead", () => {
  const env = {
    OMNIMETER_PROXY_PORT: "http",
    OMNIMETER_WORKERS: "0",
    OMNIMETER_CAPTURE: "some",
    OMNIMETER_UPSTREAM: "ftp://x",
    OMNIMETER_UPSTREAMS: "A=https://a, b=nonsense",
    OMNIMETER_HOST: "127.0.0.1:4000",
    OMNIMETER_UPSTREAM_CONNECTIONS: "65536",
  };
  for (const part of [
    'OMNIMETER_PROXY_PORT is "http"; it takes a whole number from 0 to 65535',
    "OMNIMETER_WORKERS",
    'OMNIMETER_CAPTURE is "some"; it takes full or facts',
    "OMNIMETER_UPSTREAM is",
    'OMNIMETER_UPSTREAMS has "A=https://a"',
    "OMNIMETER_UPSTREAMS (b)",
    "OMNIMETER_HOST",
    'OMNIMETER_UPSTREAM_CONNECTIONS is "65536"; it takes a whole number from 1 to 65535',
  ])
    expect(() => readConfig(env)).toThrow(part);
});

test("a slip in a setting's name is not ignored", () => {
  expect(() => readConfig({ OMNIMETER_PORT: "1" })).toThrow("OMNIMETER_PORT is not a setting");
});

test("passwords are not repeated in messages", () => {
  expect(() => readConfig({ DATABASE_URL: "mysql://me:hunter22@host/db" })).toThrow(/^(?!.*hunter22).*DATABASE_URL/);
  expect(() => readConfig({ OMNIMETER_UPSTREAM: "https://me:hunter22@host" })).toThrow(
    /^(?!.*hunter22).*OMNIMETER_UPSTREAM/,
  );
});

test("a key to listen to calls with is for the default upstream, or for those that are named, and is never repeated", () => {
  const joinKeys = (value: string) =>
    readConfig({ OMNIMETER_UPSTREAMS: "azure=https://azure.x", OMNIMETER_JOIN_CALLS_KEY: value }).joinKeys;
  expect(readConfig({}).joinKeys).toEqual({});
  expect(joinKeys(" sk-proj_1-A ")).toEqual({ default: "sk-proj_1-A" });
  expect(joinKeys("azure=0af,sk-1")).toEqual({ azure: "0af", default: "sk-1" });
  expect(joinKeys("default=sk-1")).toEqual({ default: "sk-1" });
  for (const wrong of [
    "elsewhere=hunter22",
    "hunter22,hunter23",
    "hunter22 x",
    "hunter22\r\nx: y",
    "azure=",
    "toString=hunter22",
  ])
    expect(() => joinKeys(wrong)).toThrow(/^(?!.*hunter2).*OMNIMETER_JOIN_CALLS_KEY takes an API key/);
});

test("upstreams lose a trailing /v1 and slash, so that both ways to write them work", () => {
  const { upstreams } = readConfig({
    OMNIMETER_UPSTREAM: "https://x/v1/",
    OMNIMETER_UPSTREAMS: "eu=https://eu.x/v1,b=http://b/",
  });
  expect(upstreams).toEqual({ default: "https://x", eu: "https://eu.x", b: "http://b" });
});

test("several database hosts are a database too", () => {
  expect(readConfig({ DATABASE_URL: "postgres://u:p@a:1,b:2/db" }).databaseUrl).toBe("postgres://u:p@a:1,b:2/db");
});

test("the two ports must differ", () => {
  expect(() => readConfig({ OMNIMETER_PROXY_PORT: "3000" })).toThrow("both 3000");
});

const OFF = { traces: null, metrics: null, content: false };
const collector = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:4318" };

test.each([
  ["nothing is set", {}, OFF],
  ["content alone is asked for", { OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT: "true" }, OFF],
  ["the SDK is disabled", { ...collector, OTEL_SDK_DISABLED: "TRUE" }, OFF],
  ["both exporters are none", { ...collector, OTEL_TRACES_EXPORTER: "none", OTEL_METRICS_EXPORTER: "none" }, OFF],
])("no telemetry leaves when %s", (_, env, expected) => {
  expect(readConfig(env).telemetry).toEqual(expected);
});

test("a collector's address switches both signals on, one exporter only its own", () => {
  const traces = { protocol: "http/protobuf", queueSpans: 2048 };
  const metrics = { protocol: "http/protobuf", everyMs: 60_000 };
  expect(readConfig(collector).telemetry).toEqual({ traces, metrics, content: false });
  expect(readConfig({ ...collector, OTEL_METRICS_EXPORTER: "none" }).telemetry).toEqual({ ...OFF, traces });
  expect(readConfig({ OTEL_METRICS_EXPORTER: "otlp" }).telemetry).toEqual({ ...OFF, metrics });
  expect(readConfig({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "https://c/v1/traces" }).telemetry).toEqual({
    ...OFF,
    traces,
  });
});

test("a signal's own protocol goes before the common one", () => {
  const { telemetry } = readConfig({
    ...collector,
    OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
    OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: "http/protobuf",
    OTEL_BSP_MAX_QUEUE_SIZE: "10",
    OTEL_METRIC_EXPORT_INTERVAL: "1000",
  });
  expect(telemetry.traces).toEqual({ protocol: "http/json", queueSpans: 10 });
  expect(telemetry.metrics).toEqual({ protocol: "http/protobuf", everyMs: 1000 });
});

test.each([
  ["SPAN_ONLY", true],
  ["span_and_event", true],
  ["true", true],
  ["EVENT_ONLY", false],
  ["NO_CONTENT", false],
  ["false", false],
])("content on spans with %s: %s; never when only facts are captured", (value, expected) => {
  const env = { ...collector, OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT: value };
  expect(readConfig(env).telemetry.content).toBe(expected);
  expect(readConfig({ ...env, OMNIMETER_CAPTURE: "facts" }).telemetry.content).toBe(false);
});

test("bad OpenTelemetry settings are named too, and those of a signal that is off are not looked at", () => {
  const env = {
    OTEL_EXPORTER_OTLP_ENDPOINT: "me:hunter22@collector:4318",
    OTEL_EXPORTER_OTLP_PROTOCOL: "grpc",
    OTEL_BSP_MAX_QUEUE_SIZE: "0",
    OTEL_METRIC_EXPORT_INTERVAL: "1.5",
    OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT: "yes",
  };
  for (const part of [
    "OTEL_EXPORTER_OTLP_ENDPOINT is no http or https URL",
    'OTEL_EXPORTER_OTLP_PROTOCOL is "grpc"; it takes http/protobuf or http/json',
    'OTEL_BSP_MAX_QUEUE_SIZE is "0"',
    'OTEL_METRIC_EXPORT_INTERVAL is "1.5"',
    'OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT is "yes"',
  ])
    expect(() => readConfig(env)).toThrow(part);
  expect(() => readConfig(env)).toThrow(/^(?!.*hunter22)(?!.*ENDPOINT is.*ENDPOINT is)/);
  expect(() => readConfig({ OTEL_TRACES_EXPORTER: "zipkin" })).toThrow('OTEL_TRACES_EXPORTER is "zipkin"');
  expect(readConfig({ OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" }).telemetry).toEqual(OFF);
});

test("the page of a trace is a URL with a place for the trace's id", () => {
  const traceUrl = (value: string) => readConfig({ OMNIMETER_TRACE_URL: value }).traceUrl;
  expect(readConfig({}).traceUrl).toBeNull();
  expect(traceUrl("https://jaeger.example/trace/{trace_id}?span={span_id}")).toBe(
    "https://jaeger.example/trace/{trace_id}?span={span_id}",
  );
  expect(traceUrl("http://t/#{trace_id}")).toBe("http://t/#{trace_id}");
  for (const bad of ["https://jaeger.example/trace", "jaeger/{trace_id}", "javascript:alert('{trace_id}')"])
    expect(() => traceUrl(bad)).toThrow("OMNIMETER_TRACE_URL is");
  expect(() => traceUrl("https://me:hunter22@t/{trace_id}")).toThrow(/^(?!.*hunter22).*OMNIMETER_TRACE_URL/);
});

test("names that a proxy on loopback answers to are a list, however they are written", () => {
  expect(readConfig({ OMNIMETER_ALLOWED_HOSTS: " LLM.example ,,b.example" }).allowedHosts).toEqual([
    "llm.example",
    "b.example",
  ]);
  expect(() => readConfig({ OMNIMETER_DRAIN_MS: "-1" })).toThrow("OMNIMETER_DRAIN_MS");
  expect(() => readConfig({ OMNIMETER_CLIENT_TIMEOUT_MS: "5" })).toThrow("OMNIMETER_CLIENT_TIMEOUT_MS");
  expect(() => readConfig({ OMNIMETER_MAX_CONNECTIONS: "0" })).toThrow("OMNIMETER_MAX_CONNECTIONS");
});

test("what is said is kept for 90 days and calls for ever, unless told otherwise", () => {
  expect(readConfig({})).toMatchObject({ contentDays: 90, factsDays: null });
  const env = { OMNIMETER_CONTENT_DAYS: "Forever", OMNIMETER_FACTS_DAYS: "400" };
  expect(readConfig(env)).toMatchObject({ contentDays: null, factsDays: 400 });
  for (const wrong of ["0", "-1", "1.5", "40000", "never"])
    expect(() => readConfig({ OMNIMETER_FACTS_DAYS: wrong })).toThrow(
      `OMNIMETER_FACTS_DAYS is "${wrong}"; it takes a whole number of days from 1 to 36500, or forever`,
    );
});
