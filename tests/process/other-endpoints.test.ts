import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import OpenAI, { toFile } from "openai";
import { afterAll, beforeAll, expect, test } from "vitest";
import { silentWav } from "#lib/demo/media.ts";
import { ask } from "#tests/support/http-client.ts";
import { type TestDatabase, testDatabase } from "#tests/support/postgres.ts";
import { type System, startSystem } from "#tests/support/system.ts";
import type { Handler } from "#tests/support/upstream/server.ts";

let database: TestDatabase;
let system: System;
let client: OpenAI;
beforeAll(async () => {
  database = await testDatabase();
  system = await startSystem({ database });
  client = new OpenAI({ baseURL: `${system.proxyUrl}/v1`, apiKey: "sk-test", maxRetries: 0 });
});
afterAll(async () => {
  await system?.stop();
  await database?.drop();
});

const json =
  (value: unknown): Handler =>
  async (req, res) => {
    await hashOf(req);
    res.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(value));
  };

async function hashOf(req: IncomingMessage): Promise<string> {
  const hash = createHash("sha256");
  for await (const piece of req) hash.update(piece as Buffer);
  return hash.digest("hex");
}

/** What was stored last under an endpoint, with its lines. */
async function stored(endpoint: string) {
  await system.drained();
  const [call] = await system.sql`select * from calls where endpoint = ${endpoint} order by id desc limit 1`;
  const lines = await system.sql`
    select direction, modality, unit, product, trim_scale(quantity)::text as quantity, trim_scale(cost_usd)::text as usd
    from usage_lines where call_id = ${call?.id ?? null} order by direction, modality, unit`;
  return { call, lines: [...lines] };
}

// 26 minutes and 40 seconds: 16,000 bytes a second.
const LONG_MS = 1_600_000;

test("25 MB of speech with the model behind it: passed on whole, priced by the minute", async () => {
  const seen: string[] = [];
  const answer = json({ text: "Silence.", usage: { type: "duration", seconds: 1600 } });
  system.upstream.on("/v1/audio/transcriptions", async (req, res) => {
    const copy = req.pipe(createHash("sha256"));
    await new Promise((done) => req.once("end", done));
    seen.push(copy.digest("hex"));
    return answer(req, res);
  });
  const boundary = "----a-boundary";
  const part = (head: string) => `--${boundary}\r\ncontent-disposition: form-data; ${head}\r\n\r\n`;
  const file = silentWav(LONG_MS);
  const upload = (...fields: string[]) => {
    const body = Buffer.concat([
      Buffer.from(part('name="file"; filename="long.wav"')),
      file,
      Buffer.from(`\r\n${fields.join("")}--${boundary}--\r\n`),
    ]);
    const headers = ["content-type", `multipart/form-data; boundary=${boundary}`];
    const asked = ask(`${system.proxyUrl}/v1/audio/transcriptions`, { method: "POST", headers, body });
    return { asked, sha256: createHash("sha256").update(body).digest("hex"), bytes: body.length };
  };

  const whole = upload(`${part('name="model"')}whisper-1\r\n`);
  expect((await whole.asked).status).toBe(200);
  expect(seen.at(-1)).toBe(whole.sha256);
  const { call, lines } = await stored("audio_transcriptions");
  expect(call).toMatchObject({ request_model: "whisper-1", request_bytes: whole.bytes, outcome: "completed" });
  expect(lines).toEqual([
    { direction: "input", modality: "audio", unit: "second", product: null, quantity: "1600", usd: "0.16" },
  ]);

  const nameless = upload();
  expect((await nameless.asked).status).toBe(200);
  expect(seen.at(-1)).toBe(nameless.sha256);
  const unknown = await stored("audio_transcriptions");
  expect(unknown.call).toMatchObject({ request_model: null, model: null, request_bytes: nameless.bytes });
  // Nobody knows whose price it is.
  expect(unknown.lines).toMatchObject([{ unit: "second", quantity: "1600", usd: null }]);
});

test("speech as bytes: its characters are priced, its sound is measured", async () => {
  const sound = silentWav(2500);
  system.upstream.on("/v1/audio/speech", async (req, res) => {
    await hashOf(req);
    res.writeHead(200, { "content-type": "audio/wav" }).end(sound);
  });
  const input = "Grüße, 世界 🙂";
  const answer = await client.audio.speech.create({ model: "tts-1", voice: "alloy", input, response_format: "wav" });
  expect(Buffer.from(await answer.arrayBuffer()).equals(sound)).toBe(true);
  const { call, lines } = await stored("audio_speech");
  expect(call).toMatchObject({ request_model: "tts-1", output_modalities: ["audio"], output_audio_ms: 2500 });
  expect(call?.first_audio_ms).not.toBeNull();
  expect(lines).toMatchObject([{ direction: "input", unit: "character", quantity: "11", usd: "0.000165" }]);
});

test("images of a model without a price are counted, and said to be unpriced", async () => {
  const data = [{ url: "https://images.example/1.png" }, { url: "https://images.example/2.png" }];
  system.upstream.on("/v1/images/generations", json({ created: 1_700_000_000, data }));
  const answer = await client.images.generate({ model: "dall-e-2", prompt: "a lighthouse", n: 2, size: "512x512" });
  expect(answer.data).toHaveLength(2);
  const { call, lines } = await stored("images_generations");
  expect(call).toMatchObject({ request_model: "dall-e-2", outcome: "completed" });
  expect(lines).toMatchObject([{ direction: "output", modality: "image", quantity: "2", usd: null }]);
});

test("a stream that is taken up again is never counted again", async () => {
  const usage = {
    input_tokens: 1000,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: 100,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: 1100,
  };
  const response = { id: "resp_taken_up", object: "response", model: "gpt-4o-2024-08-06", output: [], tools: [] };
  const events = [
    { type: "response.created", response: { ...response, status: "in_progress", usage: null } },
    { type: "response.output_text.delta", item_id: "m", output_index: 0, content_index: 0, delta: "Hello" },
    { type: "response.completed", response: { ...response, status: "completed", usage } },
  ].map((event, i) => `event: ${event.type}\ndata: ${JSON.stringify({ ...event, sequence_number: i })}\n\n`);
  const stream =
    (from: number): Handler =>
    async (req, res) => {
      await hashOf(req);
      res.writeHead(200, { "content-type": "text/event-stream" }).end(events.slice(from).join(""));
    };
  system.upstream.on("/v1/responses", stream(0));
  system.upstream.on("/v1/responses/resp_taken_up", stream(1));
  const read = async (from: AsyncIterable<{ type: string }>) => {
    const types: string[] = [];
    for await (const { type } of from) types.push(type);
    return types;
  };
  const first = await client.responses.create({ model: "gpt-4o", input: "hi", stream: true, background: true });
  expect(await read(first)).toHaveLength(3);
  const again = await client.responses.retrieve("resp_taken_up", { stream: true, starting_after: 0 });
  expect(await read(again)).toHaveLength(2);
  await system.drained();
  const rows = await system.sql`
    select c.method, c.usage_source, (select trim_scale(sum(cost_usd))::text from usage_lines where call_id = c.id) as usd
    from calls c where c.path like '%responses%' order by c.id`;
  expect([...rows]).toEqual([
    { method: "POST", usage_source: "reported", usd: "0.0035" },
    { method: "GET", usage_source: "none", usd: null },
  ]);
});

test("a file that a client uploads with the library, streamed in pieces, is recorded as free", async () => {
  system.upstream.on("/v1/files", json({ id: "file-1", object: "file", purpose: "batch", bytes: 3, filename: "a" }));
  await client.files.create({ file: await toFile(Buffer.from("{}\n"), "batch.jsonl"), purpose: "batch" });
  const { call, lines } = await stored("files");
  expect(call).toMatchObject({ outcome: "completed", usage_source: "none" });
  expect(lines).toEqual([]);
});
