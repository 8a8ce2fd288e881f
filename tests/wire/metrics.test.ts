import { expect, test } from "vitest";
import { WebSocket } from "ws";
import { ask, rawExchange } from "#tests/support/http-client.ts";
import { childrenOf } from "#tests/support/process.ts";
import { figureOf, parsePrometheus } from "#tests/support/prometheus.ts";
import { metric, startProxy } from "#tests/support/proxy.ts";
import { eventually, useWire } from "./setup.ts";

const wire = useWire();
const read = async () => parsePrometheus((await ask(`${wire.proxy.url}/metrics`)).text);

test("a WebSocket is counted while it is open, and its bytes when it has closed", async () => {
  const socket = new WebSocket(`${wire.proxy.url.replace("http", "ws")}/v1/realtime`);
  await new Promise((opened) => socket.once("open", opened));
  const open = () => metric(wire.proxy.url, "omnimeter_open_websockets");
  expect(await open()).toBe(1);
  const echoed = new Promise((said) => socket.once("message", said));
  socket.send("hello");
  await echoed;
  socket.close();
  await eventually("it is closed", async () => (await open()) === 0);
  const families = await read();
  expect(figureOf(families, "omnimeter_answers_total", { status_class: "1xx" })).toBe(1);
  expect(figureOf(families, "omnimeter_relayed_bytes_total", { direction: "request" })).toBeGreaterThan(5);
});

test("what is not HTTP, and a path without an upstream, count as errors of ours", async () => {
  await rawExchange(wire.proxy.url, "nonsense\r\n\r\n");
  await ask(`${wire.proxy.url}/nowhere`);
  const families = await read();
  expect(figureOf(families, "omnimeter_own_errors_total", { code: "omnimeter_bad_request" })).toBe(1);
  expect(figureOf(families, "omnimeter_own_errors_total", { code: "omnimeter_unknown_path" })).toBe(1);
});

test("without a recorder its figures are missing, not zero", async () => {
  const families = await read();
  expect(figureOf(families, "omnimeter_recorder_up")).toBe(0);
  const unknown = ["stored_calls_total", "spooled_calls", "recorder_lag_seconds", "recorded_calls_total"];
  for (const name of unknown) expect(families.has(`omnimeter_${name}`), name).toBe(false);
  expect(figureOf(families, "omnimeter_spool_waiting_bytes")).toBeNull();
  expect(figureOf(families, "omnimeter_spool_bytes")).toBeGreaterThan(0);
});

test("when one worker of two dies, its counts begin at zero and the other's stay as they were", async () => {
  const proxy = await startProxy(wire.upstream.url, { OMNIMETER_WORKERS: "2" });
  const accepted = async () => {
    // A connection kept from before may break with the worker that held it.
    const { text } = await ask(`${proxy.url}/metrics`).catch(() => ({ text: "" }));
    const samples = parsePrometheus(text).get("omnimeter_accepted_calls_total")?.samples ?? [];
    return Object.fromEntries(samples.map(({ labels, value }) => [labels.worker, value]));
  };
  try {
    await Promise.all(Array.from({ length: 60 }, () => ask(`${proxy.url}/v1/models`)));
    const before = await accepted();
    expect((before[0] ?? 0) + (before[1] ?? 0)).toBe(60);
    const [pid] = childrenOf(proxy.process.pid);
    process.kill(pid as number, "SIGKILL");
    await eventually("a successor counts from zero", async () => Object.values(await accepted()).includes(0));
    await eventually("both answer", async () => Object.keys(await accepted()).length === 2);
    const after = await accepted();
    expect([
      { ...before, 0: 0 },
      { ...before, 1: 0 },
    ]).toContainEqual(after);
  } finally {
    await proxy.stop();
  }
});

test("many who ask for the figures at once get them, and nothing is said about it", async () => {
  const answers = await Promise.all(Array.from({ length: 30 }, () => ask(`${wire.proxy.url}/metrics`)));
  for (const { text } of answers) expect(figureOf(parsePrometheus(text), "omnimeter_workers")).toBe(1);
  expect(wire.proxy.process.output()).toBe("");
});
