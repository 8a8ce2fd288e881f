import { afterAll, beforeAll, expect, test } from "vitest";
import { uuid7Ms } from "#lib/uuid7.ts";
import { type Answer, ask, valuesOf } from "#tests/support/http-client.ts";
import { type OtlpReceiver, startOtlpReceiver } from "#tests/support/otlp-receiver.ts";
import { type TestDatabase, testDatabase } from "#tests/support/postgres.ts";
import { type System, startSystem } from "#tests/support/system.ts";
import { asHeader, type Script } from "#tests/support/upstream/script.ts";

// The whole way: client → proxy → spool → recorder → collector.

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT = "00f067aa0ba902b7";

let database: TestDatabase;
let collector: OtlpReceiver;
let system: System;
beforeAll(async () => {
  database = await testDatabase();
  collector = await startOtlpReceiver();
  const env = {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_TIMEOUT: "500",
    OTEL_BSP_SCHEDULE_DELAY: "50",
    OTEL_METRIC_EXPORT_INTERVAL: "200",
  };
  system = await startSystem({ database, env });
});
afterAll(async () => {
  await system?.stop();
  await collector?.stop();
  await database?.drop();
});

const body = JSON.stringify({ model: "gpt-4o", messages: [{ role: "user", content: "hello" }] });

async function call(script?: Script): Promise<Answer & { id: string }> {
  const headers = ["content-type", "application/json", "traceparent", `00-${TRACE}-${PARENT}-01`];
  if (script) headers.push("X-Script", asHeader(script));
  const answer = await ask(`${system.proxyUrl}/v1/chat/completions`, { method: "POST", headers, body });
  return { ...answer, id: String(answer.headers["x-omnimeter-call-id"]) };
}

const spansOf = (id: string) => collector.spans.filter(({ attributes }) => attributes["omnimeter.call.id"] === id);

const arrived = (id: string) => expect.poll(() => spansOf(id).length, { timeout: 20_000 }).toBe(1);

test("the span that the upstream was told of arrives, below the client's span, as the stored call says", async () => {
  const { id, text } = await call({ do: "echo" });
  await arrived(id);
  const [span] = spansOf(id);
  const [told] = valuesOf(JSON.parse(text).rawHeaders, "traceparent");
  expect(told).toBe(`00-${TRACE}-${span?.spanId}-01`);
  expect(span?.parentSpanId).toBe(PARENT);
  const [row] = await system.sql`select trace_id, parent_span_id, duration_ms from calls where id = ${id}`;
  // What is recorded is what the client sent.
  expect(row).toMatchObject({ trace_id: TRACE, parent_span_id: PARENT });
  expect(span?.startNano).toBe(BigInt(uuid7Ms(id)) * 1_000_000n);
  expect(Number((span?.endNano ?? 0n) - (span?.startNano ?? 0n)) / 1e6).toBeCloseTo(row?.duration_ms, 3);
});

test("metrics arrive by themselves", async () => {
  const { id } = await call();
  await arrived(id);
  await expect
    .poll(() => collector.metrics.map(({ name }) => name), { timeout: 20_000 })
    .toContain("gen_ai.client.inference.duration");
});

test("a collector that is down holds nothing up, and the recorder says so once", async () => {
  collector.mode = "refuses";
  for (let i = 0; i < 5; i++) await call();
  await system.drained();
  await expect
    .poll(() => system.output("recorder").match(/does not take traces/g)?.length, { timeout: 20_000 })
    .toBe(1);
  collector.mode = "takes";
  const { id } = await call();
  await arrived(id);
  // Said when the collector has answered, which is after it has what it was sent.
  await expect.poll(() => system.output("recorder").match(/takes traces again/g)?.length).toBe(1);
  expect(system.output("recorder").match(/does not take traces/g)).toHaveLength(1);
});

test("a killed recorder sends no call as two spans", async () => {
  const ids: string[] = [];
  for (let i = 0; i < 10; i++) ids.push((await call()).id);
  await system.kill("recorder");
  for (let i = 0; i < 10; i++) ids.push((await call()).id);
  await system.start("recorder");
  await system.drained();
  const { id } = await call();
  await arrived(id);
  const spans = collector.spans.filter(({ attributes }) => ids.includes(attributes["omnimeter.call.id"] as string));
  const spanIds = new Set(spans.map(({ spanId }) => spanId));
  const calls = new Set(spans.map(({ attributes }) => attributes["omnimeter.call.id"]));
  expect(spanIds.size).toBe(calls.size);
  // Those that came after it was killed have all been sent; of those before, what waited in its memory is gone.
  expect(ids.slice(10).filter((one) => !calls.has(one))).toEqual([]);
});
