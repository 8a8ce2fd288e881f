import { request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { ask, open } from "#tests/support/http-client.ts";
import { eventually, scripted, useWire } from "./setup.ts";

const wire = useWire();
const stream = JSON.stringify({
  model: "gpt-4o",
  stream: true,
  stream_options: { include_usage: true },
  messages: [{ role: "user", content: "hi" }],
});

test("each chunk is with the client before the upstream sends the next", async () => {
  const arrived: string[] = [];
  wire.upstream.on("/v1/gated", async (_req, res) => {
    res.writeHead(200, ["Content-Type", "text/event-stream"]);
    for (const event of ["data: one\n\n", "data: two\n\n", "data: thr", "ee\n\n"]) {
      res.write(event);
      // Nothing more is sent until this much has come out at the other end.
      await eventually(`"${event}" is with the client`, () => arrived.join("").endsWith(event));
    }
    res.end();
  });
  const { response } = open(`${wire.proxy.url}/v1/gated`);
  const res = await response;
  res.on("data", (piece: Buffer) => arrived.push(piece.toString()));
  await new Promise((done) => res.once("close", done));
  expect(res.complete).toBe(true);
  expect(arrived.join("")).toBe("data: one\n\ndata: two\n\ndata: three\n\n");
});

test("the head of an answer is with the client before the first byte of its body is sent", async () => {
  let go = () => {};
  wire.upstream.on("/v1/head-first", async (_req, res) => {
    res.writeHead(200, ["Content-Type", "text/event-stream"]);
    res.flushHeaders();
    await new Promise<void>((resolve) => {
      go = resolve;
    });
    res.end("data: done\n\n");
  });
  const { response } = open(`${wire.proxy.url}/v1/head-first`);
  const res = await response;
  expect(res.statusCode).toBe(200);
  go();
  res.resume();
  await new Promise((done) => res.once("close", done));
  expect(res.complete).toBe(true);
});

test("each piece of a request is with the upstream before the client sends the next", async () => {
  const arrived: string[] = [];
  wire.upstream.on("/v1/upload", (req, res) => {
    req.on("data", (piece: Buffer) => arrived.push(piece.toString()));
    req.on("end", () => res.end("ok"));
  });
  const held = request(`${wire.proxy.url}/v1/upload`, {
    method: "POST",
    headers: { "content-type": "application/octet-stream" },
  });
  for (const piece of ["alpha", "beta", "gamma"]) {
    held.write(piece);
    await eventually(`"${piece}" is with the upstream`, () => arrived.includes(piece));
  }
  held.end();
  await new Promise<void>((answered) => held.once("response", (res) => answered(void res.resume())));
  expect(arrived).toEqual(["alpha", "beta", "gamma"]);
});

for (const [name, split] of [
  ["whole", "whole"],
  ["event by event", "events"],
  ["one byte at a time", "bytes"],
  ["seven bytes at a time, inside characters and line ends", { every: 7 }],
  ["at odd places", { seed: 42 }],
] as const)
  for (const eol of ["\n", "\r\n"] as const)
    test(`a stream sent ${name} with ${eol === "\n" ? "LF" : "CRLF"} arrives byte for byte`, async () => {
      for (const path of ["/v1/chat/completions", "/v1/responses"]) {
        const body = path.endsWith("responses") ? '{"model":"gpt-4o","stream":true}' : stream;
        const headers = [
          "Content-Type",
          "application/json",
          ...scripted({ do: path.endsWith("responses") ? "responses" : "chat", split, eol }),
        ];
        const direct = await ask(wire.upstream.url + path, { method: "POST", headers, body });
        const proxied = await ask(wire.proxy.url + path, { method: "POST", headers, body });
        expect(proxied.complete).toBe(true);
        expect(proxied.text).toBe(direct.text);
      }
    });

test("a paced stream keeps its pace", async () => {
  const headers = ["Content-Type", "application/json", ...scripted({ do: "chat", chunks: 10, paceMs: 30 })];
  const { pieces } = await ask(`${wire.proxy.url}/v1/chat/completions`, { method: "POST", headers, body: stream });
  const first = pieces[0]?.atMs ?? 0;
  const last = pieces.at(-1)?.atMs ?? 0;
  expect(last - first).toBeGreaterThan(250);
  expect(pieces.length).toBeGreaterThanOrEqual(12);
});

test("a pause of a stream is no reason to end it", async () => {
  wire.upstream.on("/v1/pause", async (_req, res) => {
    res.writeHead(200, ["Content-Type", "text/event-stream"]);
    res.write("data: one\n\n");
    await sleep(7000);
    res.end("data: two\n\n");
  });
  const answer = await ask(`${wire.proxy.url}/v1/pause`);
  expect(answer).toMatchObject({ complete: true, text: "data: one\n\ndata: two\n\n" });
}, 20_000);
