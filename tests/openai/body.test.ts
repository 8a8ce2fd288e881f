import zlib from "node:zlib";
import { expect, test } from "vitest";
import type { Exchange } from "#lib/exchange.ts";
import { decode } from "#lib/openai/decode.ts";
import { events, exchange, oddly } from "./from-recording.ts";

const answer = {
  id: "chatcmpl-1",
  model: "gpt-4o-2024-08-06",
  choices: [{ index: 0, message: { role: "assistant", content: "héllo ".repeat(50) }, finish_reason: "stop" }],
  usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 },
};

test.each([
  ["gzip", zlib.gzipSync],
  ["deflate", zlib.deflateSync],
  ["deflate", zlib.deflateRawSync],
  ["br", zlib.brotliCompressSync],
  ["zstd", zlib.zstdCompressSync],
  ["gzip, BR", (bytes: Buffer) => zlib.brotliCompressSync(zlib.gzipSync(bytes))],
] as const)("an answer in %s is read", async (encoding, pack) => {
  const response = pack(Buffer.from(JSON.stringify(answer)));
  const headers = ["content-type", "application/json", "content-encoding", encoding];
  const facts = await decode(exchange({ response, headers, split: oddly }));
  expect(facts.usage.totalTokens).toBe(15);
  expect(facts.problems).toEqual([]);
});

test.each([
  ["gzip", zlib.createGzip, zlib.constants.Z_SYNC_FLUSH],
  ["br", zlib.createBrotliCompress, zlib.constants.BROTLI_OPERATION_FLUSH],
  ["zstd", zlib.createZstdCompress, zlib.constants.ZSTD_e_flush],
] as const)("a stream in %s keeps the arrival of its events", async (encoding, createPacker, flush) => {
  const packer = createPacker();
  let packed: Buffer[] = [];
  packer.on("data", (bytes) => packed.push(bytes));
  const parts: [number, Buffer][] = [];
  for (const [index, content] of ["", "a", "b"].entries()) {
    packer.write(events({ choices: [{ index: 0, delta: { content } }] }));
    await new Promise<void>((resolve) => packer.flush(flush, resolve));
    parts.push([100 * (index + 1), Buffer.concat(packed)]);
    packed = [];
  }
  const headers = ["content-type", "text/event-stream", "content-encoding", encoding];
  const facts = await decode(exchange({ response: parts, headers, ending: "client_aborted" }));
  expect(facts.marks).toMatchObject({ firstTokenMs: 200, lastTokenMs: 300, longestGapMs: 100, contentChunks: 2 });
  expect(facts.content.output).toMatchObject([{ parts: [{ text: "ab" }] }]);
});

test("a compressed answer that broke off is read as far as it came", async () => {
  const packed = zlib.gzipSync(JSON.stringify({ ...answer, filler: Array.from({ length: 500 }, (_, i) => i * 7919) }));
  const headers = ["content-type", "application/json", "content-encoding", "gzip"];
  const facts = await decode(exchange({ response: packed.subarray(0, -300), headers, ending: "upstream_reset" }));
  expect(facts.model).toBe("gpt-4o-2024-08-06");
  expect(facts.problems).toContain("response_cut");
});

test("an encoding nobody knows and bytes that are not what they claim are problems", async () => {
  const headers = (encoding: string) => ["content-type", "application/json", "content-encoding", encoding];
  const unknown = await decode(exchange({ response: answer, headers: headers("aws-secret") }));
  expect(unknown.problems).toEqual(["response_encoding_unknown"]);
  const broken = await decode(exchange({ response: answer, headers: headers("gzip") }));
  expect(broken.problems).toContain("response_encoding_broken");
});

test("a few bytes that unpack to gigabytes do not", async () => {
  const bomb = zlib.gzipSync(Buffer.alloc(300 << 20));
  const headers = ["content-type", "application/json", "content-encoding", "gzip"];
  const facts = await decode(exchange({ response: bomb, headers }));
  expect(facts.problems).toContain("response_oversized");
});

test("of a request too long to keep, model and whole messages are read", async () => {
  const body = JSON.stringify({
    messages: [
      { role: "system", content: "You sort the letters of our customers." },
      {
        role: "user",
        content: [
          { type: "text", text: 'x"\\ }],' },
          { type: "text", text: "y".repeat(5000) },
        ],
      },
    ],
    metadata: { model: "not this" },
    model: "gpt-4o",
    stream: false,
  });
  const recorded = exchange({ request: body, response: answer });
  const facts = await decode(cutRequest(recorded, 300, body.length - 200));
  expect(facts.requestModel).toBe("gpt-4o");
  expect(facts.unit).toBe("You sort the letters of our customers.");
  expect(facts.problems).toEqual(["request_cut"]);
});

test("of an answer too long to keep, model and usage are read", async () => {
  const body = JSON.stringify({
    ...answer,
    choices: [{ index: 0, message: { content: "z".repeat(9000) } }],
    last: answer.usage,
  });
  const text = body.replace('"last"', '"usage"');
  const recorded = exchange({ response: text });
  const response = recorded.response && { ...recorded.response, chunks: kept(text, 200, text.length - 400), cut: true };
  const facts = await decode({ ...recorded, response });
  expect(facts).toMatchObject({ model: "gpt-4o-2024-08-06", usage: { totalTokens: 15 }, problems: ["response_cut"] });
});

test("of a stream too long to keep, the usage at its end is read", async () => {
  const chunk = { id: "c", model: "m", choices: [{ index: 0, delta: { content: "word" } }] };
  const text = events(
    ...Array.from({ length: 100 }, () => chunk),
    { id: "c", choices: [], usage: answer.usage },
    "[DONE]",
  );
  const recorded = exchange({ response: text });
  const response = recorded.response && { ...recorded.response, chunks: kept(text, 500, text.length - 250), cut: true };
  const facts = await decode({ ...recorded, response });
  expect(facts).toMatchObject({ outcome: null, usage: { totalTokens: 15 }, problems: ["response_cut"] });
});

function cutRequest(recorded: Exchange, headEnd: number, tailStart: number): Exchange {
  const text = recorded.request.chunks[0]?.bytes.toString() ?? "";
  return { ...recorded, request: { ...recorded.request, chunks: kept(text, headEnd, tailStart), cut: true } };
}

function kept(text: string, headEnd: number, tailStart: number) {
  const bytes = Buffer.from(text);
  return [
    { atMs: 1, offset: 0, bytes: bytes.subarray(0, headEnd) },
    { atMs: 2, offset: tailStart, bytes: bytes.subarray(tailStart) },
  ];
}
