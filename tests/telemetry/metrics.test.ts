import { expect, test } from "vitest";
import { chatExchange, endOf } from "#tests/support/exchange.ts";
import type { ReceivedMetric } from "#tests/support/otlp-receiver.ts";
import { exported, observe } from "./export.ts";

const SECONDS = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];
const TOKENS = [1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864];
const COMMON = {
  "gen_ai.operation.name": "chat",
  "gen_ai.provider.name": "openai",
  "gen_ai.request.model": "gpt-4o",
  "server.address": "api.openai.com",
  "server.port": 443,
};
const ANSWERED = { ...COMMON, "gen_ai.response.model": "gpt-4o-2024-08-06" };

const named = (metrics: ReceivedMetric[], name: string) => metrics.find((metric) => metric.name === name);

const answerWith = (usage: unknown) => ({
  id: "chatcmpl-1",
  model: "gpt-4o-2024-08-06",
  choices: [{ index: 0, message: { role: "assistant", content: "Yes." }, finish_reason: "stop" }],
  usage,
});

test("durations and sizes are histograms with the recommended boundaries", async () => {
  const observations = [await observe(chatExchange()), await observe(chatExchange())];
  const { metrics } = await exported(observations);
  expect(named(metrics, "gen_ai.client.inference.duration")).toEqual({
    name: "gen_ai.client.inference.duration",
    unit: "s",
    points: [
      {
        attributes: ANSWERED,
        value: null,
        histogram: {
          count: 2,
          sum: expect.closeTo(0.8054, 9),
          bounds: SECONDS,
          // Both took 0.4027 s: above 0.32, up to 0.64.
          buckets: [0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0],
        },
      },
    ],
  });
  expect(named(metrics, "gen_ai.client.inference.operation.input_tokens")).toMatchObject({
    unit: "{token}",
    points: [{ attributes: ANSWERED, histogram: { count: 2, sum: 26, bounds: TOKENS } }],
  });
  expect(named(metrics, "gen_ai.client.inference.operation.output_tokens")?.points[0]?.histogram?.sum).toBe(16);
  // Nothing was streamed, and no older name is sent besides.
  expect(metrics.map(({ name }) => name).sort()).toEqual([
    "gen_ai.client.inference.duration",
    "gen_ai.client.inference.operation.input_tokens",
    "gen_ai.client.inference.operation.output_tokens",
    "gen_ai.client.inference.usage.input_tokens",
    "gen_ai.client.inference.usage.output_tokens",
  ]);
});

test("tokens are counted by modality, cached and reasoning ones as subsets", async () => {
  const usage = {
    prompt_tokens: 300,
    completion_tokens: 50,
    total_tokens: 350,
    prompt_tokens_details: {
      cached_tokens: 64,
      text_tokens: 180,
      audio_tokens: 120,
      image_tokens: 0,
      cached_tokens_details: { text_tokens: 40, audio_tokens: 24 },
    },
    completion_tokens_details: { text_tokens: 10, audio_tokens: 40, reasoning_tokens: 6 },
  };
  const { metrics } = await exported([await observe(chatExchange({ answer: answerWith(usage) }))]);
  const counted = (name: string) =>
    named(metrics, `gen_ai.client.inference.usage.${name}`)?.points.map(({ attributes, value }) => [
      attributes["gen_ai.token.modality"],
      value,
    ]);
  expect(counted("input_tokens")).toEqual([
    ["text", 180],
    ["audio", 120],
  ]);
  expect(counted("cache_read.input_tokens")).toEqual([
    ["text", 40],
    ["audio", 24],
  ]);
  expect(counted("output_tokens")).toEqual([
    ["text", 10],
    ["audio", 40],
  ]);
  expect(counted("reasoning.output_tokens")).toEqual([["text", 6]]);
  expect(counted("cache_write.input_tokens")).toBeUndefined();
});

test("an image whose tokens nobody states makes the modality of the total unknown", async () => {
  const request_ = {
    model: "gpt-4o",
    messages: [{ role: "user", content: [{ type: "image_url", image_url: { url: "https://x/y.png" } }] }],
  };
  const usage = { prompt_tokens: 900, completion_tokens: 5, total_tokens: 905 };
  const { metrics } = await exported([await observe(chatExchange({ request_, answer: answerWith(usage) }))]);
  expect(named(metrics, "gen_ai.client.inference.usage.input_tokens")?.points).toMatchObject([
    { attributes: { "gen_ai.token.modality": "unknown" }, value: 900 },
  ]);
});

test("without usage 0 of unknown modality is counted and no size is recorded; the error's type is on the duration", async () => {
  const observation = await observe(chatExchange({ end: endOf({ ending: "unreachable" }), response: null }));
  const { metrics } = await exported([observation]);
  for (const name of ["input_tokens", "output_tokens"])
    expect(named(metrics, `gen_ai.client.inference.usage.${name}`)?.points).toEqual([
      { attributes: { ...COMMON, "gen_ai.token.modality": "unknown" }, value: 0, histogram: null },
    ]);
  expect(named(metrics, "gen_ai.client.inference.operation.input_tokens")).toBeUndefined();
  expect(named(metrics, "gen_ai.client.inference.duration")?.points[0]?.attributes).toEqual({
    ...COMMON,
    "error.type": "unreachable",
  });
});

test("a call whose end was not seen has no duration", async () => {
  const { metrics } = await exported([await observe(chatExchange({ end: null }))]);
  expect(named(metrics, "gen_ai.client.inference.duration")).toBeUndefined();
});

test.each([
  ["POST", "/v1/embeddings", ["gen_ai.client.embeddings.duration", "gen_ai.client.embeddings.operation.input_tokens"]],
  ["POST", "/v1/moderations", ["gen_ai.client.operation.duration"]],
  ["GET", "/v1/responses/resp_1", ["gen_ai.client.operation.duration"]],
  ["GET", "/v1/realtime", []],
  ["GET", "/v1/responses", []],
  ["GET", "/v1/models", []],
])("%s %s is measured as %j", async (method, path, names) => {
  const exchange = chatExchange();
  const start = { ...exchange.start, method, target: path, upstreamTarget: path };
  const observation = await observe({ ...exchange, start });
  // As it will be when the reader of embeddings knows their usage.
  if (path === "/v1/embeddings")
    observation.call.usage = { ...observation.call.usage, source: "reported", inputTokens: 8 };
  const { metrics } = await exported([observation]);
  expect(metrics.map(({ name }) => name)).toEqual(names);
});
