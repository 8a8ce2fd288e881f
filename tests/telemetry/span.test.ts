import { expect, test } from "vitest";
import { spanIdOf } from "#lib/trace-ids.ts";
import { uuid7Ms } from "#lib/uuid7.ts";
import { chatExchange, endOf } from "#tests/support/exchange.ts";
import { exported, observe } from "./export.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT = "00f067aa0ba902b7";

test("a plain call is one client span below the caller's, with every figure that the call holds", async () => {
  const observation = await observe(
    chatExchange({
      headers: [
        "traceparent",
        `00-${TRACE}-${PARENT}-01`,
        "x-omnimeter-feature",
        "maps",
        "x-omnimeter-template",
        "river",
        "x-omnimeter-template-version",
        "3",
        "x-omnimeter-session",
        "s-1",
        "x-omnimeter-customer",
        "acme",
        "x-stainless-retry-count",
        "2",
      ],
      request_: {
        model: "gpt-4o",
        messages: [{ role: "user", content: "How long is the Nile?" }],
        temperature: 0.5,
        max_completion_tokens: 100,
        n: 1,
        seed: 7,
        stop: "END",
        response_format: { type: "json_object" },
      },
    }),
  );
  const { call } = observation;
  const { spans } = await exported([observation]);
  expect(spans).toEqual([
    {
      traceId: TRACE,
      spanId: spanIdOf(call.id),
      parentSpanId: PARENT,
      name: "chat gpt-4o",
      kind: 3,
      startNano: BigInt(uuid7Ms(call.id)) * 1_000_000n,
      // endAtMs of the fixture is 402.7.
      endNano: BigInt(uuid7Ms(call.id)) * 1_000_000n + 402_700_000n,
      status: { code: 0, message: null },
      scope: "omnimeter 1",
      resource: expect.objectContaining({ "service.name": "omnimeter-recorder" }),
      attributes: {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.response.model": "gpt-4o-2024-08-06",
        "gen_ai.response.id": call.responseId,
        "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.prompt.name": "river",
        "gen_ai.prompt.version": "3",
        "gen_ai.request.max_tokens": 100,
        "gen_ai.request.temperature": 0.5,
        "gen_ai.request.seed": 7,
        "gen_ai.request.stop_sequences": ["END"],
        "gen_ai.output.type": "json",
        "gen_ai.usage.input_tokens": 13,
        "gen_ai.usage.output_tokens": 8,
        "gen_ai.usage.cache_read.input_tokens": 0,
        "gen_ai.usage.reasoning.output_tokens": 0,
        "openai.api.type": "chat_completions",
        "openai.response.service_tier": "default",
        "server.address": "api.openai.com",
        "server.port": 443,
        "http.response.status_code": 200,
        "omnimeter.call.id": call.id,
        "omnimeter.operation.id": call.id,
        "omnimeter.attempt": 2,
        "omnimeter.endpoint": "chat_completions",
        "omnimeter.upstream": "default",
        "omnimeter.outcome": "completed",
        "omnimeter.environment": "production",
        "omnimeter.feature": "maps",
        "omnimeter.customer": "acme",
        "omnimeter.session": "s-1",
        "omnimeter.upstream_request.id": "req_1",
        // 0.5 − 0.3 before, 402.7 − 402.6 after.
        "omnimeter.overhead.ms": expect.closeTo(0.3, 6),
        // 13 at 2.50 and 8 at 10.00 per million.
        "omnimeter.cost.usd": 0.0001125,
        "omnimeter.cost.usd_exact": "0.0001125",
        "omnimeter.usage.source": "reported",
      },
    },
  ]);
});

test("a call whose client named no trace begins one, with ids that follow from its own id", async () => {
  const observation = await observe(chatExchange());
  const { spans } = await exported([observation]);
  expect(spans[0]).toMatchObject({
    traceId: observation.call.id.replaceAll("-", ""),
    spanId: spanIdOf(observation.call.id),
    parentSpanId: null,
  });
});

test("a call that is recorded again makes the same span again", async () => {
  const exchange = chatExchange({ headers: ["traceparent", `00-${TRACE}-${PARENT}-00`] });
  const first = await exported([await observe(exchange)]);
  const again = await exported([await observe(exchange)]);
  const { resource: _, ...span } = first.spans[0] as (typeof first.spans)[0];
  expect(again.spans).toEqual([expect.objectContaining(span)]);
});

test("a stream says so, and how long its first content took", async () => {
  const frames = [
    { choices: [{ index: 0, delta: { role: "assistant", content: "" }, finish_reason: null }] },
    { choices: [{ index: 0, delta: { content: "Long." }, finish_reason: null }] },
    { choices: [{ index: 0, delta: {}, finish_reason: "stop" }] },
  ].map((frame) => `data: ${JSON.stringify({ id: "chatcmpl-1", model: "gpt-4o-2024-08-06", ...frame })}\n\n`);
  let bytes = 0;
  const chunks = [...frames, "data: [DONE]\n\n"].map((text, i) => {
    const chunk = { atMs: 100 + i * 150, offset: bytes, bytes: Buffer.from(text) };
    bytes += chunk.bytes.length;
    return chunk;
  });
  const { spans } = await exported([
    await observe(
      chatExchange({
        request_: { model: "gpt-4o", stream: true, messages: [] },
        response: {
          status: 200,
          headers: ["content-type", "text/event-stream"],
          headAtMs: 90,
          chunks,
          bytes,
          cut: false,
        },
      }),
    ),
  ]);
  expect(spans[0]?.attributes).toMatchObject({
    "gen_ai.request.stream": true,
    "gen_ai.response.time_to_first_chunk": 0.25,
    "gen_ai.response.finish_reasons": ["stop"],
    "omnimeter.usage.source": "estimated",
  });
  // What we estimate is never said in the provider's name.
  expect(Object.keys(spans[0]?.attributes ?? {}).filter((name) => name.startsWith("gen_ai.usage"))).toEqual([]);
  expect(spans[0]?.attributes["omnimeter.usage.estimated_output_tokens"]).toBeGreaterThan(0);
  expect(spans[0]?.attributes).not.toHaveProperty("omnimeter.cost.usd");
});

test("a refused call is an error by the provider's own code, without usage and without its words", async () => {
  const { spans } = await exported([
    await observe(
      chatExchange({
        answer: { error: { message: "Rate limit of Anna", type: "requests", code: "rate_limit_exceeded" } },
        response: responseOf(429, {
          error: { message: "Rate limit of Anna", type: "requests", code: "rate_limit_exceeded" },
        }),
      }),
    ),
  ]);
  expect(spans[0]).toMatchObject({
    name: "chat gpt-4o",
    status: { code: 2, message: null },
    attributes: {
      "error.type": "rate_limit_exceeded",
      "http.response.status_code": 429,
      "omnimeter.outcome": "failed",
    },
  });
  for (const name of ["gen_ai.response.finish_reasons", "gen_ai.usage.input_tokens", "omnimeter.cost.usd"])
    expect(spans[0]?.attributes).not.toHaveProperty([name]);
});

test.each([
  ["a client that left", { ending: "client_aborted" as const }, "client_aborted", 0],
  ["a stream that broke off", { ending: "upstream_reset" as const }, "truncated", 2],
])("%s: error.type and status", async (_, end, errorType, code) => {
  const { spans } = await exported([
    await observe(chatExchange({ end: endOf(end), response: responseOf(200, {}, "") })),
  ]);
  expect(spans[0]?.status.code).toBe(code);
  expect(spans[0]?.attributes).toMatchObject({
    "error.type": errorType,
    "gen_ai.response.finish_reasons": ["error"],
  });
});

test("an upstream that was not there, and a proxy that died in the middle, are errors too", async () => {
  const { spans } = await exported([
    await observe(chatExchange({ end: endOf({ ending: "unreachable" }), response: null })),
    await observe(chatExchange({ end: null })),
  ]);
  expect(spans.map(({ attributes, status }) => [attributes["error.type"], status.code])).toEqual([
    ["unreachable", 2],
    ["interrupted", 2],
  ]);
  expect(spans[0]?.attributes).not.toHaveProperty(["gen_ai.response.finish_reasons"]);
  // Nobody saw the end: the head's arrival at 402 ms is the last that is known.
  const [, died] = spans;
  expect((died?.endNano ?? 0n) - (died?.startNano ?? 0n)).toBe(402_000_000n);
});

test("cached, audio and image tokens are inside the totals, by modality where that is known", async () => {
  const { spans } = await exported([
    await observe(
      chatExchange({
        answer: {
          id: "chatcmpl-1",
          model: "gpt-4o-audio-preview-2024-12-17",
          choices: [{ index: 0, message: { role: "assistant", content: "Yes." }, finish_reason: "stop" }],
          usage: {
            prompt_tokens: 300,
            completion_tokens: 50,
            total_tokens: 350,
            prompt_tokens_details: {
              cached_tokens: 64,
              text_tokens: 180,
              audio_tokens: 120,
              image_tokens: 0,
              cached_tokens_details: { text_tokens: 64, audio_tokens: 0 },
            },
            completion_tokens_details: { text_tokens: 10, audio_tokens: 40, reasoning_tokens: 0 },
          },
        },
      }),
    ),
  ]);
  expect(spans[0]?.attributes).toMatchObject({
    "gen_ai.usage.input_tokens": 300,
    "gen_ai.usage.text.input_tokens": 180,
    "gen_ai.usage.audio.input_tokens": 120,
    "gen_ai.usage.cache_read.input_tokens": 64,
    "gen_ai.usage.text.cache_read.input_tokens": 64,
    "gen_ai.usage.output_tokens": 50,
    "gen_ai.usage.text.output_tokens": 10,
    "gen_ai.usage.audio.output_tokens": 40,
  });
  expect(spans[0]?.attributes).not.toHaveProperty(["gen_ai.usage.audio.cache_read.input_tokens"]);
});

test("a model without a price has no cost, and its lines are counted as unpriced", async () => {
  const answer = {
    id: "chatcmpl-1",
    model: "gpt-of-another-world",
    choices: [{ index: 0, message: { role: "assistant", content: "Hm." }, finish_reason: "stop" }],
    usage: { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 },
  };
  const { spans } = await exported([await observe(chatExchange({ answer }))]);
  expect(spans[0]?.attributes).toMatchObject({
    "gen_ai.response.model": "gpt-of-another-world",
    "omnimeter.cost.unpriced_lines": 2,
  });
  expect(spans[0]?.attributes).not.toHaveProperty(["omnimeter.cost.usd"]);
  expect(spans[0]?.attributes).not.toHaveProperty(["omnimeter.cost.usd_exact"]);
});

test.each([
  ["POST", "/v1/responses", "chat gpt-4o", "chat"],
  ["POST", "/v1/completions", "text_completion gpt-4o", "text_completion"],
  ["POST", "/v1/embeddings", "embeddings gpt-4o", "embeddings"],
  ["GET", "/v1/responses/resp_1", "fetch_response gpt-4o", "fetch_response"],
  ["GET", "/v1/chat/completions/chatcmpl-1", "fetch_response gpt-4o", "fetch_response"],
  ["DELETE", "/v1/chat/completions/chatcmpl-1", "DELETE chat_completions_stored", undefined],
  ["POST", "/v1/images/generations", "image_generation gpt-4o", "image_generation"],
  ["POST", "/v1/audio/speech", "text_to_speech gpt-4o", "text_to_speech"],
  ["POST", "/v1/moderations", "moderation gpt-4o", "moderation"],
  ["GET", "/v1/models", "GET models", undefined],
  ["POST", "/v1/something/new", "POST unknown", undefined],
])("%s %s is the span %s", async (method, path, name, operation) => {
  const exchange = chatExchange();
  const start = { ...exchange.start, method, target: path, upstreamTarget: path };
  const { spans } = await exported([await observe({ ...exchange, start })]);
  expect(spans.map((span) => span.name)).toEqual([name]);
  expect(spans[0]?.attributes["gen_ai.operation.name"]).toBe(operation);
  // A re-read used nothing: what it repeats was counted with the call that generated it.
  if (operation === "fetch_response" || operation === undefined)
    expect(Object.keys(spans[0]?.attributes ?? {}).filter((one) => one.startsWith("gen_ai.usage"))).toEqual([]);
});

test("tools that the model asked for are named; nobody saw them run, so they have no spans", async () => {
  const tool = (id: string, name: string) => ({ id, type: "function", function: { name, arguments: "{}" } });
  const answer = {
    id: "chatcmpl-1",
    model: "gpt-4o-2024-08-06",
    choices: [
      {
        index: 0,
        message: { role: "assistant", tool_calls: [tool("call_1", "river"), tool("call_2", "lake")] },
        finish_reason: "tool_calls",
      },
    ],
  };
  const { spans } = await exported([await observe(chatExchange({ answer }))]);
  expect(spans).toHaveLength(1);
  expect(spans[0]?.attributes["omnimeter.tool_calls.names"]).toEqual(["river", "lake"]);
});

test("the server is the upstream behind the proxy; one that is no longer configured is not named", async () => {
  const observation = await observe(chatExchange());
  const upstreams = (url?: string) => ({ upstreams: url ? { default: url } : ({} as Record<string, string>) });
  const serverOf = async (url?: string) => {
    const { spans } = await exported([observation], upstreams(url));
    const { attributes } = spans[0] as (typeof spans)[0];
    return [attributes["server.address"], attributes["server.port"], attributes["gen_ai.provider.name"]];
  };
  expect(await serverOf("https://me.openai.azure.com/openai")).toEqual(["me.openai.azure.com", 443, "azure.ai.openai"]);
  expect(await serverOf("http://127.0.0.1:8080")).toEqual(["127.0.0.1", 8080, "openai"]);
  expect(await serverOf("http://[::1]")).toEqual(["::1", 80, "openai"]);
  expect(await serverOf()).toEqual([undefined, undefined, "openai"]);
});

function responseOf(status: number, answer: object, text = JSON.stringify(answer)) {
  const bytes = Buffer.from(text);
  return {
    status,
    headers: ["content-type", "application/json"],
    headAtMs: 402,
    chunks: bytes.length ? [{ atMs: 402.5, offset: 0, bytes }] : [],
    bytes: bytes.length,
    cut: false,
  };
}
