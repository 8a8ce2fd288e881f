import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { ask, rawExchange } from "#tests/support/http-client.ts";
import { metric, startProxy } from "#tests/support/proxy.ts";
import { readSpool } from "./read-spool.ts";
import { eventually, useWire } from "./setup.ts";

// What a client may do to us without costing anybody else a call.

const TIMEOUT_MS = 400;
const CONNECTIONS = 20;
const wire = useWire({
  OMNIMETER_CLIENT_TIMEOUT_MS: String(TIMEOUT_MS),
  OMNIMETER_MAX_CONNECTIONS: String(CONNECTIONS),
});

test("a head that does not become whole in time is answered 408, and counted", async () => {
  const { received, ended } = await rawExchange(wire.proxy.url, "GET /v1/models HTTP/1.1\r\nhost: x\r\n", LONG);
  expect(ended).toBe("end");
  expectOwn(received, 408, "omnimeter_request_timeout");
  expect(await ownErrors("omnimeter_request_timeout")).toBeGreaterThan(0);
});

test("a body that trickles is waited for, for as long as it comes", async () => {
  const socket = await connected();
  const heard = listen(socket);
  socket.write("POST /v1/echo HTTP/1.1\r\nhost: x\r\ncontent-length: 12\r\nconnection: close\r\n\r\n");
  for (let i = 0; i < 12; i++) {
    await sleep(TIMEOUT_MS / 4);
    socket.write("x");
  }
  await once(socket, "close");
  expect(heard()).toMatch(/^HTTP\/1\.1 200/);
});

test.each(["1000", "9007199254740993"])(
  "a body of %s bytes that stops coming is answered 408 and recorded as given up by the client",
  async (length) => {
    const before = wire.upstream.connections().open;
    const { received, ended } = await rawExchange(
      wire.proxy.url,
      `POST /v1/echo HTTP/1.1\r\nhost: x\r\ncontent-length: ${length}\r\n\r\nonly this`,
      LONG,
    );
    expect(ended).not.toBe("open");
    expectOwn(received, 408, "omnimeter_request_timeout");
    await eventually("the upstream is not kept waiting", () => wire.upstream.connections().open <= before);
    const id = /x-omnimeter-call-id: (\S+)/.exec(received)?.[1];
    await eventually("it is recorded", () => readSpool(wire.proxy.dataDir).some((one) => one.id === id));
    expect(readSpool(wire.proxy.dataDir).find((one) => one.id === id)?.end).toMatchObject({
      ending: "client_aborted",
      cause: expect.stringMatching(/^nothing of the request's body came/),
    });
  },
);

test("a body for one of our own pages that stops coming is not waited for either", async () => {
  const { received, ended } = await rawExchange(
    wire.proxy.url,
    "POST /omnimeter/v1/feedback HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n{",
    LONG,
  );
  expect(ended).not.toBe("open");
  expectOwn(received, 408, "omnimeter_request_timeout");
});

test("connections beyond the limit are told so; when one ends, the next one gets in", async () => {
  await eventually("all from before are gone", async () => (await statusOfNew()) === 200);
  const busy: Socket[] = [];
  let last = "";
  for (let i = 0; i < CONNECTIONS + 5 && !last.startsWith("HTTP/1.1 503"); i++) {
    const socket = await connected();
    busy.push(socket);
    const heard = listen(socket);
    socket.write("GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n");
    await eventually("it is answered", () => heard().includes("\r\n\r\n"));
    last = heard();
  }
  expectOwn(last, 503, "omnimeter_too_many_connections");
  expect(last).toMatch(/connection: close/i);
  for (const socket of busy) socket.destroy();
  await eventually("there is room again", async () => (await statusOfNew()) === 200);
});

test("a flood of requests on one connection is cut off; the first ones are answered", async () => {
  const flood = "GET /v1/models HTTP/1.1\r\nhost: x\r\n\r\n".repeat(300);
  const { received } = await rawExchange(wire.proxy.url, flood, LONG);
  const statuses = [...received.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status);
  expect(statuses.slice(0, 64)).toEqual(Array(64).fill("200"));
  expect(statuses.slice(64)).toEqual(["503"]);
  expect(received).toContain("omnimeter_too_many_pipelined");
});

test("more headers than anybody needs are refused, not quietly left out", async () => {
  const many = Array.from({ length: 1500 }, (_, i) => `a${i}: b\r\n`).join("");
  const { received } = await rawExchange(wire.proxy.url, `GET /v1/models HTTP/1.1\r\nhost: x\r\n${many}\r\n`);
  expectOwn(received, 431, "omnimeter_headers_too_large");
});

test("a page that gives this machine's address a name of its own gets nothing, not even our figures", async () => {
  for (const target of ["/v1/models", "/metrics", "/omnimeter/v1/feedback"])
    for (const upgrade of ["", "connection: upgrade\r\nupgrade: websocket\r\n"])
      expectOwn(
        (
          await rawExchange(
            wire.proxy.url,
            `GET ${target} HTTP/1.1\r\nhost: evil.example:4000\r\n${upgrade || "connection: close\r\n"}\r\n`,
          )
        ).received,
        403,
        "omnimeter_host_refused",
      );
});

test.each([
  ["*"],
  ["http://evil.example/v1/models"],
  ["/\u00e9"],
  ["//v1/models"],
  ["ten thousand features", `/${"f/x/".repeat(10_000)}v1/models`],
])("an odd target (%s) is answered, and disturbs nobody", async (name, target = name) => {
  const { received } = await rawExchange(
    wire.proxy.url,
    `GET ${target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`,
  );
  expect(received).toMatch(/^HTTP\/1\.1 [24]/);
  expect((await ask(`${wire.proxy.url}/v1/models`)).status).toBe(200);
});

test("a client that leaves before its upgrade is answered does not leave the upstream waiting", async () => {
  const upstream = createServer().listen(0, "127.0.0.1");
  await once(upstream, "listening");
  const proxy = await startProxy(`http://127.0.0.1:${(upstream.address() as AddressInfo).port}`);
  const asked = once(upstream, "connection");
  const client = await connected(proxy.url);
  client.write("GET /v1/realtime HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\nearly words");
  const [waiting] = (await asked) as [Socket];
  const gone = once(waiting.on("error", () => {}).resume(), "close");
  client.end();
  await gone;
  await proxy.process.stop();
  expect(readSpool(proxy.dataDir)[0]?.end).toMatchObject({ ending: "client_aborted" });
  await proxy.stop();
  upstream.close();
});

const LONG = { quietMs: 5000 };

function expectOwn(received: string, status: number, code: string) {
  expect(received.startsWith(`HTTP/1.1 ${status} `), received.slice(0, 200)).toBe(true);
  expect(JSON.parse(received.slice(received.indexOf("\r\n\r\n") + 4)).error).toMatchObject({
    type: "omnimeter_error",
    code,
  });
}

const ownErrors = (code: string) => metric(wire.proxy.url, "omnimeter_own_errors_total", `code="${code}"`);

const statusOfNew = () => ask(`${wire.proxy.url}/healthz`).then(({ status }) => status);

async function connected(url = wire.proxy.url): Promise<Socket> {
  const socket = connect(Number(new URL(url).port), "127.0.0.1").on("error", () => {});
  await once(socket, "connect");
  return socket;
}

function listen(socket: Socket): () => string {
  let heard = "";
  socket.on("data", (bytes: Buffer) => {
    heard += bytes.toString("latin1");
  });
  return () => heard;
}
