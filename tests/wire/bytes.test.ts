import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { ask, lasting } from "#tests/support/http-client.ts";
import { seededBytes } from "#tests/support/split.ts";
import type { Echo } from "#tests/support/upstream/play.ts";
import { scripted, useWire } from "./setup.ts";

const wire = useWire();

const BODIES: Record<string, { type: string; body: Buffer }> = {
  "JSON with odd spacing, escapes and repeated keys": {
    type: "application/json",
    body: Buffer.from(
      '{ "a" :1.0,\n\t"a":1e2, "text":"\\u00e9\\ud83c\\udf99 – 你好" ,"big":12345678901234567890 }\r\n',
    ),
  },
  "text that is not JSON at all": { type: "application/json", body: Buffer.from("{oh no") },
  "a multipart form": {
    type: "multipart/form-data; boundary=----b0undary",
    body: Buffer.concat([
      Buffer.from('------b0undary\r\nContent-Disposition: form-data; name="file"; filename="ü.wav"\r\n\r\n'),
      ...seededBytes(40_000, 3),
      Buffer.from("\r\n------b0undary--\r\n"),
    ]),
  },
  "every byte value": {
    type: "application/octet-stream",
    body: Buffer.from(Array.from({ length: 1024 }, (_, i) => i % 256)),
  },
  "an empty body": { type: "application/json", body: Buffer.alloc(0) },
  "two megabytes": { type: "application/octet-stream", body: Buffer.concat([...seededBytes(2_000_000, 9)]) },
};
const PATHS = [
  "/v1/chat/completions",
  "/v1/responses",
  "/v1/embeddings",
  "/v1/files?purpose=batch&x=%2F%20ü".replace("ü", "%C3%BC"),
  "/v1/some/endpoint/of/tomorrow//twice/../dots?a=1&a=2&empty=&plus=a+b",
];

for (const [kind, { type, body }] of Object.entries(BODIES))
  test(`${kind} reaches the upstream byte for byte, on known and unknown endpoints`, async () => {
    for (const path of PATHS)
      for (const method of ["POST", "PUT", "PATCH", "DELETE"]) {
        const headers = ["Content-Type", type, ...scripted({ do: "echo" })];
        const seen = JSON.parse((await ask(wire.proxy.url + path, { method, headers, body })).text) as Echo;
        expect(seen).toMatchObject({ method, bytes: body.length, sha256: sha256(body) });
        // ask() sends a URL, which loses "..": what it sent is what must arrive.
        expect(seen.url).toBe(sentTarget(path));
      }
  });

test("a chunked request body reaches the upstream byte for byte", async () => {
  const pieces = [...seededBytes(300_000, 5, 7001)];
  const { text } = await ask(`${wire.proxy.url}/v1/files`, {
    method: "POST",
    headers: scripted({ do: "echo" }),
    body: pieces,
  });
  expect(JSON.parse(text)).toMatchObject({ bytes: 300_000, sha256: sha256(Buffer.concat(pieces)) });
});

test("methods without a body pass, also ones that OpenAI does not use", async () => {
  for (const method of ["GET", "HEAD", "OPTIONS", "DELETE", "PROPFIND"]) {
    const answer = await ask(`${wire.proxy.url}/v1/models`, { method, headers: scripted({ do: "echo" }) });
    const seen = JSON.parse(Buffer.from(String(answer.headers["x-echo"]), "base64").toString()) as Echo;
    expect(seen).toMatchObject({ method, url: "/v1/models", bytes: 0 });
  }
});

for (const framing of ["content-length", "chunked", "close"] as const)
  test(`a binary answer framed by ${framing} arrives byte for byte`, async () => {
    const headers = scripted({ do: "bytes", size: 3_000_001, seed: 11, framing });
    const [direct, proxied] = await both("/v1/files/file-1/content", { headers, hashOnly: true });
    expect(proxied.complete).toBe(true);
    expect(proxied).toMatchObject({ bytes: 3_000_001, sha256: direct.sha256 });
    expect(lasting(proxied.rawHeaders)).toEqual(lasting(direct.rawHeaders));
  });

for (const encoding of ["gzip", "br", "deflate"] as const)
  test(`an answer compressed with ${encoding} arrives as compressed`, async () => {
    const headers = scripted({
      do: "encoded",
      encoding,
      body: `{"text":"${"naïve ".repeat(500)}"}`,
      split: { every: 37 },
    });
    const [direct, proxied] = await both("/v1/chat/completions", { method: "POST", headers, body: "{}" });
    expect(proxied.headers["content-encoding"]).toBe(encoding);
    expect(proxied.body.equals(direct.body)).toBe(true);
  });

test("a compressed request stays compressed", async () => {
  const body = Buffer.from("1f8b0800000000000003ab56ca48cdc9c957b2520a0d76510000000000", "hex");
  const headers = ["Content-Type", "application/json", "Content-Encoding", "gzip", ...scripted({ do: "echo" })];
  const { text } = await ask(`${wire.proxy.url}/v1/chat/completions`, { method: "POST", headers, body });
  expect(JSON.parse(text)).toMatchObject({ sha256: sha256(body) });
});

const both = async (path: string, options: Parameters<typeof ask>[1]) =>
  [await ask(wire.upstream.url + path, options), await ask(wire.proxy.url + path, options)] as [
    Awaited<ReturnType<typeof ask>>,
    Awaited<ReturnType<typeof ask>>,
  ];

const sha256 = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");
const sentTarget = (path: string) => {
  const { pathname, search } = new URL(path, "http://upstream");
  return pathname + search;
};
