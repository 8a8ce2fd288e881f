import { expect, test } from "vitest";
import type { Exchange } from "#lib/exchange.ts";
import { isAzure, regionOf } from "#lib/openai/azure.ts";
import { decode } from "#lib/openai/decode.ts";
import { events, exchange } from "./from-recording.ts";

const PATH = "/openai/deployments/my-4o/chat/completions?api-version=2024-10-21";
const at = (upstreamOrigin: string, upstreamTarget = "/v1/chat/completions"): Exchange["start"] => ({
  ...exchange({}).start,
  upstreamOrigin,
  upstreamTarget,
});

test.each([
  ["https://acme.openai.azure.com", "/openai/v1/responses", true],
  ["https://acme.cognitiveservices.azure.com", "/x", true],
  ["https://acme.services.ai.azure.com", "/x", true],
  ["https://gateway.example", PATH, true],
  ["https://gateway.example", "/openai/responses?api-version=2025-03-01-preview", true],
  ["https://api.other.example", "/openai/v1/chat/completions", false],
  ["https://api.openai.com", "/v1/chat/completions", false],
  ["https://openai.azure.com.example", "/v1/chat/completions", false],
])("%s%s is Azure: %s", (origin, path, expected) => {
  expect(isAzure(at(origin, path))).toBe(expected);
});

test("a client that sends Azure's key through a host of its own is Azure's", () => {
  const start = at("https://gateway.example", "/team/openai/v1/responses");
  expect(isAzure({ ...start, headers: ["Api-Key", "fp_1"] })).toBe(true);
  expect(isAzure({ ...start, upstreamTarget: "/v1/responses", headers: ["Api-Key", "fp_1"] })).toBe(false);
});

test("a regional host says where it is processed", async () => {
  expect(regionOf(at("https://eu.api.openai.com"))).toBe("eu");
  expect(regionOf(at("https://us-east.api.openai.com:443"))).toBe("us-east");
  for (const origin of ["https://api.openai.com", "https://eu.api.openai.com.example", "https://eu.example"]) {
    expect(regionOf(at(origin))).toBeNull();
  }
});

const filtered = {
  error: {
    message: "The response was filtered",
    type: null,
    param: "prompt",
    code: "content_filter",
    status: 400,
    innererror: { code: "ResponsibleAIPolicyViolation", content_filter_result: { hate: { filtered: true } } },
  },
};
const request = { max_tokens: 100, messages: [{ role: "user", content: "hi" }] };

test("a prompt that Azure's filter refuses is charged: an estimate, without any output", async () => {
  const facts = await decode(exchange({ path: PATH, request, status: 400, response: filtered }));
  expect(facts).toMatchObject({
    outcome: "failed",
    requestModel: "my-4o",
    error: { code: "content_filter" },
    usage: { source: "estimated", inputTokens: 8, outputTokens: 0, totalTokens: 8 },
    problems: ["azure_filtered_prompt_charged"],
  });
  expect(facts.usage.bounds).toEqual({ inputLow: 0, inputHigh: 28, outputLow: 0, outputHigh: 0 });
  expect(facts.lines).toMatchObject([{ direction: "input", modality: "text", quantity: 8, source: "estimated" }]);
});

test("OpenAI charges for no refusal, and Azure for no other", async () => {
  const elsewhere = await decode(
    exchange({ request: { model: "gpt-4o", ...request }, status: 400, response: filtered }),
  );
  expect(elsewhere).toMatchObject({ usage: { source: "none" }, lines: [], problems: [] });
  const gone = { error: { code: "410", message: "Deployment retired" } };
  for (const [status, response] of [
    [410, gone],
    [400, gone],
    [429, filtered],
  ] as const) {
    const facts = await decode(exchange({ path: PATH, request, status, response }));
    expect(facts).toMatchObject({ outcome: "failed", usage: { source: "none" }, problems: [] });
  }
});

test("Azure's stream: a first chunk without names, chunks of the filter without a delta, an answer cut and charged", async () => {
  const named = { id: "chatcmpl-1", model: "gpt-4o-2024-08-06" };
  const usage = { prompt_tokens: 8, completion_tokens: 2, total_tokens: 10, latency_checkpoint: { engine_ttft_ms: 3 } };
  const response = events(
    { id: "", model: "", choices: [], prompt_filter_results: [{ prompt_index: 0 }] },
    { ...named, choices: [{ index: 0, delta: { role: "assistant", content: "" } }] },
    { ...named, choices: [{ index: 0, delta: { content: "Hello" } }] },
    { id: "", model: "", choices: [{ index: 0, content_filter_offsets: { check_offset: 0 } }] },
    { ...named, choices: [{ index: 0, delta: {}, finish_reason: "content_filter" }] },
    { id: "", model: "", choices: [{ index: 0, finish_reason: null, content_filter_results: {} }] },
    { ...named, choices: [], usage },
    "[DONE]",
  );
  const facts = await decode(exchange({ path: PATH, request: { ...request, stream: true }, response }));
  expect(facts).toMatchObject({
    responseId: "chatcmpl-1",
    model: "gpt-4o-2024-08-06",
    outcome: null,
    finishReasons: ["content_filter"],
    usage: { source: "reported", inputTokens: 8, outputTokens: 2 },
    problems: [],
  });
});
