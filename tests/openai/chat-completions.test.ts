import { expect, test } from "vitest";
import { decode } from "#lib/openai/decode.ts";
import { events, exchange } from "./from-recording.ts";

const usage = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 };
const base = { id: "chatcmpl-1", model: "gpt-4o-2024-08-06" };
const delta = (content: unknown, index = 0) => ({
  ...base,
  choices: [{ index, delta: content, finish_reason: null }],
  usage: null,
});
const stop = (index = 0) => ({ ...base, choices: [{ index, delta: {}, finish_reason: "stop" }] });
const total = { ...base, choices: [], usage };
const message = (content: object, rest: object = {}) => ({
  ...base,
  choices: [{ index: 0, message: { role: "assistant", ...content }, finish_reason: "stop" }],
  usage,
  ...rest,
});

test("a first chunk that says nothing, as Azure sends it, hides neither id nor model", async () => {
  const first = { id: "", model: "", choices: [], prompt_filter_results: [{ prompt_index: 0 }] };
  const withoutDelta = { ...base, choices: [{ index: 0, content_filter_results: {}, finish_reason: null }] };
  const facts = await decode(
    exchange({ response: events(first, withoutDelta, delta({ content: "Hi" }), stop(), total, "[DONE]") }),
  );
  expect(facts).toMatchObject({
    responseId: "chatcmpl-1",
    model: "gpt-4o-2024-08-06",
    outcome: null,
    usage: { totalTokens: 15 },
  });
});

test("usage counts wherever in the stream it stands", async () => {
  const after = { ...base, choices: [], usage: null, moderation: { results: [] } };
  const facts = await decode(exchange({ response: events(delta({ content: "Hi" }), stop(), total, after, "[DONE]") }));
  expect(facts.usage).toMatchObject({ source: "reported", totalTokens: 15 });
});

test("chunks without choices, and obfuscation, are neither content nor harm", async () => {
  const quiet = { ...base, usage: null, obfuscation: "abc" };
  const spoken = delta({ audio: { id: "audio_1", transcript: "Hi" } });
  const sound = delta({ audio: { data: Buffer.alloc(4800).toString("base64") } });
  const expiry = { ...base, choices: [{ index: 0, delta: { audio: { expires_at: 1 } } }], usage: null };
  const parts = [quiet, spoken, sound, quiet, total, expiry].map((value, i) => [10 * i, events(value)]);
  const facts = await decode(exchange({ response: [...parts, [99, events("[DONE]")]], headers: EVENT_STREAM }));
  expect(facts.marks).toMatchObject({
    firstTokenMs: 10,
    firstTextMs: 10,
    firstAudioMs: 20,
    lastTokenMs: 20,
    contentChunks: 2,
  });
  expect(facts.content.output).toEqual([
    { role: "assistant", parts: [{ type: "audio", mediaType: null, bytes: 4800, transcript: "Hi" }] },
  ]);
  expect(facts).toMatchObject({ outputModalities: ["text", "audio"], finishReasons: [], outcome: null });
});

test("the chunk that only names the role is not the first token", async () => {
  const response = [
    [20, events(delta({ role: "assistant", content: "", refusal: null }))],
    [50, events(delta({ content: "A" }), delta({ content: "B" }))],
    [90, events(delta({ content: "C" }), stop(), total, "[DONE]")],
  ];
  const facts = await decode(exchange({ response, headers: EVENT_STREAM }));
  expect(facts.marks).toEqual({
    firstTokenMs: 50,
    firstTextMs: 50,
    firstAudioMs: null,
    lastTokenMs: 90,
    longestGapMs: 40,
    stalls: 0,
    contentChunks: 3,
  });
});

test("an answer that came whole has no stream marks", async () => {
  const facts = await decode(exchange({ request: { stream: false }, response: message({ content: "Hi" }) }));
  expect(facts.marks).toMatchObject({ firstTokenMs: null, longestGapMs: null, contentChunks: 0 });
  expect(facts).toMatchObject({ streamed: false, outcome: null, finishReasons: ["stop"] });
});

test("choices and parallel tool calls that interleave are put together by index", async () => {
  const call = (index: number, rest: object) => ({ tool_calls: [{ index, ...rest }] });
  const response = events(
    delta(call(0, { id: "call_a", type: "function", function: { name: "f", arguments: "" } })),
    delta({ content: "Hé" }, 1),
    delta(call(1, { id: "call_b", type: "custom", custom: { name: "g", input: "x" } })),
    delta(call(0, { function: { arguments: '{"a":' } })),
    delta({ content: "llo" }, 1),
    delta(call(0, { function: { arguments: '"é"}' } })),
    delta(call(1, { custom: { input: "y" } })),
    stop(1),
    { ...base, choices: [{ index: 0, delta: {}, finish_reason: "tool_calls" }] },
    total,
    "[DONE]",
  );
  const facts = await decode(exchange({ response }));
  expect(facts.toolCalls).toEqual([
    { index: 0, id: "call_a", type: "function", name: "f", argumentBytes: 10, choice: 0 },
    { index: 1, id: "call_b", type: "custom", name: "g", argumentBytes: 2, choice: 0 },
  ]);
  expect(facts.finishReasons).toEqual(["tool_calls", "stop"]);
  expect(facts.content.output[1]).toEqual({ role: "assistant", parts: [{ type: "text", text: "Héllo" }], choice: 1 });
});

test("tool calls sent whole and without an index stay apart", async () => {
  const one = { tool_calls: [{ id: "a", function: { name: "f", arguments: "1" } }] };
  const two = { tool_calls: [{ id: "b", function: { name: "g", arguments: "2" } }] };
  const facts = await decode(exchange({ response: events(delta(one), delta(two), stop(), "[DONE]") }));
  expect(facts.toolCalls.map(({ name, argumentBytes }) => [name, argumentBytes])).toEqual([
    ["f", 1],
    ["g", 1],
  ]);
});

test("a refusal is kept as one", async () => {
  const facts = await decode(exchange({ response: message({ content: null, refusal: "No." }) }));
  expect(facts.content.output[0]?.parts).toEqual([{ type: "refusal", text: "No." }]);
});

test("the tier served is the last one stated", async () => {
  const first = { ...delta({ content: "a" }), service_tier: "auto" };
  const last = { ...stop(), service_tier: "default" };
  const facts = await decode(
    exchange({
      request: { service_tier: "auto" },
      response: events(first, last, { ...total, service_tier: null }, "[DONE]"),
    }),
  );
  expect(facts).toMatchObject({ requestServiceTier: "auto", serviceTier: "default" });
});

test("an error inside a stream that began well is a failure", async () => {
  const error = { error: { type: "server_error", code: null, message: "Oops, your key sk-proj-abcd1234 broke it" } };
  const facts = await decode(exchange({ response: events(delta({ content: "Hi" }), error) }));
  expect(facts.outcome).toBe("failed");
  expect(facts.error).toEqual({ type: "server_error", code: null, message: "Oops, your key sk-… broke it" });
  const named = await decode(exchange({ response: 'event: error\ndata: {"message":"late","code":"x"}\n\n' }));
  expect(named).toMatchObject({ outcome: "failed", error: { code: "x", message: "late" } });
});

test("a stream received to its end that never said it was over is truncated", async () => {
  const response = events(delta({ content: "Hi" }));
  const completed = await decode(exchange({ response }));
  expect(completed).toMatchObject({ outcome: "truncated", problems: ["stream_without_terminal_event"] });
  for (const ending of ["client_aborted", "upstream_reset", null] as const) {
    const facts = await decode(exchange({ response, ending }));
    expect(facts).toMatchObject({ outcome: null, problems: [] });
  }
});

test.each([
  [
    401,
    {
      error: {
        type: "invalid_request_error",
        code: "invalid_api_key",
        message: "Incorrect API key provided: sk-abc***xyz.",
      },
    },
    "Incorrect API key provided: sk-…",
  ],
  [429, { error: { code: 429, message: "slow" } }, "slow"],
  [400, { statusCode: 400, message: "bare" }, "bare"],
  [500, { error: "a sentence" }, "a sentence"],
])("a %i answer is a failure with its message", async (status, response, text) => {
  const facts = await decode(exchange({ request: { model: "gpt-4o", stream: true }, status, response }));
  expect(facts).toMatchObject({ outcome: "failed", requestModel: "gpt-4o", usage: { source: "none" }, lines: [] });
  expect(facts.error?.message?.startsWith(text)).toBe(true);
});

test("a JSON error under the type of a stream is read", async () => {
  const response = { error: { type: "x", code: "y", message: "z" } };
  const facts = await decode(exchange({ status: 429, headers: EVENT_STREAM, request: { stream: true }, response }));
  expect(facts).toMatchObject({ outcome: "failed", error: { type: "x", code: "y", message: "z" }, problems: [] });
});

test("an error page in HTML is a failure with its words", async () => {
  const response = "<html><style>b{}</style><h1>502 Bad\nGateway</h1></html>";
  const facts = await decode(exchange({ status: 502, headers: ["content-type", "text/html"], response }));
  expect(facts).toMatchObject({ outcome: "failed", error: { message: "502 Bad Gateway" } });
});

test("what was asked is kept: messages with their parts, tools, parameters and attribution", async () => {
  const png = `data:image/png;base64,${Buffer.alloc(300).toString("base64")}`;
  const request = {
    model: "gpt-4o",
    temperature: 0.3,
    metadata: { team: "a", count: 3 },
    user: "u",
    safety_identifier: "s",
    prompt_cache_key: "k",
    tools: [{ type: "function", function: { name: "f" } }],
    messages: [
      { role: "system", content: "Short." },
      {
        role: "user",
        content: [
          { type: "text", text: "What is this?" },
          { type: "image_url", image_url: { url: png, detail: "low" } },
          { type: "image_url", image_url: { url: "https://me:pass@host/a.png?sig=secret#x" } },
          { type: "input_audio", input_audio: { data: "AAAA", format: "mp3" } },
          { type: "file", file: { filename: "a.pdf", file_data: "data:application/pdf;base64,AAAAAA==" } },
          { type: "hologram", of: png },
        ],
      },
      {
        role: "assistant",
        content: null,
        tool_calls: [{ id: "c", type: "function", function: { name: "f", arguments: "{}" } }],
      },
      { role: "tool", tool_call_id: "c", content: "42" },
    ],
  };
  const facts = await decode(exchange({ request, response: message({ content: "Hi" }) }));
  expect(facts.content.input).toEqual([
    { role: "system", parts: [{ type: "text", text: "Short." }] },
    {
      role: "user",
      parts: [
        { type: "text", text: "What is this?" },
        { type: "image", mediaType: "image/png", bytes: 300, detail: "low" },
        { type: "image", mediaType: null, bytes: null, url: "https://host/a.png" },
        { type: "audio", mediaType: "audio/mpeg", bytes: 3 },
        { type: "file", mediaType: "application/pdf", bytes: 4, name: "a.pdf" },
        { type: "other", kind: "hologram", json: '{"type":"hologram","of":"data:image/png;base64,(400 characters)"}' },
      ],
    },
    { role: "assistant", parts: [{ type: "tool_call", id: "c", name: "f", arguments: "{}", kind: "function" }] },
    { role: "tool", parts: [{ type: "tool_result", id: "c", text: "42" }] },
  ]);
  expect(facts).toMatchObject({
    unit: "What is this?",
    inputModalities: ["text", "image", "audio"],
    outputModalities: ["text"],
    promptCacheKey: "k",
    hints: { metadata: { team: "a" }, user: "u", safetyIdentifier: "s" },
  });
  expect(facts.content.parameters).toEqual({ temperature: 0.3, prompt_cache_key: "k" });
  expect(facts.content.tools).toHaveLength(1);
});

test("instructions long enough to recognise group a call; short ones do not", async () => {
  const ask = async (system: string) => {
    const messages = [
      { role: "developer", content: system },
      { role: "user", content: "Hello" },
    ];
    return (await decode(exchange({ request: { messages }, response: message({ content: "Hi" }) }))).unit;
  };
  expect(await ask("You sort the letters of our customers.")).toBe("You sort the letters of our customers.");
  expect(await ask("You are helpful.")).toBe("Hello");
});

test("a stored completion is read again, not counted again", async () => {
  const facts = await decode(
    exchange({ method: "GET", path: "/v1/chat/completions/chatcmpl-1", response: message({ content: "Hi" }) }),
  );
  expect(facts).toMatchObject({ reread: true, responseId: "chatcmpl-1", usage: { totalTokens: 15 } });
});

test("legacy completions are read like chat", async () => {
  const chunk = (text: string, finish: string | null) => ({
    id: "cmpl-1",
    model: "m",
    choices: [{ index: 0, text, finish_reason: finish }],
  });
  const response = events(
    chunk("a", null),
    chunk("b", "length"),
    { id: "cmpl-1", model: "m", choices: [], usage },
    "[DONE]",
  );
  const facts = await decode(
    exchange({ path: "/v1/completions", request: { prompt: ["x", "y"], stream: true }, response }),
  );
  expect(facts).toMatchObject({
    finishReasons: ["length"],
    usage: { totalTokens: 15 },
    unit: "x",
    marks: { contentChunks: 2 },
  });
  expect(facts.content.output).toEqual([{ role: "assistant", parts: [{ type: "text", text: "ab" }] }]);
});

const EVENT_STREAM = ["content-type", "text/event-stream"];
