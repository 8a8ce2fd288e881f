import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import OpenAI from "openai";
import { expect, test } from "vitest";
import WebSocket, { WebSocketServer } from "ws";
import { ask } from "#tests/support/http-client.ts";
import { metric, startProxy, type TestProxy } from "#tests/support/proxy.ts";
import { readSpool } from "./read-spool.ts";
import { eventually, scripted, useWire } from "./setup.ts";

const wire = useWire();

test("a stream of the official client goes on over the stop to its end", async () => {
  const proxy = await startProxy(wire.upstream.url);
  const openai = new OpenAI({ baseURL: `${proxy.url}/v1`, apiKey: "sk-test", maxRetries: 0 });
  const headers = { "x-script": JSON.stringify({ do: "chat", chunks: 30, paceMs: 30 }) };
  const stream = await openai.chat.completions.create(
    { model: "gpt-4o", stream: true, messages: [{ role: "user", content: "hello" }] },
    { headers },
  );
  let stopped: Promise<void> | null = null;
  let reason: string | null = null;
  for await (const chunk of stream) {
    stopped ??= proxy.stop();
    reason = chunk.choices[0]?.finish_reason ?? reason;
  }
  expect(reason).toBe("stop");
  await stopped;
});

test("while it stops, what comes on an open connection is answered, and told that the connection ends", async () => {
  const proxy = await startProxy(wire.upstream.url);
  const stream = ask(`${proxy.url}/v1/chat/completions`, chatFor(900));
  const idle = await connected(proxy);
  expect(await request(idle, "/v1/models")).toMatch(/^HTTP\/1\.1 200[\s\S]*connection: keep-alive/i);
  const probe = await connected(proxy);
  expect(await request(probe, "/readyz")).toMatch(/^HTTP\/1\.1 200/);
  await eventually("the stream runs", async () => (await metric(proxy.url, "omnimeter_in_flight_calls")) === 1);
  const stopped = proxy.stop();
  await eventually("nobody new gets in", () => isRefused(proxy));
  expect(await request(probe, "/readyz")).toMatch(/^HTTP\/1\.1 503[\s\S]*connection: close/i);
  const closed = once(idle, "close");
  expect(await request(idle, "/v1/models")).toMatch(/^HTTP\/1\.1 200[\s\S]*connection: close/i);
  await closed;
  expect(await stream).toMatchObject({ status: 200, complete: true });
  await stopped;
});

test("what is still under way at the deadline is cut, never with a clean end, and recorded as interrupted", async () => {
  const proxy = await startProxy(wire.upstream.url, { OMNIMETER_DRAIN_MS: "300" });
  const streaming = ask(`${proxy.url}/v1/chat/completions`, chatFor(60_000));
  const silent = ask(`${proxy.url}/v1/silence`, { headers: scripted({ do: "silence" }) });
  await eventually("both run", async () => (await metric(proxy.url, "omnimeter_in_flight_calls")) === 2);
  expect(await exitOf(proxy)).toBe(0);
  expect(await streaming).toMatchObject({ status: 200, complete: false });
  const { status, text } = await silent;
  expect([status, JSON.parse(text).error.code]).toEqual([503, "omnimeter_stopping"]);
  const ends = readSpool(proxy.dataDir).map(({ end }) => end);
  expect(ends).toEqual([
    expect.objectContaining({ ending: "interrupted", cause: expect.stringMatching(/stopped/) }),
    expect.objectContaining({ ending: "interrupted", cause: expect.stringMatching(/stopped/) }),
  ]);
  await proxy.stop();
});

test("a stop tells both ends of a WebSocket to go away", async () => {
  const { url, accepted, close } = await socketServer();
  const proxy = await startProxy(url);
  const client = new WebSocket(`${proxy.url.replace("http", "ws")}/v1/realtime`);
  const [server] = await Promise.all([accepted, once(client, "open")]);
  const closed = Promise.all([once(client, "close"), once(server, "close")]);
  expect(await exitOf(proxy)).toBe(0);
  expect((await closed).map(([code, reason]) => [code, String(reason)])).toEqual([
    [1001, "the proxy is being stopped"],
    [1001, "the proxy is being stopped"],
  ]);
  expect(readSpool(proxy.dataDir)[0]?.end).toMatchObject({ ending: "interrupted", socket: { closeCode: 1001 } });
  await proxy.stop();
  close();
});

test("a goodbye waits for the frame that is under way, and a peer that does not answer it holds up nothing", async () => {
  const { url, accepted, close } = await socketServer();
  const proxy = await startProxy(url);
  const client = await connected(proxy);
  let heard = "";
  client.on("data", (bytes: Buffer) => {
    heard += bytes.toString("latin1");
  });
  client.write(
    "GET /v1/realtime HTTP/1.1\r\nhost: localhost\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
  );
  const server = await accepted;
  const received = once(server, "message");
  const closed = once(server, "close");
  await eventually("it is open", () => heard.length > 0);
  // 200 bytes, masked with zeros, of which 100 come now.
  client.write(Buffer.concat([Buffer.from([0x82, 0x80 | 126, 0, 200, 0, 0, 0, 0]), Buffer.alloc(100, 7)]));
  await eventually("the socket is open", async () => (await metric(proxy.url, "omnimeter_open_websockets")) === 1);
  const stopped = exitOf(proxy);
  // The client hears of it at once, the upstream once the frame is whole.
  await eventually("the client is told", () => heard.includes("\x88\x1c\x03\xe9the proxy is being stopped"));
  expect(server.readyState).toBe(WebSocket.OPEN);
  client.write(Buffer.alloc(100, 7));
  expect((await received)[0]).toEqual(Buffer.alloc(200, 7));
  expect((await closed)[0]).toBe(1001);
  expect(await stopped).toBe(0);
  await proxy.stop();
  close();
});

/** SIGTERM, and the spool is still there afterwards. */
const exitOf = (proxy: TestProxy) => proxy.process.stop();

const chatFor = (ms: number) => ({
  method: "POST",
  headers: ["Content-Type", "application/json", ...scripted({ do: "chat", chunks: ms / 30, paceMs: 30 })],
  body: '{"model":"gpt-4o","stream":true}',
});

async function connected(proxy: TestProxy): Promise<Socket> {
  const socket = connect(Number(new URL(proxy.url).port), "127.0.0.1").on("error", () => {});
  await once(socket, "connect");
  return socket;
}

/** One small request; the first piece of its answer. */
async function request(socket: Socket, path: string): Promise<string> {
  const answer = once(socket, "data");
  socket.write(`GET ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`);
  return String((await answer)[0]);
}

async function isRefused(proxy: TestProxy): Promise<boolean> {
  const socket = connect(Number(new URL(proxy.url).port), "127.0.0.1");
  const refused = await Promise.race([
    once(socket, "connect").then(() => false),
    once(socket, "close").then(() => true),
  ]).catch(() => true);
  socket.destroy();
  return refused;
}

async function socketServer() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const sockets = new WebSocketServer({ server, perMessageDeflate: false });
  const accepted = once(sockets, "connection").then(([ws]) => ws as WebSocket);
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    accepted,
    close() {
      sockets.close();
      server.closeAllConnections();
      server.close();
    },
  };
}
