import { createHash } from "node:crypto";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import WebSocket from "ws";
import { residentBytes } from "#tests/support/process.ts";
import { startProxy, type TestProxy } from "#tests/support/proxy.ts";
import { seeded } from "#tests/support/split.ts";
import { asHeader } from "#tests/support/upstream/script.ts";
import type { SocketScript } from "#tests/support/upstream/socket.ts";
import { fragmentedMessage, OPCODE, webSocketFrame } from "#tests/support/web-socket-frame.ts";
import { readMessages, readSpool } from "./read-spool.ts";
import { eventually, useWire } from "./setup.ts";

// Against an upstream that echoes every message: what the client says is recorded twice, once in each direction.
const wire = useWire();
let keeping: TestProxy;
beforeAll(async () => {
  keeping = await startProxy(wire.upstream.url, { OMNIMETER_KEEP_AUDIO: "on" });
});
afterAll(() => keeping?.stop());

const MB = 1 << 20;
const MASK = Buffer.from([7, 200, 33, 91]);
const audio = (bytes: number) => Buffer.alloc(bytes, 171).toString("base64");
const append = (base64: string) => `{"type":"input_audio_buffer.append","audio":"${base64}"}`;

test("each message is recorded once, in its direction, with its length and in order", async () => {
  const { ws, id } = await opened();
  const said = ['{"type":"session.update","session":{"instructions":"你好"}}', append(audio(960)), "not JSON", ""];
  const back = collect(ws, said.length + 1);
  for (const text of said) ws.send(text);
  ws.send(Buffer.from([1, 2, 3]));
  await back;
  ws.close(1000);
  await once(ws, "close");
  const messages = await recorded(id);
  for (const from of ["client", "server"] as const)
    expect(messages.filter((one) => one.from === from).map(({ kind, bytes, text }) => ({ kind, bytes, text }))).toEqual(
      [
        { kind: "text", bytes: Buffer.byteLength(said[0] as string), text: said[0] },
        { kind: "text", bytes: 1280 + append("").length, text: append("elided:1280") },
        { kind: "text", bytes: 8, text: "not JSON" },
        { kind: "text", bytes: 0, text: "" },
        { kind: "binary", bytes: 3, text: null },
      ],
    );
  expect(messages.every(({ atMs }, i) => atMs >= (messages[i - 1]?.atMs ?? 0))).toBe(true);
  expect(endOf(id)).toMatchObject({
    ending: "completed",
    socket: { closeCode: 1000, closedBy: "client", clientMessages: 5, serverMessages: 5 },
  });
});

test("compression is not negotiated, so that the messages can be read", async () => {
  const { ws, id } = await opened({}, wire.proxy, { perMessageDeflate: true });
  expect(ws.extensions).toBe("");
  const back = collect(ws, 1);
  ws.send("hello ".repeat(1000));
  await back;
  ws.close();
  await once(ws, "close");
  expect((await recorded(id))[0]?.text).toBe("hello ".repeat(1000));
});

test("audio is recorded when OMNIMETER_KEEP_AUDIO is on", async () => {
  const { ws, id } = await opened({}, keeping);
  const back = collect(ws, 1);
  ws.send(append(audio(960)));
  await back;
  ws.close();
  await once(ws, "close");
  expect((await recorded(id, keeping))[0]?.text).toBe(append(audio(960)));
});

test("an ephemeral key in a message is not in the spool", async () => {
  const created = '{"type":"session.created","session":{"client_secret":{"value":"ek_secret","expires_at":1}}}';
  const { ws, id } = await opened({ greet: [created] }, wire.proxy);
  ws.close();
  await once(ws, "close");
  const [message] = await recorded(id);
  expect(message?.text).toMatch(/"value":"fp_[0-9a-f]{16}"/);
  expect(message?.bytes).toBe(created.length);
});

test("who closes first, and with which code, is recorded", async () => {
  const byServer = await opened({ close: { code: 4001, reason: "expired" } });
  byServer.ws.send("x");
  await once(byServer.ws, "close");
  await recorded(byServer.id);
  expect(endOf(byServer.id)?.socket).toMatchObject({ closeCode: 4001, closedBy: "server" });

  const silent = await opened();
  silent.ws.close();
  await once(silent.ws, "close");
  await recorded(silent.id);
  expect(endOf(silent.id)?.socket).toMatchObject({ closeCode: 1005, closedBy: "client" });

  const gone = await opened();
  gone.ws.terminate();
  await recorded(gone.id);
  expect(endOf(gone.id)).toMatchObject({ ending: "client_aborted", socket: { closeCode: null, closedBy: null } });

  const broken = await opened({ reset: true });
  broken.ws.on("error", () => {});
  broken.ws.send("x");
  await recorded(broken.id);
  expect(endOf(broken.id)).toMatchObject({ ending: "upstream_reset", socket: { closeCode: null, closedBy: null } });
});

test.each([1, 2, 3])(
  "frames of all sizes, fragmented, with pings between and cut anywhere, arrive as they were sent and are recorded whole (seed %i)",
  async (seed) => {
    const random = seeded(seed);
    const sizes = [
      0,
      1,
      125,
      126,
      65_535,
      65_536,
      300_000,
      ...Array.from({ length: 30 }, () => Math.floor(random() ** 3 * 90_000)),
    ];
    const messages = sizes.map((size, i) => (i % 2 ? append("A".repeat(size - (size % 4))) : "ü".repeat(size >> 1)));
    const bytes = Buffer.concat(messages.map((text) => fragmentedMessage(Buffer.from(text), random, MASK)));
    const socket = await handshake();
    const back = collectFrames(socket, messages.length);
    for (let at = 0; at < bytes.length; ) {
      const next = at + 1 + Math.floor(random() ** 4 * 40_000);
      if (!socket.write(bytes.subarray(at, next))) await once(socket, "drain");
      if (random() < 0.3) await new Promise(setImmediate);
      at = next;
    }
    expect(await back).toEqual(messages.map((text) => digest(Buffer.from(text))));
    const id = socket.callId;
    socket.destroy();
    const said = (await recorded(id)).filter(({ from }) => from === "client");
    expect(said.map(({ bytes }) => bytes)).toEqual(messages.map((text) => Buffer.byteLength(text)));
    for (const [i, { text, kind }] of said.entries()) {
      const whole = (messages[i] as string).replace(/(?<="audio":")(.+)(?=")/, (base64) => `elided:${base64.length}`);
      expect(text).toBe(
        Buffer.from(whole)
          .subarray(0, 256 << 10)
          .toString(),
      );
      expect(kind).toBe(Buffer.byteLength(whole) > 256 << 10 ? "cut" : "text");
    }
  },
);

test("a message that never ends is a message that was cut", async () => {
  const socket = await handshake();
  socket.write(webSocketFrame(OPCODE.text, Buffer.from('{"type":"session.update"'), { final: false, mask: MASK }));
  await eventually("it has passed", () => socket.bytesWritten > 0 && socket.writableLength === 0);
  await new Promise((soon) => setTimeout(soon, 50));
  socket.destroy();
  expect(await recorded(socket.callId)).toMatchObject([
    { from: "client", kind: "cut", bytes: 24, text: '{"type":"session.update"' },
  ]);
});

test("15 MB of audio in one message, both ways, are counted in a small memory", async () => {
  const { ws, id } = await opened();
  const text = append("A".repeat(15 * MB));
  const before = residentBytes(wire.proxy.process.pid);
  const back = collect(ws, 1);
  ws.send(text);
  expect((await back)[0] === text).toBe(true);
  expect(residentBytes(wire.proxy.process.pid) - before).toBeLessThan(60 * MB);
  ws.close();
  await once(ws, "close");
  expect((await recorded(id)).map(({ bytes, text }) => ({ bytes, text }))).toEqual(
    Array.from({ length: 2 }, () => ({ bytes: text.length, text: append(`elided:${15 * MB}`) })),
  );
});

async function opened(script: SocketScript = {}, proxy = wire.proxy, options: WebSocket.ClientOptions = {}) {
  const ws = new WebSocket(`${proxy.url.replace("http", "ws")}/v1/realtime?model=gpt-4o-realtime-preview`, {
    headers: { "x-script": asHeader(script) },
    perMessageDeflate: false,
    maxPayload: 100 * MB,
    ...options,
  });
  const [[answer]] = await Promise.all([once(ws, "upgrade"), once(ws, "open")]);
  return { ws, id: answer.headers["x-omnimeter-call-id"] as string };
}

function collect(ws: WebSocket, count: number): Promise<string[]> {
  const messages: string[] = [];
  return new Promise((resolve) =>
    ws.on("message", (data) => {
      messages.push(String(data));
      if (messages.length === count) resolve(messages);
    }),
  );
}

/** The messages of a connection that is over. */
async function recorded(id: string, proxy = wire.proxy) {
  await eventually("its end is in the spool", () => endOf(id, proxy) !== undefined);
  return readMessages(proxy.dataDir).get(id) ?? [];
}

function endOf(id: string, proxy = wire.proxy) {
  return readSpool(proxy.dataDir).find((one) => one.id === id)?.end ?? undefined;
}

/** A WebSocket whose frames the test writes itself. */
async function handshake(): Promise<Socket & { callId: string }> {
  const { port, host } = new URL(wire.proxy.url);
  const socket = connect(Number(port), "127.0.0.1");
  socket.on("error", () => {});
  socket.write(
    `GET /v1/realtime HTTP/1.1\r\nhost: ${host}\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
  );
  const [head] = await once(socket, "data");
  const callId = /x-omnimeter-call-id: (\S+)/.exec(String(head))?.[1] as string;
  return Object.assign(socket, { callId });
}

const digest = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");

/** Digests of the next messages that come, read here and not by what is tested. Pongs are left out. */
function collectFrames(socket: Socket, count: number): Promise<string[]> {
  const digests: string[] = [];
  let parts: Buffer[] = [];
  let have = 0;
  return new Promise((resolve) =>
    socket.on("data", (chunk) => {
      parts.push(chunk);
      have += chunk.length;
      for (;;) {
        const bytes = parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
        parts = [bytes];
        if (have < 2) return;
        const short = bytes[1] as number;
        const from = short === 127 ? 10 : short === 126 ? 4 : 2;
        if (have < from) return;
        const length = short === 127 ? Number(bytes.readBigUInt64BE(2)) : short === 126 ? bytes.readUInt16BE(2) : short;
        if (have < from + length) return;
        if (((bytes[0] as number) & 15) < 8) digests.push(digest(bytes.subarray(from, from + length)));
        parts = [bytes.subarray(from + length)];
        have -= from + length;
        if (digests.length === count) return resolve(digests);
      }
    }),
  );
}
