import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { metric, startProxy, type TestProxy } from "#tests/support/proxy.ts";
import { OPCODE, webSocketFrame } from "#tests/support/web-socket-frame.ts";
import { readMessages, readSpool } from "./read-spool.ts";
import { eventually } from "./setup.ts";

// Both ends are plain sockets: what they say, and when they hang up, is the test's to choose.
const KEEP_BYTES = 100_000;
let upstream: Server;
let proxy: TestProxy;
let greet: (socket: Socket) => void;
const ends: Socket[] = [];

beforeAll(async () => {
  upstream = createServer({ allowHalfOpen: true }, (socket) => {
    ends.push(socket);
    socket.on("error", () => {});
    socket.once("data", () => greet(socket));
  }).listen(0, "127.0.0.1");
  await once(upstream, "listening");
  const { port } = upstream.address() as { port: number };
  proxy = await startProxy(`http://127.0.0.1:${port}`, { OMNIMETER_KEEP_BYTES: String(KEEP_BYTES) });
});
afterEach(() => {
  for (const end of ends.splice(0)) end.destroy();
});
afterAll(async () => {
  upstream?.close();
  await proxy?.stop();
});

const MB = 1 << 20;
const MASK = Buffer.from([7, 200, 33, 91]);
const ACCEPTED = "HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\n";
const close = (code: number, mask: Buffer | null = null) =>
  webSocketFrame(OPCODE.close, Buffer.from([code >> 8, code & 255]), { mask });
const said = (words: string) => webSocketFrame(OPCODE.text, Buffer.from(words), { mask: MASK });

test("a client that hangs up behind its Close still hears all that comes", async () => {
  const { client, server, id } = await opened();
  client.end(Buffer.concat([said("bye"), close(1000, MASK)]));
  await once(server, "end");
  server.end(Buffer.concat([webSocketFrame(OPCODE.binary, Buffer.alloc(5 * MB)), close(1000)]));
  expect(await bytesUntilEnd(client)).toBe(10 + 5 * MB + 4);
  expect((await endOf(id))?.socket).toMatchObject({
    closeCode: 1000,
    closedBy: "client",
    clientMessages: 1,
    serverMessages: 1,
  });
});

test("a client that hangs up without a word still hears all that comes, and is said to have left", async () => {
  const { client, server, id } = await opened();
  client.end(said("bye"));
  await once(server, "end");
  server.end(webSocketFrame(OPCODE.text, Buffer.from("late")));
  expect(await bytesUntilEnd(client)).toBe(6);
  expect(await endOf(id)).toMatchObject({ ending: "client_aborted", socket: { closeCode: null, serverMessages: 1 } });
});

test("a slow reader hears all that an upstream said before it hung up, even while it speaks on", async () => {
  const { client, server, id } = await opened();
  client.pause();
  server.end(Buffer.concat([webSocketFrame(OPCODE.binary, Buffer.alloc(3 * MB)), close(1001)]));
  server.pause();
  const speaking = setInterval(() => client.write(webSocketFrame(OPCODE.ping, Buffer.alloc(1000), { mask: MASK })), 1);
  await new Promise((soon) => setTimeout(soon, 200));
  client.resume();
  const heard = await bytesUntilEnd(client);
  clearInterval(speaking);
  expect(heard).toBe(10 + 3 * MB + 4);
  expect((await endOf(id))?.socket).toMatchObject({ closeCode: 1001, closedBy: "server" });
  client.end();
  await eventually(
    "the connection is let go",
    async () => (await metric(proxy.url, "omnimeter_open_websockets")) === 0,
  );
});

test("a slow reader hears what an upstream said before its connection broke", async () => {
  const { client, server, id } = await opened();
  client.pause();
  server.write(webSocketFrame(OPCODE.binary, Buffer.alloc(200_000)));
  await eventually("the proxy has read it", () => server.writableLength === 0);
  await new Promise((soon) => setTimeout(soon, 100));
  server.resetAndDestroy();
  client.resume();
  expect(await bytesUntilEnd(client)).toBe(10 + 200_000);
  expect(await endOf(id)).toMatchObject({ ending: "upstream_reset" });
});

test("of two Close frames the first counts, and what follows passes", async () => {
  const { client, server, id } = await opened();
  server.end(Buffer.concat([close(4000), webSocketFrame(OPCODE.text, Buffer.from("?")), close(4001)]));
  expect(await bytesUntilEnd(client)).toBe(4 + 3 + 4);
  expect((await endOf(id))?.socket).toMatchObject({ closeCode: 4000, closedBy: "server" });
  expect(readMessages(proxy.dataDir).get(id)).toMatchObject([{ from: "server", text: "?" }]);
});

test("a refusal without end waits for its reader, and only its beginning is kept", async () => {
  let sent = 0;
  greet = (socket) => {
    socket.write(`HTTP/1.1 403 Forbidden\r\ncontent-length: ${40 * MB}\r\n\r\n`);
    const piece = Buffer.alloc(MB);
    const more = () => {
      while (sent < 40 && !socket.destroyed) {
        sent++;
        if (!socket.write(piece)) return void socket.once("drain", more);
      }
    };
    more();
  };
  const client = ask();
  client.pause();
  await eventually("the upstream has begun", () => sent > 0);
  await new Promise((soon) => setTimeout(soon, 500));
  expect(sent).toBeLessThan(20);
  client.resume();
  expect(await bytesUntilEnd(client)).toBeGreaterThan(40 * MB);
  const exchanges = () => readSpool(proxy.dataDir).filter(({ response }) => response?.status === 403);
  await eventually("it is recorded", () => exchanges().length > 0);
  const response = exchanges()[0]?.response;
  expect(response).toMatchObject({ bytes: 40 * MB, cut: true });
  expect(response?.chunks.reduce((sum, { bytes }) => sum + bytes.length, 0)).toBe(KEEP_BYTES);
});

test("a refusal that breaks off is the upstream's doing", async () => {
  greet = (socket) => {
    socket.write("HTTP/1.1 429 Too Many Requests\r\ncontent-length: 1000\r\n\r\n{");
    setTimeout(() => socket.resetAndDestroy(), 50);
  };
  let heard = "";
  const client = ask().on("data", (bytes) => {
    heard += bytes;
  });
  await bytesUntilEnd(client);
  expect(heard).toMatch(/^HTTP\/1.1 429 [\s\S]*\r\n\r\n\{$/);
  const exchanges = () => readSpool(proxy.dataDir).filter(({ response }) => response?.status === 429);
  await eventually("it is recorded", () => exchanges().length > 0);
  expect(exchanges()[0]?.end).toMatchObject({ ending: "upstream_reset" });
});

/** A client's upgrade. */
function ask(): Socket {
  const client = connect({ port: Number(new URL(proxy.url).port), host: "127.0.0.1", allowHalfOpen: true });
  ends.push(client);
  client.on("error", () => {});
  client.write(
    "GET /v1/realtime HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
  );
  return client;
}

async function opened(): Promise<{ client: Socket; server: Socket; id: string }> {
  const accepted = new Promise<Socket>((resolve) => {
    greet = (socket) => {
      socket.resume();
      socket.write(ACCEPTED, () => resolve(socket));
    };
  });
  const client = ask();
  const [head] = await once(client, "data");
  return { client, server: await accepted, id: /x-omnimeter-call-id: (\S+)/.exec(String(head))?.[1] as string };
}

function bytesUntilEnd(socket: Socket): Promise<number> {
  let bytes = 0;
  socket.on("data", (chunk) => {
    bytes += chunk.length;
  });
  return new Promise((resolve) => {
    for (const over of ["end", "close"]) socket.once(over, () => resolve(bytes));
  });
}

async function endOf(id: string) {
  const find = () => readSpool(proxy.dataDir).find((one) => one.id === id)?.end;
  await eventually("its end is in the spool", () => Boolean(find()));
  return find();
}
