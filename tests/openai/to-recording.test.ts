import { describe, expect, it, test } from "vitest";
import { decode } from "#lib/openai/decode.ts";
import { findEndpoint } from "#lib/openai/endpoints.ts";
import { type Recordable, toRecording } from "#lib/openai/export/to-recording.ts";
import type { Facts } from "#lib/openai/facts.ts";
import { decodeSession } from "#lib/openai/sessions/sessions.ts";
import { parseRecording, type Recording as RecordedFile, toSession } from "#lib/recorder/from-recording.ts";
import type { Recording } from "./from-recording.ts";
import { exchange, fromRecording, recordings } from "./from-recording.ts";

const ID = "0197f0a0-0000-7000-8000-000000000001";

/** What the store would hold of an exchange, as the page's export reads it. */
function stored(facts: Facts, { method, path, status }: { method: string; path: string; status: number }): Recordable {
  const { model, requestModel, responseId, serviceTier, requestServiceTier, systemFingerprint, finishReasons } = facts;
  return {
    call: {
      id: ID,
      parentId: null,
      endpoint: findEndpoint(method, path).name,
      method,
      path,
      startedAt: 1_700_000_000_000,
      streamed: facts.streamed,
      problems: facts.problems,
      ...{ model, requestModel, responseId, serviceTier, requestServiceTier, systemFingerprint, finishReasons },
      previousResponseId: facts.previousResponseId,
      conversationId: facts.conversationId,
      promptCacheKey: facts.promptCacheKey,
      outcome: facts.outcome ?? "completed",
      status,
      errorType: facts.error?.type ?? null,
      errorCode: facts.error?.code ?? null,
      errorMessage: facts.error?.message ?? null,
    },
    usage: facts.usage,
    lines: facts.lines,
    tools: facts.toolCalls,
    content: facts.content,
    durationMs: 100,
    host: "api.openai.com",
  };
}

/** The export, read as any recording is. */
const again = async (recordable: Recordable) => {
  const recording = toRecording(recordable);
  return { recording, facts: await decode(fromRecording(JSON.parse(JSON.stringify(recording)) as Recording)) };
};

const chat = {
  id: "chatcmpl-1",
  model: "gpt-4o-2024-08-06",
  service_tier: "default",
  choices: [{ index: 0, finish_reason: "stop", message: { role: "assistant", content: "Hello" } }],
  usage: {
    prompt_tokens: 100,
    completion_tokens: 9,
    total_tokens: 109,
    prompt_tokens_details: { cached_tokens: 64 },
    completion_tokens_details: { reasoning_tokens: 0 },
  },
};
const way = { method: "POST", path: "/v1/chat/completions", status: 200 };

describe("a call exported as a recording", () => {
  it("states the usage in the endpoint's own names, and nothing that was not stated", async () => {
    const request = { model: "gpt-4o", messages: [{ role: "user", content: "Hi" }], temperature: 0 };
    const facts = await decode(exchange({ request, response: chat }));
    const { recording, facts: read } = await again(stored(facts, way));
    expect(JSON.parse((recording.response as { body: string }).body)).toEqual({
      ...{ id: "chatcmpl-1", object: "chat.completion", created: 1_700_000_000, model: "gpt-4o-2024-08-06" },
      service_tier: "default",
      choices: [{ index: 0, message: { role: "assistant", content: "Hello", refusal: null }, finish_reason: "stop" }],
      usage: chat.usage,
    });
    expect(recording.request).toMatchObject({ host: "api.openai.com", body_encoding: "json", body: request });
    expect(recording.expected).toMatchObject({
      finish_reasons: ["stop"],
      usage: {
        normalized: {
          input_tokens: 100,
          output_tokens: 9,
          total_tokens: 109,
          input_cached_tokens: 64,
          output_reasoning_tokens: 0,
        },
      },
    });
    expect(read).toEqual(facts);
  });
  it("has no usage where none was reported, and says what that means", async () => {
    const { usage: _, ...without } = chat;
    const facts = await decode(exchange({ request: { model: "gpt-4o", messages: [] }, response: without }));
    expect(facts.usage.source).toBe("estimated");
    const { recording } = await again(stored(facts, way));
    expect(recording.expected).toMatchObject({ usage: null });
    expect(recording.notes).toMatch(/estimated/);
  });
  it("does without content, and without a response that never came", async () => {
    const facts = await decode(exchange({ request: { model: "gpt-4o", messages: [] }, response: chat }));
    const bare = await again({ ...stored(facts, way), content: null });
    expect(bare.facts).toMatchObject({ usage: facts.usage, lines: facts.lines, finishReasons: ["stop"] });
    expect(bare.recording.notes).toMatch(/No content is stored/);
    const { call, ...rest } = stored(facts, way);
    expect(toRecording({ ...rest, call: { ...call, status: null } }).response).toBeNull();
  });
  it("goes where its endpoint is when it came out of another exchange, and without Omnimeter's own path", async () => {
    const facts = await decode(exchange({ request: { model: "gpt-4o", messages: [] }, response: chat }));
    const { call, ...rest } = stored(facts, way);
    const line = toRecording({ ...rest, call: { ...call, parentId: ID, method: "GET", path: "/v1/files/f/content" } });
    expect(line.request).toMatchObject({ method: "POST", path: "/v1/chat/completions" });
    const socket = { ...call, parentId: ID, method: "GET", path: "/v1/responses", endpoint: "responses", status: null };
    const answered = toRecording({ ...rest, call: socket });
    expect(answered).toMatchObject({ request: { method: "POST", path: "/v1/responses" }, response: { status: 200 } });
    const prefixed = toRecording({ ...rest, call: { ...call, path: "/u/eu/f/chat/v1/chat/completions?beta=true" } });
    expect(prefixed.request).toMatchObject({ path: "/v1/chat/completions?beta=true" });
  });
  it("states what hosted tools used, in the tool's own names", async () => {
    const response = {
      ...{ id: "resp_1", object: "response", status: "completed", model: "gpt-4o-2024-11-20", service_tier: "default" },
      tools: [{ type: "web_search" }, { type: "image_generation", model: "gpt-image-1" }],
      output: [{ type: "message", role: "assistant", content: [{ type: "output_text", text: "There." }] }],
      tool_usage: {
        web_search: { num_requests: 3 },
        image_gen: {
          ...{ input_tokens: 60, input_tokens_details: { text_tokens: 20, image_tokens: 40 } },
          ...{ output_tokens: 272, output_tokens_details: { text_tokens: 0, image_tokens: 272 }, total_tokens: 332 },
        },
      },
      usage: { input_tokens: 55, output_tokens: 30, total_tokens: 85 },
    };
    const request = { model: "gpt-4o", input: "Draw it", tools: response.tools };
    const facts = await decode(exchange({ path: "/v1/responses", request, response }));
    expect(facts.lines.filter(({ direction }) => direction === "tool")).toHaveLength(4);
    const { recording, facts: read } = await again(stored(facts, { ...way, path: "/v1/responses" }));
    expect(JSON.parse((recording.response as { body: string }).body).tool_usage).toEqual(response.tool_usage);
    expect(read.lines).toEqual(facts.lines);
  });
  it("keeps an error as an error", async () => {
    const error = { message: "No such model", type: "invalid_request_error", param: null, code: "model_not_found" };
    const facts = await decode(exchange({ request: { model: "x", messages: [] }, status: 404, response: { error } }));
    const { facts: read } = await again(stored(facts, { ...way, status: 404 }));
    expect(read.error).toEqual({ type: error.type, code: error.code, message: error.message });
    expect(read.lines).toEqual([]);
  });
});

const all = recordings(
  ...["chat_completions", "completions", "responses", "embeddings", "moderations", "audio_transcriptions"],
  ...["audio_speech", "images_generations", "images_edits"],
);

/** Quantities without their modality. */
const summed = ({ lines }: Facts) => {
  const sums: Record<string, number> = {};
  for (const { direction, cache, quantity } of lines)
    sums[`${direction} ${cache}`] = (sums[`${direction} ${cache}`] ?? 0) + quantity;
  return sums;
};

/** Reported usage needs nothing but the export. What is measured or estimated needs bytes that are not kept. */
describe.skipIf(all.length === 0)("recorded traffic, exported and read again", () => {
  test.each(all.map((recording) => [recording.id, recording] as const))("%s", async (_, recording) => {
    const facts = await decode(fromRecording(recording));
    if (facts.usage.source !== "reported") return;
    const { method, path } = recording.request;
    const { facts: read } = await again(stored(facts, { method, path, status: recording.response.status }));
    expect(read.usage).toEqual(facts.usage);
    // Where no answer states how much of the input is image, that is worked out from the image, which is not stored.
    if (facts.problems.includes("image_split_estimated")) expect(summed(read)).toEqual(summed(facts));
    else expect(read.lines).toEqual(facts.lines);
    expect([read.model, read.serviceTier]).toEqual([facts.model, facts.serviceTier]);
  });
});

const sessions = recordings("realtime").map((recording) => recording as unknown as RecordedFile);

describe.skipIf(sessions.length === 0)("recorded sessions, each call exported and read again", () => {
  test.each(sessions.map((recording) => [recording.id, recording] as const))("%s", (_, recording) => {
    const { calls } = decodedFile(recording);
    const stated = calls.filter(({ facts }) => facts.usage.source === "reported");
    for (const { endpoint, facts, outcome } of stated) {
      const recordable = stored(facts, {
        method: "GET",
        path: recording.connection?.path ?? "/v1/realtime",
        status: 101,
      });
      const call = { ...recordable.call, endpoint, outcome, status: null, parentId: ID };
      const exported = toRecording({ ...recordable, call });
      expect(exported).toMatchObject({ kind: "realtime", endpoint });
      const [read, ...others] = decodedFile(parseRecording(JSON.stringify(exported))).calls;
      expect(others).toEqual([]);
      expect(read).toMatchObject({
        endpoint,
        outcome,
        facts: { usage: facts.usage, lines: facts.lines, model: facts.model },
      });
      expect(read?.facts.finishReasons).toEqual(facts.finishReasons);
      expect(read?.facts.toolCalls.map(({ name }) => name)).toEqual(facts.toolCalls.map(({ name }) => name));
    }
  });
});

function decodedFile(recording: RecordedFile) {
  const { start, messages } = toSession(recording);
  return decodeSession(start, messages, null);
}
