import { expect, test } from "vitest";
import { WebSocket } from "ws";
import { ask, rawExchange } from "#tests/support/http-client.ts";
import { figureOf, parsePrometheus } from "#tests/support/prometheus.ts";
import { metric } from "#tests/support/proxy.ts";
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
