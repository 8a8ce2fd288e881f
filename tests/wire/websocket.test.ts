import { once } from "node:events";
import { createServer, request } from "node:http";
import { expect, test } from "vitest";
import WebSocket, { WebSocketServer } from "ws";
import { ask } from "#tests/support/http-client.ts";
import { residentBytes } from "#tests/support/process.ts";
import { metric, startProxy } from "#tests/support/proxy.ts";
import { asHeader } from "#tests/support/upstream/script.ts";
import type { SocketScript } from "#tests/support/upstream/socket.ts";
import { eventually, useWire } from "./setup.ts";

const wire = useWire();
const MB = 1 << 20;

test("messages pass both ways, text as text and binary as binary, in order", async () => {
  const ws = await connected();
  const received = collect(ws, 200);
  for (let i = 0; i < 100; i++) {
    ws.send(`{"type":"input_audio_buffer.append","n":${i},"text":"你好 🎙️"}`);
    ws.send(Buffer.from([i, 0, 255, 128]));
  }
  const messages = await received;
  for (let i = 0; i < 100; i++) {
    expect(messages[2 * i]).toEqual({
      binary: false,
      text: `{"type":"input_audio_buffer.append","n":${i},"text":"你好 🎙️"}`,
    });
    expect(messages[2 * i + 1]).toEqual({ binary: true, text: Buffer.from([i, 0, 255, 128]).toString("latin1") });
  }
  ws.close();
});

test("a message sent in fragments arrives in the same fragments", async () => {
  const ws = await connected();
  const received = collect(ws, 1);
  ws.send("one ", { fin: false });
  ws.send("two ", { fin: false });
  ws.send("three", { fin: true });
  expect(await received).toEqual([{ binary: false, text: "one two three" }]);
  ws.close();
});

test("what the upstream says with its handshake arrives", async () => {
  const ws = opened({ greet: ['{"type":"session.created"}', '{"type":"second"}'] });
  expect(await collect(ws, 2)).toEqual([
    { binary: false, text: '{"type":"session.created"}' },
    { binary: false, text: '{"type":"second"}' },
  ]);
  ws.close();
});

test("the subprotocol is the upstream's choice, key subprotocols included", async () => {
  const ws = opened({ protocol: "realtime" }, [
    "realtime",
    "openai-insecure-api-key.sk-test",
    "openai-beta.realtime-v1",
  ]);
  await once(ws, "open");
  expect(ws.protocol).toBe("realtime");
  ws.close();
});

test("the upgrade's path, query and headers reach the upstream; the hop's own and Omnimeter's do not", async () => {
  let seen: { url?: string | undefined; rawHeaders: string[] } = { rawHeaders: [] };
  const headers = {
    Authorization: "Bearer sk-x",
    "OpenAI-Beta": "realtime=v1",
    "x-omnimeter-feature": "voice",
    "x-script": '{"greet":["hi"]}',
  };
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const sockets = new WebSocketServer({ server });
  sockets.on("connection", (_ws, req) => {
    seen = req;
  });
  const address = server.address();
  const proxy = await startProxy(`http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`);
  try {
    const ws = new WebSocket(`${proxy.url.replace("http", "ws")}/v1/realtime?model=gpt-4o-realtime-preview&x=%20`, {
      headers,
    });
    await once(ws, "open");
    expect(seen.url).toBe("/v1/realtime?model=gpt-4o-realtime-preview&x=%20");
    const names = seen.rawHeaders.filter((_, i) => i % 2 === 0);
    expect(names).toEqual(expect.arrayContaining(["Authorization", "OpenAI-Beta"]));
    expect(names.filter((name) => /omnimeter/i.test(name))).toEqual([]);
    ws.terminate();
  } finally {
    sockets.close();
    server.closeAllConnections();
    server.close();
    await proxy.stop();
  }
});

test("the upgrade's answer names its call", async () => {
  const ws = opened({});
  const [answer] = await once(ws, "upgrade");
  expect(answer.headers["x-omnimeter-call-id"]).toMatch(/^[0-9a-f-]{36}$/);
  ws.close();
});

test("the upstream's close code and reason reach the client", async () => {
  const ws = await connected({ close: { code: 4001, reason: "session expired – bye" } });
  ws.send("x");
  const [code, reason] = await once(ws, "close");
  expect({ code, reason: String(reason) }).toEqual({ code: 4001, reason: "session expired – bye" });
});

test("the client's close code and reason reach the upstream, and its answer comes back", async () => {
  const ws = await connected();
  ws.close(4321, "done");
  const [code, reason] = await once(ws, "close");
  expect({ code, reason: String(reason) }).toEqual({ code: 4321, reason: "done" });
});

test("a ping of the upstream reaches the client, and its pong the upstream", async () => {
  const ws = opened({ ping: "are you there" });
  const ping = once(ws, "ping");
  const received = collect(ws, 1);
  expect(String((await ping)[0])).toBe("are you there");
  expect(await received).toEqual([{ binary: false, text: "pong:are you there" }]);
  ws.close();
});

test("a ping of the client is answered by the upstream", async () => {
  const ws = await connected();
  ws.ping("hello");
  expect(String((await once(ws, "pong"))[0])).toBe("hello");
  ws.close();
});

test("a message of 15 MB passes whole both ways in bounded memory", async () => {
  const before = residentBytes(wire.proxy.process.pid);
  const ws = await connected();
  const received = collect(ws, 1);
  const text = "audio ".repeat((15 * MB) / 6);
  ws.send(text);
  const [message] = await received;
  expect(message?.text.length).toBe(text.length);
  expect(message?.text === text).toBe(true);
  expect(residentBytes(wire.proxy.process.pid) - before).toBeLessThan(90 * MB);
  ws.close();
});

test("a client that does not read stops the upstream from sending", async () => {
  const before = residentBytes(wire.proxy.process.pid);
  const ws = opened({ send: 60 * MB });
  await once(ws, "open");
  ws.pause();
  await new Promise((soon) => setTimeout(soon, 1000));
  expect(residentBytes(wire.proxy.process.pid) - before).toBeLessThan(40 * MB);
  const received = collect(ws, 1);
  ws.resume();
  expect((await received)[0]?.text.length).toBe(60 * MB);
  ws.terminate();
}, 30_000);

test("a connection that breaks off at the upstream breaks off at the client", async () => {
  const ws = await connected({ reset: true });
  ws.on("error", () => {});
  ws.send("x");
  const [code] = await once(ws, "close");
  expect(code).toBe(1006);
});

test("a client that vanishes ends the upstream's connection", async () => {
  const ws = await connected();
  const open = wire.upstream.connections().open;
  ws.terminate();
  await eventually("the upstream's connection is closed", () => wire.upstream.connections().open < open, 2000);
});

test("a refused upgrade passes as it is: status, headers and body", async () => {
  const body =
    '{"error":{"message":"Incorrect API key","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}';
  const refuse = { status: 401, body, headers: { "x-request-id": "req_1" } };
  const answer = await new Promise<{ status?: number | undefined; id: unknown; text: string }>((resolve, reject) => {
    const req = request(`${wire.proxy.url}/v1/realtime`, {
      headers: {
        connection: "Upgrade",
        upgrade: "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
        "x-script": JSON.stringify({ refuse } satisfies SocketScript),
      },
    });
    req.on("response", async (res) =>
      resolve({
        status: res.statusCode,
        id: res.headers["x-request-id"],
        text: Buffer.concat(await res.toArray()).toString(),
      }),
    );
    req.on("error", reject);
    req.end();
  });
  expect(answer).toEqual({ status: 401, id: "req_1", text: body });
});

test("an upstream that is not there refuses the upgrade with a 502 that names Omnimeter", async () => {
  const proxy = await startProxy("http://127.0.0.1:9");
  try {
    const ws = new WebSocket(`${proxy.url.replace("http", "ws")}/v1/realtime`);
    ws.on("error", () => {});
    const [, res] = await once(ws, "unexpected-response");
    expect(res.statusCode).toBe(502);
    expect(JSON.parse(Buffer.concat(await res.toArray()).toString()).error.code).toMatch(/^omnimeter_/);
  } finally {
    await proxy.stop();
  }
});

test("an upgrade of an unknown path or upstream is refused with a sentence", async () => {
  for (const path of ["/nope", "/u/nope/v1/realtime"]) {
    const ws = new WebSocket(`${wire.proxy.url.replace("http", "ws")}${path}`);
    ws.on("error", () => {});
    const [, res] = await once(ws, "unexpected-response");
    expect(res.statusCode).toBe(404);
    expect(JSON.parse(Buffer.concat(await res.toArray()).toString()).error.code).toMatch(/^omnimeter_unknown/);
  }
});

test("/u/<name> and /f/<feature> work for WebSockets too", async () => {
  const ws = opened({}, [], "/f/voice/v1/realtime?model=x");
  await once(ws, "open");
  ws.close();
});

test("when all sockets are closed, no call is in flight and calls go on", async () => {
  await eventually("in flight is 0", async () => (await metric(wire.proxy.url, "omnimeter_in_flight_calls")) === 0);
  expect((await ask(`${wire.proxy.url}/v1/models`)).status).toBe(200);
});

function opened(
  script: SocketScript,
  protocols: string[] = [],
  path = "/v1/realtime?model=gpt-4o-realtime-preview",
): WebSocket {
  return new WebSocket(wire.proxy.url.replace("http", "ws") + path, protocols, {
    headers: { "x-script": asHeader(script) },
    perMessageDeflate: false,
    maxPayload: 100 * MB,
  });
}

async function connected(script: SocketScript = {}): Promise<WebSocket> {
  const ws = opened(script);
  await once(ws, "open");
  return ws;
}

function collect(ws: WebSocket, count: number): Promise<{ binary: boolean; text: string }[]> {
  return new Promise((resolve, reject) => {
    const messages: { binary: boolean; text: string }[] = [];
    ws.on("message", (data: Buffer, binary) => {
      messages.push({ binary, text: data.toString(binary ? "latin1" : "utf8") });
      if (messages.length === count) resolve(messages);
    });
    ws.once("close", () => reject(new Error(`closed after ${messages.length} of ${count} messages`)));
  });
}
