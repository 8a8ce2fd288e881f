import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import WebSocket, { WebSocketServer } from "ws";
import { spanIdOf, traceIdOf } from "#lib/trace-ids.ts";
import { ask, valuesOf } from "#tests/support/http-client.ts";
import { startProxy, type TestProxy } from "#tests/support/proxy.ts";
import type { Echo } from "#tests/support/upstream/play.ts";
import { scripted, useWire } from "./setup.ts";

// The collector is not there: the proxy itself sends no spans, it only tells the upstream which one it will belong to.
const TRACING = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:9", OTEL_METRICS_EXPORTER: "none" };
const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const CLIENT = `00-${TRACE}-00f067aa0ba902b7-00`;

const on = useWire(TRACING);
const off = useWire();

const seen = async (url: string, headers: string[]) => {
  const answer = await ask(`${url}/v1/models`, { headers: [...headers, ...scripted({ do: "echo" })] });
  const { rawHeaders } = JSON.parse(answer.text) as Echo;
  return {
    id: String(answer.headers["x-omnimeter-call-id"]),
    traceparent: valuesOf(rawHeaders, "traceparent"),
    tracestate: valuesOf(rawHeaders, "tracestate"),
    others: valuesOf(rawHeaders, "x-other"),
  };
};

test("with traces on the upstream is called in the client's trace, below our span", async () => {
  const { id, traceparent, tracestate, others } = await seen(on.proxy.url, [
    "Traceparent",
    CLIENT,
    "X-Other",
    "1",
    "tracestate",
    "a=1",
    "tracestate",
    "b=2",
  ]);
  expect(traceparent).toEqual([`00-${TRACE}-${spanIdOf(id)}-00`]);
  expect(tracestate).toEqual(["a=1", "b=2"]);
  expect(others).toEqual(["1"]);
});

test.each([
  ["none", []],
  ["a malformed one", ["traceparent", "00-xyz-00f067aa0ba902b7-01"]],
  ["two", ["traceparent", CLIENT, "traceparent", CLIENT]],
])("a client with %s gets a trace of the call's own, and its tracestate ends here", async (_, headers) => {
  const { id, traceparent, tracestate } = await seen(on.proxy.url, [...headers, "tracestate", "a=1"]);
  expect(traceparent).toEqual([`00-${traceIdOf(id)}-${spanIdOf(id)}-01`]);
  expect(tracestate).toEqual([]);
});

test("with traces off the client's headers pass as they are, wrong ones too", async () => {
  const lines = ["traceparent", "00-xyz", "traceparent", CLIENT, "tracestate", "a=1"];
  expect(await seen(off.proxy.url, lines)).toMatchObject({ traceparent: ["00-xyz", CLIENT], tracestate: ["a=1"] });
  expect(await seen(off.proxy.url, [])).toMatchObject({ traceparent: [], tracestate: [] });
});

const sockets = createServer();
const handshakes: IncomingMessage[] = [];
let socketProxy: TestProxy;
beforeAll(async () => {
  new WebSocketServer({ server: sockets }).on("connection", (_, req) => handshakes.push(req));
  sockets.listen(0, "127.0.0.1");
  await once(sockets, "listening");
  socketProxy = await startProxy(`http://127.0.0.1:${(sockets.address() as AddressInfo).port}`, TRACING);
});
afterAll(async () => {
  await socketProxy?.stop();
  sockets.closeAllConnections();
  sockets.close();
});

test("a WebSocket's handshake carries it too", async () => {
  const ws = new WebSocket(`${socketProxy.url.replace("http", "ws")}/v1/realtime`, {
    headers: { traceparent: CLIENT },
  });
  const upgraded = once(ws, "upgrade") as Promise<[IncomingMessage]>;
  await once(ws, "open");
  const [answer] = await upgraded;
  const id = String(answer.headers["x-omnimeter-call-id"]);
  expect(valuesOf(handshakes[0]?.rawHeaders ?? [], "traceparent")).toEqual([`00-${TRACE}-${spanIdOf(id)}-00`]);
  ws.close();
  await once(ws, "close");
});
