import { spawn } from "node:child_process";
import { Agent, createServer } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { ask, rawExchange } from "#tests/support/http-client.ts";
import { startProxy } from "#tests/support/proxy.ts";
import { eventually, scripted, useWire } from "./setup.ts";

const wire = useWire();

test("a client's connection and the upstream's are used again", async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const before = wire.upstream.connections().accepted;
  for (let i = 0; i < 100; i++) {
    const answer = await ask(`${wire.proxy.url}/v1/models`, { agent });
    expect(answer.status).toBe(200);
    expect(answer.headers.connection).not.toBe("close");
  }
  agent.destroy();
  expect(wire.upstream.connections().accepted - before).toBeLessThanOrEqual(2);
});

test("requests sent one behind the other on a connection are answered in order", async () => {
  const one = (path: string, close = "") =>
    `GET ${path} HTTP/1.1\r\nHost: x\r\n${close}X-Script: {"do":"answer","body":"${path}"}\r\n\r\n`;
  const { received } = await rawExchange(
    wire.proxy.url,
    one("/v1/a") + one("/v1/b") + one("/v1/c", "Connection: close\r\n"),
  );
  expect(received.match(/\/v1\/[abc]/g)).toEqual(["/v1/a", "/v1/b", "/v1/c"]);
});

test("an HTTP/1.0 client gets an answer without chunks", async () => {
  const script = '{"do":"answer","framing":"chunked","body":"hello"}';
  const { received, ended } = await rawExchange(wire.proxy.url, `GET /v1/a HTTP/1.0\r\nX-Script: ${script}\r\n\r\n`);
  expect(ended).toBe("end");
  expect(received).toMatch(/^HTTP\/1\.1 200/);
  expect(received.toLowerCase()).not.toContain("transfer-encoding");
  expect(received.endsWith("\r\n\r\nhello")).toBe(true);
});

test("an upstream that closes idle connections costs no call", async () => {
  for (let round = 0; round < 10; round++) {
    const answers = await Promise.all(
      Array.from({ length: 5 }, () =>
        ask(`${wire.proxy.url}/v1/models`, { headers: scripted({ do: "hang-up-idle", afterMs: 20 }) }),
      ),
    );
    expect(answers.map((answer) => answer.status)).toEqual([200, 200, 200, 200, 200]);
    await sleep(60);
  }
});

test("an upstream that restarts is found again", async () => {
  expect((await ask(`${wire.proxy.url}/v1/models`)).status).toBe(200);
  wire.upstream.hangUp();
  await sleep(50);
  expect((await ask(`${wire.proxy.url}/v1/models`)).status).toBe(200);
});

test("three thousand idle connections leave the proxy answering", async () => {
  const { hostname, port } = new URL(wire.proxy.url);
  const sockets: Socket[] = [];
  for (let i = 0; i < 3000; i++) {
    sockets.push(connect(Number(port), hostname).on("error", () => {}));
    if (i % 100 === 99) await sleep(5);
  }
  await eventually("all are connected", () => sockets.every((socket) => !socket.connecting), 15_000);
  const from = performance.now();
  for (let i = 0; i < 20; i++) expect((await ask(`${wire.proxy.url}/v1/models`)).status).toBe(200);
  expect(performance.now() - from).toBeLessThan(3000);
  for (const socket of sockets) socket.destroy();
}, 40_000);

test("five hundred calls at once are all answered", async () => {
  const headers = ["Content-Type", "application/json", ...scripted({ do: "chat", chunks: 20, paceMs: 10 })];
  const body = '{"model":"gpt-4o","stream":true}';
  const answers = await Promise.all(
    Array.from({ length: 500 }, () => ask(`${wire.proxy.url}/v1/chat/completions`, { method: "POST", headers, body })),
  );
  expect(answers.every((answer) => answer.complete && answer.text.endsWith("data: [DONE]\n\n"))).toBe(true);
}, 40_000);

test("an upstream that is not there gives a 502 in OpenAI's shape that names Omnimeter", async () => {
  const proxy = await startProxy(`http://127.0.0.1:${await unusedPort()}`);
  try {
    const answer = await ask(`${proxy.url}/v1/chat/completions`, {
      method: "POST",
      headers: ["Content-Type", "application/json"],
      body: "{}",
    });
    expect(answer.status).toBe(502);
    expect(answer.headers["content-type"]).toMatch(/^application\/json/);
    const { error } = JSON.parse(answer.text);
    expect(error.code).toMatch(/^omnimeter_/);
    expect(error.message).toMatch(/Omnimeter/);
    expect(Object.keys(error).sort()).toEqual(["code", "message", "param", "type"]);
    expect(answer.headers["x-omnimeter-call-id"]).toBeTruthy();
  } finally {
    await proxy.stop();
  }
});

test("an upstream whose name does not resolve gives a 502", async () => {
  const proxy = await startProxy("http://no-such-host.invalid");
  try {
    const answer = await ask(`${proxy.url}/v1/models`);
    expect(answer.status).toBe(502);
    expect(JSON.parse(answer.text).error.code).toMatch(/^omnimeter_/);
  } finally {
    await proxy.stop();
  }
});

test("an upstream that cannot be connected to in time gives a 504", async () => {
  // A listener whose queue is full leaves further connections without an answer.
  const holder = spawn(process.execPath, ["-e", stuffedListener], { stdio: ["ignore", "pipe", "inherit"] });
  const stuffed = Number(String(await new Promise((said) => holder.stdout.once("data", said))));
  const fillers = Array.from({ length: 8 }, () => connect(stuffed, "127.0.0.1").on("error", () => {}));
  await sleep(200);
  const proxy = await startProxy(`http://127.0.0.1:${stuffed}`, { OMNIMETER_CONNECT_TIMEOUT_MS: "500" });
  try {
    const answer = await ask(`${proxy.url}/v1/models`);
    expect(answer.status).toBe(504);
    expect(JSON.parse(answer.text).error.code).toMatch(/^omnimeter_/);
  } finally {
    for (const filler of fillers) filler.destroy();
    holder.kill("SIGKILL");
    await proxy.stop();
  }
}, 20_000);

/** Listens, says its port, then never accepts again. */
const stuffedListener = `
  const server = require("node:net").createServer().listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => {
    require("node:fs").writeSync(1, String(server.address().port));
    for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60000);
  });`;

test("a proxy that is told to stop lets running streams finish", async () => {
  const proxy = await startProxy(wire.upstream.url);
  const headers = ["Content-Type", "application/json", ...scripted({ do: "chat", chunks: 30, paceMs: 30 })];
  const streaming = ask(`${proxy.url}/v1/chat/completions`, {
    method: "POST",
    headers,
    body: '{"model":"gpt-4o","stream":true}',
  });
  await sleep(200);
  const stopped = proxy.stop();
  const answer = await streaming;
  expect(answer).toMatchObject({ status: 200, complete: true });
  expect(answer.text.endsWith("data: [DONE]\n\n")).toBe(true);
  await stopped;
}, 20_000);

async function unusedPort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((listening) => server.once("listening", listening));
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return port;
}
