import { describe, expect, test } from "vitest";
import type { Usage } from "#lib/call.ts";
import type { SseEvent } from "#lib/openai/bodies/sse.ts";
import { createSseParser } from "#lib/openai/bodies/sse.ts";
import { decode } from "#lib/openai/decode.ts";
import { deploymentInPath } from "#lib/openai/endpoints.ts";
import type { Facts } from "#lib/openai/facts.ts";
import type { Recording } from "./from-recording.ts";
import { fromRecording, oddly, recordings, whole } from "./from-recording.ts";

const all = recordings("chat_completions", "chat_completions_stored", "completions", "responses", "responses_other");

/** What costs nothing by itself, or tells of calls that do. */
const objects = recordings(
  "batches",
  "containers",
  "conversations",
  "files",
  "fine_tuning",
  "models",
  "organization",
  "realtime_rest",
  "threads",
  "uploads",
  "vector_stores",
);

describe.skipIf(all.length === 0)("recorded traffic", () => {
  test.each(all.map((recording) => [recording.id, recording] as const))(
    "%s decodes to what it states",
    async (_, recording) => {
      const facts = await decode(fromRecording(recording));
      compare(facts, recording);
    },
  );

  test.each(all.map((recording) => [recording.id, recording] as const))(
    "%s decodes to the same facts when it arrives in odd pieces",
    async (_, recording) => {
      const atOnce = await decode(fromRecording(recording, whole));
      const inPieces = await decode(fromRecording(recording, oddly));
      expect(withoutTimes(inPieces)).toEqual(withoutTimes(atOnce));
    },
  );

  test.each(objects.map((recording) => [recording.id, recording] as const))(
    "%s decodes to what it states, or tells of it",
    async (_, recording) => {
      compareObject(await decode(fromRecording(recording)), recording);
      expect(withoutTimes(await decode(fromRecording(recording, oddly)))).toEqual(
        withoutTimes(await decode(fromRecording(recording, whole))),
      );
    },
  );

  const streams = [...all, ...objects].filter((recording) => recording.expected.stream);
  test.each(streams.map((recording) => [recording.id, recording] as const))(
    "%s has the stated events",
    (_, recording) => {
      const stream = recording.expected.stream;
      const events: SseEvent[] = [];
      const parser = createSseParser((event) => events.push(event));
      for (const chunk of oddly(Buffer.from(recording.response.body))) parser.push(chunk.bytes, chunk.atMs);
      parser.end();
      expect(events.filter((event) => event.unfinished)).toEqual([]);
      expect(events.length).toBe(stream?.events);
      expect(events.filter((event) => event.data !== "[DONE]").length).toBe(stream?.data_events);
      expect(events.some((event) => event.data === "[DONE]")).toBe(stream?.done_marker);
      expect(events.some((event) => event.event !== null)).toBe(stream?.named_events);
      if (stream?.last_event_type) expect(events.at(-1)?.event).toBe(stream.last_event_type);
    },
  );
});

function compare(facts: Facts, { id, request, response, expected }: Recording): void {
  expect(facts.requestModel).toBe(expected.request_model ?? deploymentInPath(request.path));
  // What was compacted names no model.
  expect(facts.model).toBe(id.includes("/compact.") ? expected.request_model : expected.model);
  expect(facts.responseId).toBe(expected.response_id);
  // Responses have no choices; the reason that cut one short is kept in the same place.
  const reasons = expected.response_status === "incomplete" ? ["max_output_tokens"] : (expected.finish_reasons ?? []);
  if (expected.finish_reasons) expect(facts.finishReasons).toEqual(reasons);
  if (expected.tool_calls) expect(ownToolNames(facts)).toEqual(expected.tool_calls);
  if (expected.refusal !== undefined) expect(refused(facts)).toBe(expected.refusal);
  if (expected.service_tier !== undefined) expect(facts.serviceTier).toBe(expected.service_tier);
  expect(facts.streamed).toBe(expected.stream !== undefined);
  const failed = expected.error !== undefined || expected.response_status === "failed";
  expect(facts.outcome).toBe(failed ? "failed" : null);
  expect(facts.error === null).toBe(!failed);
  const { type, code, message } = expected.error ?? {};
  if (expected.error) expect(facts.error).toEqual({ type, code, message });
  expect(facts.reread).toBe(
    request.method === "GET" && response.status < 500 && /\/(resp_|chatcmpl-)\w+(\?.*)?$/.test(request.path),
  );
  expect(facts.problems).toEqual(id in KNOWN_PROBLEMS ? KNOWN_PROBLEMS[id] : []);
  compareUsage(facts, expected);
}

function compareObject(facts: Facts, { id, expected }: Recording): void {
  // The setting up of a session, and a run that is streamed, name a model that the recording's own summary leaves out.
  const { requestModel, model } = NAMED[id] ?? { requestModel: expected.request_model, model: expected.model };
  expect(facts.requestModel).toBe(requestModel);
  expect(facts.model).toBe(model);
  expect(facts.responseId).toBe(expected.response_id);
  expect(facts.outcome).toBe(expected.error ? "failed" : null);
  const { type, code, message } = expected.error ?? {};
  expect(facts.error).toEqual(expected.error ? { type, code, message } : null);
  expect(facts.problems).toEqual([]);
  const told = [facts, ...facts.children.map((child) => child.facts)].filter(({ usage }) => usage.source !== "none");
  expect(told.map(({ usage }) => usage.totalTokens)).toEqual(
    expected.usage ? [expected.usage.normalized.total_tokens] : [],
  );
  for (const one of told) compareUsage(one, withThreadDetails(expected));
}

/** The recordings' own summary does not know the name that only threads have. */
function withThreadDetails(expected: Recording["expected"]): Recording["expected"] {
  const details = expected.usage?.raw.prompt_token_details as { cached_tokens: number } | undefined;
  if (!expected.usage || details === undefined) return expected;
  const normalized = { ...expected.usage.normalized, input_cached_tokens: details.cached_tokens };
  return { ...expected, usage: { ...expected.usage, normalized } };
}

const NAMED: Record<string, { requestModel: string | null; model: string | null }> = {
  "realtime_rest/client-secrets.openai-dotnet.22917930": { requestModel: "gpt-realtime", model: "gpt-realtime" },
  "realtime_rest/calls.pydantic-ai.b9e4311d": { requestModel: "gpt-realtime", model: null },
  "threads/run-stream.openllmetry.f186ca4b": { requestModel: null, model: "gpt-4o-mini" },
};

const KNOWN_PROBLEMS: Record<string, string[]> = {
  "responses/computer-use.openai-dotnet.61e17416": ["service_tier_not_stated"],
  "responses/custom-tool.dd-trace-py.c9fe880d": ["service_tier_not_stated"],
  "responses/web-search-stream.openai-dotnet.8ecb16cd": ["service_tier_not_stated"],
  "responses/tools-parallel.logfire.24d80979": ["usage_all_zero"],
  "responses/incomplete.dd-trace-py.f1bd60df": ["usage_all_zero"],
  "chat_completions/vision-base64.braintrust-sdk-java.2fc9fcce": ["image_split_estimated"],
  "chat_completions/vision-base64.openinference.fcdf6564": ["image_split_estimated"],
  "chat_completions/vision-url.dd-trace-py.374ed7ac": ["image_split_estimated"],
  "chat_completions/vision-url.langchaingo.056f8f79": ["image_split_estimated"],
  "responses/image-base64.ruby-llm.ad9ebfd5": ["image_split_estimated"],
  "responses/image-url.ruby-llm-responses-api.0566eca1": ["image_split_estimated"],
  // The pages of the document beside the picture are text, which nobody can count from here.
  "responses/file-input.ruby-llm.f0eef1d5": ["image_split_estimated", "image_split_off"],
  "chat_completions/web-search-stream.ai-gateway.5e10d34f": ["search_count_assumed"],
  "chat_completions/web-search.ruby-llm.b8f5ef39": ["search_count_assumed"],
  "responses/image-generation-stream.ai.bb53d963": ["image_usage_missing"],
  // The picture is a stored file, and the tool reads it too.
  "responses/image-generation.openai-dotnet.8ab991e3": [
    "image_usage_missing",
    "image_split_estimated",
    "image_split_off",
  ],
};

function compareUsage(facts: Facts, { usage }: Recording["expected"]): void {
  if (usage === null || facts.problems.includes("usage_all_zero")) {
    expect(facts.usage.source).toMatch(/^(none|estimated)$/);
    expect(facts.lines.every((line) => line.source === "estimated" || line.direction === "tool")).toBe(true);
    return;
  }
  expect(facts.usage.source).toBe("reported");
  const stated = Object.entries(NAMES).map(([name, field]) => [field, usage.normalized[name] ?? null]);
  expect(facts.usage).toMatchObject(Object.fromEntries(stated));
  const total = (direction: string) =>
    facts.lines.filter((line) => line.direction === direction).reduce((sum, line) => sum + line.quantity, 0);
  expect(total("input")).toBe(usage.normalized.input_tokens);
  expect(total("output")).toBe(usage.normalized.output_tokens);
}

const NAMES: Record<string, keyof Usage> = {
  input_tokens: "inputTokens",
  output_tokens: "outputTokens",
  total_tokens: "totalTokens",
  input_text_tokens: "inputTextTokens",
  input_audio_tokens: "inputAudioTokens",
  input_image_tokens: "inputImageTokens",
  input_cached_tokens: "cachedTokens",
  input_cache_write_tokens: "cacheWriteTokens",
  output_text_tokens: "outputTextTokens",
  output_audio_tokens: "outputAudioTokens",
  output_image_tokens: "outputImageTokens",
  output_reasoning_tokens: "reasoningTokens",
  accepted_prediction_tokens: "acceptedPredictionTokens",
  rejected_prediction_tokens: "rejectedPredictionTokens",
};

function ownToolNames(facts: Facts): string[] {
  return facts.toolCalls.filter(({ type }) => type === "function" || type === "custom").map(({ name }) => name);
}

function refused(facts: Facts): boolean {
  return facts.content.output.some(({ parts }) => parts.some(({ type }) => type === "refusal"));
}

function withoutTimes({ marks, ...facts }: Facts) {
  return { ...facts, contentChunks: marks.contentChunks, sawText: marks.firstTextMs !== null };
}
