import { afterAll, beforeAll, expect, it } from "vitest";
import { differences } from "#db/referee.ts";
import type { Call } from "#lib/call.ts";
import { type DecodedExchange, decodeCalls } from "#lib/recorder/decode-exchange.ts";
import { createUuid7 } from "#lib/uuid7.ts";
import { exchange, type Wire } from "#tests/openai/from-recording.ts";
import { type TestDatabase, testDatabase } from "#tests/support/postgres.ts";
import { storedSpool } from "#tests/support/store-calls.ts";

const AT = Date.UTC(2026, 4, 6, 12);
const AT_S = AT / 1000;
let db: TestDatabase;
const newId = createUuid7(() => AT);
let record: Awaited<ReturnType<typeof storedSpool>>;
beforeAll(async () => {
  db = await testDatabase();
  record = await storedSpool(db.sql, "spool-here");
});
afterAll(() => db.drop());

const ODD = [null, 0, -1, 0.5, 1e300, 1e9, 999999999, "", "12", true, [], {}, [null], 7];
/** The value with one of its parts replaced, for every part and every odd value. */
function* spoiled(value: unknown): Generator<unknown> {
  yield* ODD;
  if (typeof value !== "object" || value === null) return;
  for (const [key, part] of Object.entries(value))
    for (const odd of spoiled(part))
      yield Array.isArray(value) ? value.with(Number(key), odd) : { ...value, [key]: odd };
}
const details = {
  cached_tokens: 4,
  text_tokens: 20,
  audio_tokens: 5,
  image_tokens: 5,
  cached_tokens_details: { text_tokens: 2, audio_tokens: 1, image_tokens: 1 },
  cache_write_tokens: 2,
  weird_tokens: 3,
};
const odetails = {
  text_tokens: 5,
  audio_tokens: 3,
  image_tokens: 2,
  reasoning_tokens: 2,
  accepted_prediction_tokens: 1,
  rejected_prediction_tokens: 1,
  video_tokens: 4,
};
const chatUsage = {
  prompt_tokens: 30,
  completion_tokens: 10,
  total_tokens: 40,
  prompt_tokens_details: details,
  completion_tokens_details: odetails,
};
const respUsage = {
  input_tokens: 30,
  output_tokens: 10,
  total_tokens: 40,
  input_tokens_details: details,
  output_tokens_details: odetails,
};
const transUsage = {
  type: "tokens",
  input_tokens: 30,
  output_tokens: 10,
  total_tokens: 40,
  input_token_details: { text_tokens: 10, audio_tokens: 20 },
  seconds: 3,
};
const form = {
  requestHeaders: ["content-type", "multipart/form-data; boundary=b"],
  request:
    '--b\r\ncontent-disposition: form-data; name="model"\r\n\r\ngpt-4o-transcribe\r\n--b\r\ncontent-disposition: form-data; name="file"; filename="a.wav"\r\n\r\nRIFF\r\n--b--\r\n',
};
const sse = (events: object[]) => events.map((e) => `data: ${JSON.stringify(e)}\n\n`).join("");
/** What it is, a usage that is in order, and the exchange that states one. */
const shapes: [string, object, (o: unknown) => Wire][] = [
  [
    "chat",
    chatUsage,
    (usage) => ({
      request: { model: "gpt-4o", messages: [{ role: "user", content: "hi" }] },
      response: {
        id: "c",
        object: "chat.completion",
        created: AT_S,
        model: "gpt-4o-2024-08-06",
        service_tier: "default",
        choices: [{ index: 0, message: { role: "assistant", content: "Hi" }, finish_reason: "stop" }],
        usage,
      },
    }),
  ],
  [
    "chat stream",
    chatUsage,
    (usage) => ({
      request: {
        model: "gpt-4o",
        stream: true,
        messages: [
          {
            role: "user",
            content: [
              { type: "image_url", image_url: { url: "https://x/y.png" } },
              { type: "input_audio", input_audio: { data: "AAAA", format: "wav" } },
            ],
          },
        ],
      },
      response: `${sse([
        { id: "c", model: "gpt-4o-2024-08-06", choices: [{ index: 0, delta: { content: "Hi" } }] },
        { id: "c", model: "gpt-4o-2024-08-06", choices: [], usage },
      ])}data: [DONE]\n\n`,
    }),
  ],
  [
    "responses",
    respUsage,
    (usage) => ({
      path: "/v1/responses",
      request: { model: "gpt-4o", input: "x" },
      response: {
        id: "r",
        object: "response",
        created_at: AT_S,
        model: "gpt-4o-2024-08-06",
        status: "completed",
        service_tier: "default",
        output: [
          { type: "message", role: "assistant", content: [{ type: "output_text", text: "Hi" }] },
          { type: "image_generation_call", status: "completed", result: "aGk=" },
        ],
        tool_usage: { image_gen: usage, web_search: { num_requests: 2 } },
        tools: [{ type: "web_search" }],
        usage,
      },
    }),
  ],
  [
    "retrieve",
    respUsage,
    (usage) => ({
      method: "GET",
      path: "/v1/responses/r9",
      response: {
        id: "r9",
        object: "response",
        created_at: AT_S,
        model: "gpt-4o-2024-08-06",
        status: "completed",
        output: [],
        usage,
      },
    }),
  ],
  [
    "completions",
    chatUsage,
    (usage) => ({
      path: "/v1/completions",
      request: { model: "davinci-002", prompt: "x" },
      response: {
        id: "c",
        object: "text_completion",
        created: AT_S,
        model: "davinci-002",
        choices: [{ index: 0, text: "Hi", finish_reason: "stop" }],
        usage,
      },
    }),
  ],
  [
    "embeddings",
    { prompt_tokens: 5, total_tokens: 5 },
    (usage) => ({
      path: "/v1/embeddings",
      request: { model: "text-embedding-3-small", input: "x" },
      response: { object: "list", model: "text-embedding-3-small", data: [{ embedding: [1] }], usage },
    }),
  ],
  [
    "transcription",
    transUsage,
    (usage) => ({ path: "/v1/audio/transcriptions", ...form, response: { text: "hi", usage } }),
  ],
  [
    "transcription duration",
    { type: "duration", seconds: 3 },
    (usage) => ({ path: "/v1/audio/transcriptions", ...form, response: { text: "hi", usage } }),
  ],
  [
    "verbose",
    { duration: 3.5, text: "hi", segments: [{ text: "a" }] },
    (body) => ({ path: "/v1/audio/translations", ...form, response: JSON.stringify(body) }),
  ],
  [
    "transcription sse",
    transUsage,
    (usage) => ({
      path: "/v1/audio/transcriptions",
      ...form,
      headers: ["content-type", "text/event-stream"],
      response: sse([
        { type: "transcript.text.delta", delta: "hi" },
        { type: "transcript.text.done", text: "hi", usage },
      ]),
    }),
  ],
  [
    "speech sse",
    { input_tokens: 5, output_tokens: 30, total_tokens: 35 },
    (usage) => ({
      path: "/v1/audio/speech",
      request: { model: "gpt-4o-mini-tts", input: "x", stream_format: "sse" },
      headers: ["content-type", "text/event-stream"],
      response: sse([
        { type: "speech.audio.delta", audio: "AAAA" },
        { type: "speech.audio.done", usage },
      ]),
    }),
  ],
  [
    "images",
    {
      ...respUsage,
      input_tokens_details: { text_tokens: 20, image_tokens: 10 },
      output_tokens_details: { image_tokens: 10, text_tokens: 0 },
    },
    (usage) => ({
      path: "/v1/images/generations",
      request: { model: "gpt-image-1", prompt: "x" },
      response: { created: AT_S, data: [{ b64_json: "aGk=" }], usage, svg_usage: usage },
    }),
  ],
  [
    "batch",
    respUsage,
    (usage) => ({
      method: "GET",
      path: `/v1/batches/b`,
      response: {
        id: `batch_${newId()}`,
        object: "batch",
        model: "gpt-4o-2024-08-06",
        status: "completed",
        completed_at: AT_S - 5,
        output_file_id: `file-${newId()}`,
        usage,
      },
    }),
  ],
  [
    "run",
    chatUsage,
    (usage) => ({
      method: "GET",
      path: `/v1/threads/t/runs/b`,
      response: {
        id: `run_${newId()}`,
        object: "thread.run",
        model: "gpt-4o-2024-08-06",
        status: "completed",
        created_at: AT_S - 5,
        usage,
      },
    }),
  ],
];

it.each(shapes)(
  "whatever stands in the usage of %s, it is stored, and its lines come to its totals",
  async (_, good, wire) => {
    const read: DecodedExchange[] = [];
    for (const usage of [good, ...spoiled(good)]) {
      const plain = exchange(wire(usage));
      const one = { ...plain, id: newId(), start: { ...plain.start, startedAtMs: AT } };
      const decoded = await decodeCalls(one, { projectId: "default", contentKey: null, knownInstructions: new Set() });
      for (const { call } of decoded) expect([usage, faultOf(call)]).toEqual([usage, null]);
      read.push(...decoded);
    }
    expect(read.length).toBeGreaterThan(ODD.length);
    for (let i = 0; i < read.length; i += 500) await record([], { calls: read.slice(i, i + 500) });
    expect([...(await db.sql`select distinct reason from set_aside`)]).toEqual([]);
  },
);

it("and every sum agrees", async () => {
  const [unpriced] = await db.sql`
    select
      (select sum(calls_unpriced)::int from rollup_calls) as calls, (select sum(calls_unpriced)::int from rollup_spend) as spend,
      (
        select count(*)::int from calls c
        where 'usage_inconsistent' = any(c.problems) or exists (select from usage_lines l where l.call_id = c.id and l.cost_usd is null)
      ) as counted`;
  expect(unpriced).toEqual({ calls: unpriced?.counted, spend: unpriced?.counted, counted: expect.any(Number) });
  expect(await differences(db.sql, AT, AT + 1)).toEqual([]);
});

/** null: nothing is wrong with it. */
function faultOf({ lines, usage, problems, parentId, method }: Call): string | null {
  const sum = (direction: string) =>
    lines.reduce(
      (total, line) => total + (line.direction === direction && line.unit === "token" ? line.quantity : 0),
      0,
    );
  const isCounted = lines.some(({ direction }) => direction !== "tool");
  if (problems.includes("reader_failed")) return "its reader failed";
  if (isCounted && (usage.inputTokens ?? sum("input")) !== sum("input")) return "its input is another";
  if (isCounted && (usage.outputTokens ?? sum("output")) !== sum("output")) return "its output is another";
  const states = usage.inputTokens || usage.outputTokens || usage.totalTokens;
  if (!isCounted && states && !problems.includes("usage_inconsistent"))
    return "nothing is counted, and nobody says why";
  const isOwn = parentId === null && method === "POST";
  return isOwn && usage.source === "none" && problems.length === 0 ? "nothing is known, and nobody says why" : null;
}
