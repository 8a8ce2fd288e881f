import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { ask } from "#tests/support/http-client.ts";
import { startProxy } from "#tests/support/proxy.ts";
import type { Split } from "#tests/support/split.ts";
import type { ChatOptions, Script } from "#tests/support/upstream/script.ts";
import { startUpstream } from "#tests/support/upstream/server.ts";
import { readAll } from "#tests/support/upstream/stream.ts";
import { scripted, useWire } from "./setup.ts";

const wire = useWire();
const CHAT = "/v1/chat/completions";
const JSON_TYPE = ["Content-Type", "application/json"];

/** The body as the upstream got it. */
async function sent(
  body: string | Buffer,
  { path = CHAT, headers = JSON_TYPE, method = "POST", base = wire.proxy.url } = {},
) {
  let seen: Buffer = Buffer.alloc(0);
  wire.upstream.on(path, async (req, res) => {
    seen = await readAll(req);
    res.end("{}");
  });
  try {
    await ask(base + path, { method, headers, body });
  } finally {
    wire.upstream.on(path, (_req, res) => res.writeHead(599).end());
  }
  return seen.toString("utf8");
}
const CHAT_AT = (n: number) => `/v1/x${n}/chat/completions`;
let fresh = 0;
const sentOnce = (body: string | Buffer, options: Omit<Parameters<typeof sent>[1], "path"> = {}) =>
  sent(body, { path: CHAT_AT(fresh++), ...options });

test("a stream is asked for its usage, and every other byte of the request stays", async () => {
  const rest = ' "model" :"gpt-4o",\n "n":1.0, "stream" : true ,"x":"\\u00e9 – 你好", "x":12345678901234567890 }';
  const seen = await sentOnce(`{${rest}`);
  expect(JSON.parse(seen).stream_options).toEqual({ include_usage: true });
  expect(seen.replace('"stream_options":{"include_usage":true},', "")).toBe(`{${rest}`);
});

test("the client's own stream_options are kept beside it", async () => {
  const seen = await sentOnce('{"stream":true,"stream_options":{"include_obfuscation":false}}');
  expect(JSON.parse(seen).stream_options).toEqual({ include_usage: true, include_obfuscation: false });
  expect(JSON.parse(await sentOnce('{"stream":true,"stream_options":null}')).stream_options).toEqual({
    include_usage: true,
  });
  expect(JSON.parse(await sentOnce('{"stream":true,"stream_options":{}}')).stream_options).toEqual({
    include_usage: true,
  });
});

const UNTOUCHED: Record<string, [string | Buffer, { headers?: string[]; method?: string }]> = {
  "that does not stream": ['{"model":"gpt-4o","messages":[]}', {}],
  "with stream false": ['{"stream":false}', {}],
  "that asks for its usage itself": ['{"stream":true,"stream_options":{"include_usage":true}}', {}],
  "that says stream only inside of a text": ['{"messages":[{"content":"\\"stream\\":true"}]}', {}],
  "that says stream only inside of an inner object": ['{"a":{"stream":true}}', {}],
  "that is not JSON": ['{"stream":true', {}],
  "that is an array": ['[{"stream":true}]', {}],
  "of another type": ['{"stream":true}', { headers: ["Content-Type", "text/plain"] }],
  "that is compressed": [gzipSync('{"stream":true}'), { headers: [...JSON_TYPE, "Content-Encoding", "gzip"] }],
  "that is no POST": ['{"stream":true}', { method: "PUT" }],
  "beyond the limit": [`{"stream":true,"x":"${"a".repeat(1 << 20)}"}`, {}],
};
for (const [name, [body, options]] of Object.entries(UNTOUCHED))
  test(`a request ${name} is left alone`, async () => {
    const path = CHAT_AT(fresh++);
    let seen: Buffer = Buffer.alloc(0);
    wire.upstream.on(path, async (req, res) => {
      seen = await readAll(req);
      res.end("{}");
    });
    await ask(wire.proxy.url + path, { method: "POST", headers: JSON_TYPE, ...options, body });
    expect(hash(seen)).toBe(hash(Buffer.from(body)));
  });

test("responses and other endpoints are left alone", async () => {
  for (const path of ["/v1/responses", "/v1/threads/t/runs", "/v1/audio/speech"])
    expect(await sent('{"stream":true}', { path })).toBe('{"stream":true}');
});

const SPLITS: [string, Split][] = [
  ["whole", "whole"],
  ["event by event", "events"],
  ["byte by byte", "bytes"],
  ...[2, 3, 5, 11, 64, 333].map((every): [string, Split] => [`every ${every} bytes`, { every }]),
  ...[1, 2, 3, 4, 5, 6].map((seed): [string, Split] => [`at odd places (seed ${seed})`, { seed }]),
];
for (const eol of ["\n", "\r\n"] as const)
  for (const [name, split] of SPLITS)
    test(`the extra chunk is taken out whole: stream sent ${name}, ${eol === "\n" ? "LF" : "CRLF"}`, async () => {
      const { proxied, wanted } = await streamed({ split, eol }, '{"model":"gpt-4o","stream":true}');
      expect(proxied.complete).toBe(true);
      expect(proxied.text).toBe(wanted);
      expect(proxied.text).not.toContain('"choices":[],"usage":{');
      expect(proxied.text.endsWith(`data: [DONE]${eol}${eol}`)).toBe(true);
    });

test("legacy completions are asked too, and their extra chunk is taken out", async () => {
  const { proxied, wanted } = await streamed(
    { split: { seed: 3 } },
    '{"model":"gpt-3.5-turbo-instruct","prompt":"x","stream":true}',
    "/v1/completions",
  );
  expect(proxied.text).toBe(wanted);
  expect(wanted).toContain('"usage":null');
});

test("Azure's first chunk without choices stays", async () => {
  const { proxied, wanted } = await streamed(
    { azure: true, split: { seed: 9 } },
    '{"model":"gpt-4o","stream":true}',
    "/openai/deployments/d/chat/completions?api-version=2024-10-21",
  );
  expect(proxied.text).toBe(wanted);
  expect(proxied.text).toContain("prompt_filter_results");
});

test("a client that asks for the usage itself gets the chunk", async () => {
  const body = '{"model":"gpt-4o","stream":true,"stream_options":{"include_usage":true}}';
  const headers = [...JSON_TYPE, ...scripted({ do: "chat", split: { seed: 7 } })];
  const direct = await ask(wire.upstream.url + CHAT, { method: "POST", headers, body });
  const proxied = await ask(wire.proxy.url + CHAT, { method: "POST", headers, body });
  expect(proxied.text).toBe(direct.text);
  expect(proxied.text).toContain('"choices":[],"usage":{');
});

test("a client that says include_usage false does not get the chunk", async () => {
  const body = '{"model":"gpt-4o","stream":true,"stream_options":{"include_usage":false}}';
  const { text } = await ask(wire.proxy.url + CHAT, {
    method: "POST",
    headers: [...JSON_TYPE, ...scripted({ do: "chat" })],
    body,
  });
  expect(text).not.toContain('"choices":[],"usage":{');
});

test("a stream that breaks off behind half an event gives the client that half", async () => {
  const part = 'data: {"choices":[{"delta":{"content":"hel';
  const script: Script = {
    do: "raw",
    steps: [`HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n${part}`, 30],
    last: "end",
  };
  const answer = await ask(wire.proxy.url + CHAT, {
    method: "POST",
    headers: [...JSON_TYPE, ...scripted(script)],
    body: '{"stream":true}',
  });
  expect(answer.text).toBe(part);
});

test("an upstream that refuses the parameter is asked again without it, once, and remembered", async () => {
  const old = await startUpstream();
  const proxy = await startProxy(old.url, { OMNIMETER_UPSTREAMS: `modern=${wire.upstream.url}` });
  const headers = [...JSON_TYPE, ...scripted({ do: "chat", refusesUsage: true })];
  const body = '{"model":"gpt-4o","stream":true}';
  try {
    const first = await ask(proxy.url + CHAT, { method: "POST", headers, body });
    expect(first).toMatchObject({ status: 200, complete: true });
    expect(first.text.endsWith("data: [DONE]\n\n")).toBe(true);
    expect(old.requests()).toBe(2);
    const second = await ask(proxy.url + CHAT, { method: "POST", headers, body });
    expect(second.status).toBe(200);
    expect(old.requests()).toBe(3);
    // Another upstream is asked all the same.
    const modern = await ask(`${proxy.url}/u/modern${CHAT}`, {
      method: "POST",
      headers: [...JSON_TYPE, ...scripted({ do: "chat" })],
      body,
    });
    expect(modern.text).toContain('"usage":null');
  } finally {
    await proxy.stop();
    await old.stop();
  }
});

test("a 400 about something else is the client's, after one request", async () => {
  const before = wire.upstream.requests();
  const refused =
    '{"error":{"message":"max_tokens is too large","type":"invalid_request_error","param":"max_tokens","code":null}}';
  const headers = [...JSON_TYPE, ...scripted({ do: "answer", status: 400, body: refused })];
  const answer = await ask(wire.proxy.url + CHAT, { method: "POST", headers, body: '{"stream":true}' });
  expect(answer).toMatchObject({ status: 400, text: refused });
  expect(wire.upstream.requests() - before).toBe(1);
});

test("a refusal of the client's own stream_options is the client's", async () => {
  const headers = [...JSON_TYPE, ...scripted({ do: "chat", refusesUsage: true })];
  const body = '{"stream":true,"stream_options":{"include_usage":true}}';
  const before = wire.upstream.requests();
  const answer = await ask(wire.proxy.url + CHAT, { method: "POST", headers, body });
  expect(answer.status).toBe(400);
  expect(wire.upstream.requests() - before).toBe(1);
});

test("it can be switched off", async () => {
  const proxy = await startProxy(wire.upstream.url, { OMNIMETER_INCLUDE_USAGE: "off" });
  try {
    expect(await sentOnce('{"stream":true}', { base: proxy.url })).toBe('{"stream":true}');
  } finally {
    await proxy.stop();
  }
});

test("the limit for bodies is a setting", async () => {
  const proxy = await startProxy(wire.upstream.url, { OMNIMETER_INCLUDE_USAGE_BYTES: "100" });
  try {
    const large = `{"stream":true,"x":"${"a".repeat(100)}"}`;
    expect(await sentOnce(large, { base: proxy.url })).toBe(large);
    expect(await sentOnce('{"stream":true}', { base: proxy.url })).toContain("include_usage");
  } finally {
    await proxy.stop();
  }
});

/** Through the proxy, and what the client should see: the stream with usage, without the one event that states it. */
async function streamed(options: ChatOptions, body: string, path = CHAT) {
  const headers = [...JSON_TYPE, ...scripted({ do: "chat", ...options })];
  const asked = body.replace("{", '{"stream_options":{"include_usage":true},');
  const direct = await ask(wire.upstream.url + path, { method: "POST", headers, body: asked });
  const proxied = await ask(wire.proxy.url + path, { method: "POST", headers, body });
  return { proxied, wanted: direct.text.replace(/data: [^\n]*"choices":\[\],"usage":\{[^\n]*\n\r?\n/, "") };
}

const hash = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");
