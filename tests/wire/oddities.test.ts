import { connect } from "node:net";
import { expect, test } from "vitest";
import { ask } from "#tests/support/http-client.ts";
import type { Script } from "#tests/support/upstream/script.ts";
import { eventually, scripted, useWire } from "./setup.ts";

// What real clients and upstreams do once in a while, and what must not cost anybody else their call.

const wire = useWire();

/** Sends raw bytes and collects what comes back, until the connection closes or the time is over. */
function raw(text: string, ms = 1500): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(Number(new URL(wire.proxy.url).port), "127.0.0.1");
    let got = "";
    socket.on("data", (bytes) => {
      got += bytes.toString("latin1");
    });
    socket.on("error", () => {});
    const done = () => {
      socket.destroy();
      resolve(got);
    };
    socket.on("close", done);
    setTimeout(done, ms);
    socket.write(text);
  });
}

const isAlive = async () => (await ask(`${wire.proxy.url}/v1/models`, { method: "GET" })).status === 200;

test("an upgrade that announces trailers is answered and disturbs nobody", async () => {
  const pid = wire.proxy.process.pid;
  await raw(
    "GET /v1/realtime HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\ntrailer: foo\r\n\r\n",
    500,
  );
  expect(await isAlive()).toBe(true);
  expect(wire.proxy.process.pid).toBe(pid);
});

test.each(["déjà 好", "Très bien", "ok\u0007"])(
  "a reason phrase of an upstream that HTTP does not know (%s) costs nobody a call",
  async (reason) => {
    const script: Script = {
      do: "raw",
      steps: [`HTTP/1.1 200 ${Buffer.from(reason).toString("latin1")}\r\ncontent-length: 2\r\n\r\nok`],
      last: "end",
    };
    const answer = await ask(`${wire.proxy.url}/v1/x`, { method: "GET", headers: scripted(script) }).catch(() => null);
    if (answer) expect([200, 502]).toContain(answer.status);
    expect(await isAlive()).toBe(true);
  },
);

test("an announced trailer on an answer that cannot have one leaves the answer as it is", async () => {
  const script: Script = {
    do: "raw",
    steps: ["HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntrailer: x-sum\r\n\r\nok"],
    last: "end",
  };
  const answer = await ask(`${wire.proxy.url}/v1/x`, { method: "GET", headers: scripted(script) });
  expect([answer.status, answer.body.toString()]).toEqual([200, "ok"]);
});

test("a client that offers HTTP/2 with its request is answered in HTTP/1.1", async () => {
  const body = '{"a":1}';
  const got = await raw(
    `POST /v1/echo HTTP/1.1\r\nhost: x\r\nconnection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAARAAAAAAAIAAAAA\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    800,
  );
  expect(got).toMatch(/^HTTP\/1\.1 200/);
});

test("garbage in the middle of an answer ends the connection and is never written into the answer", async () => {
  const script = JSON.stringify({ do: "chat", chunks: 50, paceMs: 20 });
  const body = '{"stream":true}';
  const got = await new Promise<string>((resolve) => {
    const socket = connect(Number(new URL(wire.proxy.url).port), "127.0.0.1");
    let text = "";
    socket.on("data", (bytes) => {
      if (!text) setTimeout(() => socket.write("\u0000garbage\r\n\r\n"), 100);
      text += bytes.toString("latin1");
    });
    socket.on("error", () => {});
    socket.on("close", () => resolve(text));
    socket.write(
      `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nx-script: ${script}\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    );
  });
  expect(got).toMatch(/^HTTP\/1\.1 200/);
  expect(got).not.toContain("400 Bad Request");
});

test("garbage instead of a request gets an error of ours and a closed connection", async () => {
  const got = await raw("THIS IS NOT HTTP\r\n\r\n");
  expect(got).toMatch(/^HTTP\/1\.1 400/);
  expect(got).toContain("omnimeter_bad_request");
  const many = Array.from({ length: 3000 }, (_, i) => `x-${i}: ${"v".repeat(40)}`).join("\r\n");
  expect(await raw(`GET /v1/models HTTP/1.1\r\nhost: x\r\n${many}\r\n\r\n`)).toMatch(
    /^HTTP\/1\.1 431[\s\S]*omnimeter_headers_too_large/,
  );
});

test("a 400 that only talks of stream_options does not stop usage from being asked for", async () => {
  const seen: boolean[] = [];
  wire.upstream.on("/v1/quoting/chat/completions", async (req, res) => {
    const parts: Buffer[] = [];
    for await (const part of req) parts.push(part as Buffer);
    const text = Buffer.concat(parts).toString();
    seen.push(text.includes("include_usage"));
    if (text.includes("bad"))
      res.writeHead(400).end('{"error":{"message":"unknown value stream_options in your text"}}');
    else res.writeHead(200, { "content-type": "text/event-stream" }).end("data: [DONE]\n\n");
  });
  const headers = ["Content-Type", "application/json"];
  const url = `${wire.proxy.url}/v1/quoting/chat/completions`;
  const bad = await ask(url, { method: "POST", headers, body: '{"stream":true,"x":"bad"}' });
  expect(bad.status).toBe(400);
  await ask(url, { method: "POST", headers, body: '{"stream":true}' });
  // Asked, sent again as it was, and asked again for the next call.
  expect(seen).toEqual([true, false, true]);
});

test("after all of this, nothing is in flight", async () => {
  await eventually("nothing is in flight", async () => {
    const metrics = await (await fetch(`${wire.proxy.url}/metrics`)).text();
    return /omnimeter_in_flight_calls\{worker="0"\} 0\n/.test(metrics);
  });
});
