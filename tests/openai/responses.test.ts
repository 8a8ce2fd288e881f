import { expect, test } from "vitest";
import { decode } from "#lib/openai/decode.ts";
import type { Wire } from "./from-recording.ts";
import { exchange } from "./from-recording.ts";

const usage = { input_tokens: 10, output_tokens: 5, total_tokens: 15 };
const text = (value: string) => ({
  type: "message",
  role: "assistant",
  content: [{ type: "output_text", text: value }],
});
const base = {
  id: "resp_1",
  object: "response",
  model: "gpt-4o-2024-08-06",
  status: "completed",
  output: [text("Hi")],
  usage,
};
const begun = { ...base, status: "in_progress", output: [], usage: null, service_tier: "auto" };

const read = (wire: Wire) => decode(exchange({ path: "/v1/responses", ...wire }));

const stream = (...values: ({ type: string } & Record<string, unknown>)[]) =>
  values.map((value) => `event: ${value.type}\ndata: ${JSON.stringify(value)}\n\n`).join("");
const created = { type: "response.created", response: begun };
const textDelta = (delta: string, output_index = 0) => ({ type: "response.output_text.delta", output_index, delta });

test.each([
  ["response.completed", { status: "completed" }, null, []],
  [
    "response.incomplete",
    { status: "incomplete", incomplete_details: { reason: "content_filter" } },
    null,
    ["content_filter"],
  ],
  [
    "response.failed",
    { status: "failed", usage: null, error: { code: "server_error", message: "Oops" } },
    "failed",
    [],
  ],
] as const)("%s ends a stream", async (type, rest, outcome, reasons) => {
  const response = stream(created, textDelta("Hi"), { type, response: { ...base, service_tier: "default", ...rest } });
  const facts = await read({ response });
  expect(facts).toMatchObject({
    outcome,
    finishReasons: reasons,
    responseId: "resp_1",
    serviceTier: "default",
    problems: [],
  });
});

test("an error event, nested or bare, is a failure even without another event", async () => {
  const nested = { type: "error", error: { type: "insufficient_quota", code: "insufficient_quota", message: "Pay" } };
  const failed = {
    type: "response.failed",
    response: { ...base, status: "failed", usage: null, output: [], error: { code: "x", message: "y" } },
  };
  expect(await read({ response: stream(created, nested, failed) })).toMatchObject({
    outcome: "failed",
    error: { type: "insufficient_quota", code: "insufficient_quota", message: "Pay" },
    usage: { source: "none" },
    problems: [],
  });
  const bare = { type: "error", code: "rate_limit_exceeded", message: "Slow", param: null };
  expect(await read({ response: stream(created, bare) })).toMatchObject({
    outcome: "failed",
    error: { code: "rate_limit_exceeded" },
    problems: [],
  });
});

test("a stream that broke off keeps what was streamed", async () => {
  const call = { type: "function_call", id: "fc_1", call_id: "call_1", name: "f", arguments: "" };
  const response = stream(
    created,
    { type: "response.output_item.added", output_index: 0, item: { type: "reasoning", id: "rs_1", summary: [] } },
    { type: "response.reasoning_summary_text.delta", output_index: 0, delta: "Hmm" },
    { type: "response.output_item.added", output_index: 1, item: { type: "message", role: "assistant", content: [] } },
    textDelta("Hé", 1),
    textDelta("llo", 1),
    { type: "response.output_item.added", output_index: 2, item: call },
    { type: "response.function_call_arguments.delta", output_index: 2, delta: '{"a":1' },
  );
  const facts = await read({ response });
  expect(facts).toMatchObject({
    outcome: "truncated",
    problems: ["stream_without_terminal_event", "service_tier_not_stated"],
    usage: { source: "estimated" },
  });
  expect(facts.content.output.map((message) => message.parts)).toEqual([
    [{ type: "reasoning", text: "Hmm" }],
    [{ type: "text", text: "Héllo" }],
    [{ type: "tool_call", id: "call_1", name: "f", arguments: '{"a":1', kind: "function" }],
  ]);
  expect(facts.toolCalls).toMatchObject([{ index: 0, id: "call_1", name: "f", argumentBytes: 6 }]);
});

test("first token, first text and the longest pause are times of arrival", async () => {
  const response = [
    [10, stream(created)],
    [30, stream({ type: "response.reasoning_summary_text.delta", output_index: 0, delta: "Hmm" })],
    [100, stream(textDelta("A", 1), textDelta("B", 1))],
    [120, stream({ type: "response.completed", response: base })],
  ];
  const facts = await read({ response, headers: ["content-type", "text/event-stream; charset=utf-8"] });
  expect(facts.marks).toEqual({
    firstTokenMs: 30,
    firstTextMs: 100,
    firstAudioMs: null,
    lastTokenMs: 100,
    longestGapMs: 70,
    stalls: 0,
    contentChunks: 3,
  });
});

test("a background response that is only queued has no usage, and no estimate", async () => {
  const queued = { ...base, status: "queued", background: true, output: [], usage: null };
  expect(await read({ response: queued })).toMatchObject({
    usage: { source: "none", inputTokens: null },
    lines: [],
    outcome: null,
  });
  const left = stream({ type: "response.created", response: queued }, textDelta("Hi"));
  expect(await read({ response: left, ending: "client_aborted" })).toMatchObject({
    usage: { source: "none" },
    problems: ["background_unfinished"],
  });
});

test.each(["/v1/responses/resp_1", "/v1/responses/resp_1?stream=true&starting_after=4"])(
  "GET %s is a re-read",
  async (path) => {
    const response = path.includes("stream")
      ? stream(textDelta("lo"), { type: "response.completed", response: base })
      : base;
    const facts = await read({ method: "GET", path, response });
    expect(facts).toMatchObject({
      reread: true,
      responseId: "resp_1",
      usage: { source: "reported", totalTokens: 15 },
      outcome: null,
    });
  },
);

test("a resumed stream may begin in the middle of an item", async () => {
  const response = stream(textDelta("lo"), textDelta(" there"));
  const facts = await read({
    method: "GET",
    path: "/v1/responses/resp_1?stream=true",
    response,
    ending: "client_aborted",
  });
  expect(facts.content.output).toMatchObject([{ parts: [{ text: "lo there" }] }]);
  expect(facts.usage.source).toBe("none");
});

test("calls of the application's tools and of OpenAI's own are named", async () => {
  const output = [
    { type: "reasoning", summary: [] },
    { type: "function_call", id: "fc", call_id: "c1", name: "f", arguments: "{}" },
    { type: "custom_tool_call", call_id: "c2", name: "g", input: "4 + 4" },
    { type: "web_search_call", id: "ws", action: { query: "x" } },
    { type: "mcp_call", id: "m", name: "roll", server_label: "dice", arguments: "{}", output: "6" },
    { type: "image_generation_call", id: "ig", output_format: "png", result: "A".repeat(4000) },
    { type: "mcp_list_tools", tools: [] },
    text("done"),
  ];
  const facts = await read({ response: { ...base, output } });
  expect(facts.toolCalls.map(({ index, type, name, id }) => [index, type, name, id])).toEqual([
    [0, "function", "f", "c1"],
    [1, "custom", "g", "c2"],
    [2, "web_search_call", "web_search", "ws"],
    [3, "mcp_call", "roll", "m"],
    [4, "image_generation_call", "image_generation", "ig"],
  ]);
  expect(facts.outputModalities).toEqual(["text", "image"]);
  expect(JSON.stringify(facts.content)).not.toContain("AAAAAAAA");
});

test("what was asked is kept, whichever way it was put", async () => {
  const request = {
    model: "gpt-4o",
    instructions: "Answer like the captain of a ship.",
    input: [
      {
        role: "user",
        content: [
          { type: "input_text", text: "Hello" },
          { type: "input_image", image_url: "https://h/a.png?sig=1", detail: "low" },
        ],
      },
      { type: "function_call", call_id: "c", name: "f", arguments: "{}" },
      { type: "function_call_output", call_id: "c", output: "42" },
      { type: "item_reference", id: "msg_1" },
    ],
    previous_response_id: "resp_0",
    conversation: { id: "conv_1" },
    prompt: { id: "pmpt_1", version: "3" },
  };
  const facts = await read({ request, response: base });
  expect(facts.content.input.map(({ role, parts }) => [role, parts[0]?.type])).toEqual([
    ["system", "text"],
    ["user", "text"],
    ["assistant", "tool_call"],
    ["tool", "tool_result"],
    ["assistant", "other"],
  ]);
  expect(facts).toMatchObject({
    unit: "Answer like the captain of a ship.",
    previousResponseId: "resp_0",
    conversationId: "conv_1",
    hints: { promptId: "pmpt_1", promptVersion: "3" },
  });
  const plain = await read({ request: { input: "Hello there" }, response: base });
  expect(plain).toMatchObject({ unit: "Hello there", content: { input: [{ role: "user" }] } });
});

test("zero usage for an answer that was produced is flagged and not recorded as fact", async () => {
  const zero = { input_tokens: 0, output_tokens: 0, total_tokens: 0 };
  const facts = await read({ request: { input: "Hello there" }, response: { ...base, usage: zero } });
  expect(facts.problems).toEqual(["usage_all_zero"]);
  expect(facts.usage.source).toBe("estimated");
  expect(facts.usage.bounds?.outputLow).toBe(1);
});
