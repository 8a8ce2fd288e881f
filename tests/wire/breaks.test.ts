import { request } from "node:http";
import { expect, test } from "vitest";
import { ask, open, rawExchange } from "#tests/support/http-client.ts";
import { metric } from "#tests/support/proxy.ts";
import type { Script } from "#tests/support/upstream/script.ts";
import { eventually, scripted, useWire } from "./setup.ts";

const wire = useWire();
const HEAD = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n";

/** Every way in which an answer can break off after its head; none may look like an end. */
const BROKEN: Record<string, Script> = {
  "a reset in a body with content-length": {
    do: "raw",
    steps: [`${HEAD}Content-Length: 100\r\n\r\nsome`, 20],
    last: "reset",
  },
  "a reset right behind the head": { do: "raw", steps: [`${HEAD}Content-Length: 100\r\n\r\n`, 20], last: "reset" },
  "a reset between chunks": {
    do: "raw",
    steps: [`${HEAD}Transfer-Encoding: chunked\r\n\r\n4\r\nsome\r\n`, 20],
    last: "reset",
  },
  "a reset in the middle of a chunk": {
    do: "raw",
    steps: [`${HEAD}Transfer-Encoding: chunked\r\n\r\nff\r\nsome`, 20],
    last: "reset",
  },
  "a reset in the size of a chunk": {
    do: "raw",
    steps: [`${HEAD}Transfer-Encoding: chunked\r\n\r\n4\r\nsome\r\nf`, 20],
    last: "reset",
  },
  "a reset before the last chunk's blank line": {
    do: "raw",
    steps: [`${HEAD}Transfer-Encoding: chunked\r\n\r\n4\r\nsome\r\n0\r\n`, 20],
    last: "reset",
  },
  "a connection closed between chunks": {
    do: "raw",
    steps: [`${HEAD}Transfer-Encoding: chunked\r\n\r\n4\r\nsome\r\n`, 20],
    last: "end",
  },
  "a body shorter than its content-length": {
    do: "raw",
    steps: [`${HEAD}Content-Length: 100\r\n\r\nshort`, 20],
    last: "end",
  },
  "a chunk size that is none": {
    do: "raw",
    steps: [`${HEAD}Transfer-Encoding: chunked\r\n\r\n4\r\nsome\r\nxyz\r\n`, 20],
    last: "end",
  },
  "a reset in a chat stream": { do: "chat", chunks: 20, resetAfter: 5 },
};

// Chat streams are asked for their usage and so go through one more hand.
for (const path of ["/v1/responses", "/v1/chat/completions"])
  for (const [name, script] of Object.entries(BROKEN))
    test(`${name} reaches the client of ${path} as a broken answer, never as a clean end`, async () => {
      const body = '{"model":"gpt-4o","stream":true}';
      const answer = await ask(wire.proxy.url + path, {
        method: "POST",
        headers: ["Content-Type", "application/json", ...scripted(script)],
        body,
      });
      expect(answer.status).toBe(200);
      expect(answer.complete).toBe(false);
      const lines = scripted(script).join(": ");
      const raw = await rawExchange(
        wire.proxy.url,
        `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n${lines}\r\n\r\n${body}`,
      );
      expect(raw.ended).not.toBe("open");
      expect(raw.received).not.toMatch(/\r\n0\r\n\r\n$/);
    });

test("half an event that came before the break reaches the client, also where the usage chunk is looked for", async () => {
  const half = 'data: {"choices":[{"delta":{"content":"hel';
  const script: Script = {
    do: "raw",
    steps: [`${HEAD}Transfer-Encoding: chunked\r\n\r\n${half.length.toString(16)}\r\n${half}\r\n`, 50],
    last: "reset",
  };
  for (const path of ["/v1/responses", "/v1/chat/completions"]) {
    const answer = await ask(wire.proxy.url + path, {
      method: "POST",
      headers: ["Content-Type", "application/json", ...scripted(script)],
      body: '{"model":"gpt-4o","stream":true}',
    });
    expect({ text: answer.text, complete: answer.complete }).toEqual({ text: half, complete: false });
  }
});

test("the head of a stream whose first event is not whole yet is with the client at once", async () => {
  for (const path of ["/v1/responses", "/v1/chat/completions"]) {
    const script: Script = { do: "raw", steps: [`${HEAD}\r\ndata: {"choices`, 1500, '":[]}\n\n'], last: "end" };
    const from = performance.now();
    const { response } = open(wire.proxy.url + path, {
      method: "POST",
      headers: ["Content-Type", "application/json", ...scripted(script)],
      body: '{"model":"gpt-4o","stream":true}',
    });
    (await response).resume();
    expect(performance.now() - from).toBeLessThan(1000);
  }
});

test("what came before the break reaches the client", async () => {
  const script: Script = {
    do: "raw",
    steps: [`${HEAD}Transfer-Encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\n`, 100],
    last: "reset",
  };
  const { text, complete } = await ask(`${wire.proxy.url}/v1/responses`, { headers: scripted(script) });
  expect({ text, complete }).toEqual({ text: "data: 1\n\n", complete: false });
});

test("an answer without content-length and chunks ends where its connection ends", async () => {
  const script: Script = { do: "raw", steps: [`${HEAD}\r\ndata: 1\n\n`, 20, "data: 2\n\n"], last: "end" };
  const { text, complete } = await ask(`${wire.proxy.url}/v1/responses`, { headers: scripted(script) });
  expect({ text, complete }).toEqual({ text: "data: 1\n\ndata: 2\n\n", complete: true });
});

test("an upstream that hangs up before its answer gives a 502 that names Omnimeter, and the call is not sent twice", async () => {
  for (const then of ["reset", "end"] as const) {
    const before = wire.upstream.requests();
    const answer = await ask(`${wire.proxy.url}/v1/responses`, {
      method: "POST",
      headers: ["Content-Type", "application/json", ...scripted({ do: "raw", steps: [20], last: then })],
      body: "{}",
    });
    expect(answer.status).toBe(502);
    expect(JSON.parse(answer.text).error).toMatchObject({
      code: expect.stringMatching(/^omnimeter_/),
      type: expect.any(String),
    });
    expect(wire.upstream.requests() - before).toBe(1);
  }
});

test("an upstream that does not speak HTTP gives a 502 that names Omnimeter", async () => {
  const answer = await ask(`${wire.proxy.url}/v1/responses`, {
    headers: scripted({ do: "raw", steps: ["SSH-2.0-OpenSSH\r\n"], last: "end" }),
  });
  expect(answer.status).toBe(502);
  expect(JSON.parse(answer.text).error.code).toMatch(/^omnimeter_/);
});

test("a client that leaves in the middle of a stream stops the upstream's call", async () => {
  let closed = false;
  wire.upstream.on("/v1/endless", (_req, res) => {
    res.writeHead(200, ["Content-Type", "text/event-stream"]);
    const pulse = setInterval(() => res.write("data: tick\n\n"), 5);
    res.on("close", () => {
      clearInterval(pulse);
      closed = true;
    });
  });
  const { req, response } = open(`${wire.proxy.url}/v1/endless`);
  const res = await response;
  await new Promise((first) => res.once("data", first));
  req.destroy();
  await eventually("the upstream sees the connection close", () => closed, 2000);
});

test("a client that leaves before the answer stops the upstream's call", async () => {
  let reached = false;
  let closed = false;
  wire.upstream.on("/v1/never", (req, res) => {
    reached = true;
    req.resume();
    res.on("close", () => {
      closed = true;
    });
  });
  const { req } = open(`${wire.proxy.url}/v1/never`, {
    method: "POST",
    body: "{}",
    headers: ["Content-Type", "application/json"],
  });
  await eventually("the upstream has the request", () => reached);
  req.destroy();
  await eventually("the upstream sees the connection close", () => closed, 2000);
});

test("a client that leaves in the middle of its upload stops the upstream's call", async () => {
  let reached = false;
  let broke = false;
  wire.upstream.on("/v1/half", (req) => {
    reached = true;
    req.resume();
    req.on("close", () => {
      broke = !req.complete;
    });
  });
  const req = request(`${wire.proxy.url}/v1/half`, { method: "POST", headers: { "content-length": "1000000" } });
  req.on("error", () => {});
  req.write(Buffer.alloc(300_000));
  await eventually("the upstream has the request", () => reached);
  req.destroy();
  await eventually("the upstream sees it break off", () => broke, 2000);
});

test("after every kind of break no call is left in flight", async () => {
  await eventually("in flight is 0", async () => (await metric(wire.proxy.url, "omnimeter_in_flight_calls")) === 0);
});
