import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { allFamilies } from "#tests/support/all-families.ts";
import { documentedFamilies } from "#tests/support/documented-families.ts";
import { ask, open } from "#tests/support/http-client.ts";
import { type TestDatabase, testDatabase } from "#tests/support/postgres.ts";
import { figureOf, type ParsedFamily, parsePrometheus } from "#tests/support/prometheus.ts";
import { type System, startSystem } from "#tests/support/system.ts";
import { asHeader, type Script } from "#tests/support/upstream/script.ts";

let database: TestDatabase;
let system: System;
beforeAll(async () => {
  database = await testDatabase();
  system = await startSystem({ database, env: { OMNIMETER_MAX_CALLS: "1" } });
});
afterAll(async () => {
  await system?.stop();
  await database?.drop();
});

const call = (model: string, script?: Script) => ({
  method: "POST",
  headers: ["Content-Type", "application/json", ...(script ? ["X-Script", asHeader(script)] : [])],
  body: JSON.stringify({ model, messages: [{ role: "user", content: "hello" }] }),
});
const chat = (model: string, script?: Script) => ask(`${system.proxyUrl}/v1/chat/completions`, call(model, script));

const read = async () => parsePrometheus(await (await fetch(`${system.proxyUrl}/metrics`)).text());

/** The figures once they say what is waited for. */
async function readWhen(holds: (families: Map<string, ParsedFamily>) => boolean, figures = read) {
  for (const deadline = Date.now() + 20_000; ; await sleep(50)) {
    const families = await figures();
    if (holds(families)) return families;
    if (Date.now() > deadline) throw new Error(`not in 20 s: ${JSON.stringify([...families])}`);
  }
}

test("after calls of every fate the figures are exact, and the equation adds up", async () => {
  const good = [JSON.parse((await chat("gpt-4o")).text), JSON.parse((await chat("gpt-4o")).text)];
  const strange = JSON.parse((await chat('a\\strange "model"')).text);
  const refusal = '{"error":{"message":"slow down","type":"rate_limited","param":null,"code":null}}';
  const headers: [string, string][] = [["Content-Type", "application/json"]];
  expect((await chat("gpt-4o", { do: "answer", status: 429, headers, body: refusal })).status).toBe(429);
  // One call is in flight, so the next one is relayed and dropped.
  const silent = open(`${system.proxyUrl}/v1/chat/completions`, call("gpt-4o", { do: "silence" }));
  await readWhen((families) => figureOf(families, "omnimeter_in_flight_calls") === 1);
  const dropped = await chat("gpt-4o");
  expect(dropped.status).toBe(200);
  silent.req.destroy();
  expect((await ask(`${system.proxyUrl}/nowhere`)).status).toBe(404);
  const target = { call: String(dropped.headers["x-omnimeter-call-id"]) };
  const feedback = { method: "POST", headers: ["Content-Type", "application/json"] };
  const word = await ask(`${system.proxyUrl}/omnimeter/v1/feedback`, {
    ...feedback,
    body: JSON.stringify({ target, rating: "up" }),
  });
  expect(word.status).toBe(202);

  const families = await readWhen(
    (one) =>
      figureOf(one, "omnimeter_stored_calls_total") === 5 &&
      figureOf(one, "omnimeter_feedback_stored_total") === 1 &&
      // What the worker wrote last may hold no call, and be read a moment later.
      figureOf(one, "omnimeter_spool_waiting_bytes") === 0,
  );
  const value = (name: string, labels: Record<string, string> = {}) => figureOf(families, `omnimeter_${name}`, labels);

  expect({
    accepted: value("accepted_calls_total"),
    inFlight: value("in_flight_calls"),
    spooled: value("spooled_calls"),
    stored: value("stored_calls_total"),
    setAside: value("set_aside_calls_total"),
    dropped: value("dropped_calls_total", { reason: "too_many_calls" }),
    otherDrops: (value("dropped_calls_total") ?? 0) - 1,
  }).toEqual({ accepted: 6, inFlight: 0, spooled: 0, stored: 5, setAside: 0, dropped: 1, otherDrops: 0 });
  expect([value("answers_total", { status_class: "2xx" }), value("answers_total", { status_class: "4xx" })]).toEqual([
    4, 1,
  ]);
  expect(value("answers_total")).toBe(5);
  expect(value("own_errors_total")).toBe(1);
  expect(value("own_errors_total", { code: "omnimeter_unknown_path" })).toBe(1);
  // The aborted call has no whole answer.
  expect(value("overhead_seconds_count")).toBe(5);
  expect(value("overhead_seconds_sum")).toBeGreaterThan(0);
  expect(value("relayed_bytes_total", { direction: "response" })).toBeGreaterThan(refusal.length);
  expect([value("workers"), value("recorder_up"), value("database_away_seconds")]).toEqual([1, 1, 0]);
  expect(value("spool_waiting_bytes", { spool: "worker-0" })).toBe(0);
  expect(value("spool_oldest_seconds", { spool: "worker-0" })).toBe(0);
  expect(value("recorder_lag_seconds", { spool: "worker-0" })).toBeLessThan(5);

  expect(value("recorded_calls_total")).toBe(5);
  expect(value("recorded_calls_total", { outcome: "completed" })).toBe(3);
  expect(value("recorded_calls_total", { outcome: "client_aborted" })).toBe(1);
  expect(value("recorded_calls_total", { model: strange.model })).toBe(1);
  expect(value("call_errors_total", { outcome: "failed", error_type: "rate_limited" })).toBe(1);
  expect(value("call_errors_total")).toBe(2);
  const tokens = (usages: { total_tokens: number }[]) =>
    usages.reduce((sum, { total_tokens }) => sum + total_tokens, 0);
  expect(value("tokens_total", { source: "reported" })).toBe(tokens([...good, strange].map(({ usage }) => usage)));
  expect(value("unpriced_calls_total", { model: strange.model })).toBe(1);
  expect(value("unpriced_calls_total")).toBe(1);
  const [stored] = await database.sql`
    select sum(cost_usd)::float8 as cost from usage_lines where source = 'reported'`;
  expect(value("cost_usd_total", { source: "reported" })).toBeCloseTo(stored?.cost, 12);
  expect(value("batch_calls_sum")).toBe(5);
});

test("every family is there, and no other", async () => {
  const emitted = [...(await read())].map(([name, { type, help }]) => ({ name, type, help }));
  expect(emitted).toEqual(allFamilies().map(({ name, type, help }) => ({ name, type, help })));
});

test("series have the labels that docs/metrics.md names", async () => {
  const documented = new Map(documentedFamilies().map(({ name, labels }) => [name, labels]));
  for (const [name, { samples }] of await read())
    for (const { labels } of samples)
      expect(
        Object.keys(labels).filter((one) => one !== "le"),
        name,
      ).toEqual(documented.get(name));
});

test("a recorder that is killed and comes back still knows what is stored of the present run", async () => {
  await system.kill("recorder");
  expect((await chat("gpt-4o")).status).toBe(200);
  expect(figureOf(await read(), "omnimeter_spooled_calls")).toBe(1);
  expect(figureOf(await read(), "omnimeter_spool_waiting_bytes")).toBeGreaterThan(0);
  await system.start("recorder");
  const families = await readWhen((one) => figureOf(one, "omnimeter_stored_calls_total") === 6);
  expect(figureOf(families, "omnimeter_accepted_calls_total")).toBe(7);
  expect(figureOf(families, "omnimeter_spooled_calls")).toBe(0);
  // Its own counters began anew.
  expect(figureOf(families, "omnimeter_recorded_calls_total")).toBe(1);
});

test("with several workers, of which one was killed, the equation of the present ones adds up", async () => {
  const other = await testDatabase();
  const several = await startSystem({ database: other, env: { OMNIMETER_WORKERS: "2" } });
  try {
    const url = several.proxyUrl;
    const calls = (count: number) => Promise.all(Array.from({ length: count }, () => ask(`${url}/v1/models`)));
    await calls(30);
    await several.kill("worker");
    // A connection kept from before may break with the worker that held it.
    const figures = async () => parsePrometheus((await ask(`${url}/metrics`).catch(() => ({ text: "" }))).text);
    await readWhen((families) => figureOf(families, "omnimeter_workers") === 2, figures);
    await calls(30);
    const families = await readWhen((one) => figureOf(one, "omnimeter_spooled_calls") === 0, figures);
    const value = (name: string) => figureOf(families, `omnimeter_${name}`);
    // The killed one's calls are no longer in it, however many they were.
    expect(value("accepted_calls_total")).toBeGreaterThanOrEqual(30);
    expect(value("stored_calls_total")).toBe(value("accepted_calls_total"));
    expect([value("in_flight_calls"), value("set_aside_calls_total")]).toEqual([0, 0]);
    await expect.poll(async () => (await several.calls()).length, { timeout: 10_000 }).toBe(60);
  } finally {
    await several.stop();
    await other.drop();
  }
});
