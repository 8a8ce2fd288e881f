import { describe, expect, test } from "vitest";
import type { Exchange } from "#lib/exchange.ts";
import { createUuid7 } from "#lib/uuid7.ts";
import { fromRecording, recordings } from "#tests/openai/from-recording.ts";
import { chatExchange, endOf } from "#tests/support/exchange.ts";
import { differences } from "./conventions.ts";
import { exported, observe } from "./export.ts";

const all = recordings(
  ..."audio_speech audio_transcriptions audio_translations batches chat_completions chat_completions_stored completions".split(
    " ",
  ),
  ..."containers conversations embeddings files fine_tuning images_edits images_generations images_variations".split(
    " ",
  ),
  ..."models moderations organization realtime_rest responses responses_other threads uploads vector_stores".split(" "),
);
const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT = "00f067aa0ba902b7";

describe.skipIf(all.length === 0)("recorded traffic", () => {
  test.each(["http/protobuf", "http/json"] as const)(
    "each exchange is one span by the conventions, below the caller's, as long as it took (%s)",
    async (protocol) => {
      const newId = createUuid7(() => 1_790_000_000_123);
      const exchanges = all.map((recording): Exchange => {
        const exchange = fromRecording(recording);
        const headers = [...exchange.start.headers, "traceparent", `00-${TRACE}-${PARENT}-01`];
        return { ...exchange, id: newId(), start: { ...exchange.start, headers } };
      });
      const observations = await Promise.all(exchanges.map((one) => observe(one)));
      const { spans, counts } = await exported(observations, { traces: { protocol, queueSpans: 2048 } });
      expect(counts).toEqual({ exported: all.length, dropped: { queue_full: 0, export_failed: 0, faulty: 0 } });
      expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(all.length);
      const wrong = all.flatMap(({ id }, i) => {
        const observation = observations[i] as (typeof observations)[0];
        const own = spans.filter(({ attributes }) => attributes["omnimeter.call.id"] === observation.call.id);
        const [span] = own;
        if (!span || own.length > 1) return [`${id}: ${own.length} spans`];
        const { traceId, parentSpanId, startNano, endNano } = span;
        if (traceId !== TRACE || parentSpanId !== PARENT) return [`${id}: not below the caller's span`];
        if (startNano !== BigInt(observation.call.startedAt) * 1_000_000n) return [`${id}: began at ${startNano}`];
        // Every recorded exchange ends after 101 ms.
        if (endNano - startNano !== 101_000_000n) return [`${id}: took ${endNano - startNano} ns`];
        return differences(span, observation).map((sentence) => `${id}: ${sentence}`);
      });
      expect(wrong).toEqual([]);
    },
  );
});

test("every ending and every kind of endpoint passes the conventions", async () => {
  const at = (method: string, path: string, answer?: object): Exchange => {
    const exchange = chatExchange({ answer });
    return { ...exchange, start: { ...exchange.start, method, target: path, upstreamTarget: path } };
  };
  const observations = await Promise.all(
    [
      chatExchange({ end: endOf({ ending: "client_aborted" }) }),
      chatExchange({ end: endOf({ ending: "upstream_reset" }) }),
      chatExchange({ end: endOf({ ending: "unreachable" }), response: null }),
      chatExchange({ end: null, response: null }),
      chatExchange({ request_: { model: 7, n: 3, seed: 1, stop: ["a", 5], temperature: "hot", max_tokens: 1.5 } }),
      at("POST", "/v1/embeddings", { object: "list", data: [], model: "text-embedding-3-small" }),
      at("POST", "/v1/audio/transcriptions"),
      at("POST", "/v1/moderations"),
      at("POST", "/v1/responses/compact"),
      at("GET", "/v1/realtime"),
      at("GET", "/v1/responses/resp_1"),
      at("POST", "/v1/threads/runs"),
      at("DELETE", "/v1/files/file-1"),
    ].map((exchange) => observe(exchange)),
  );
  const { spans } = await exported(observations);
  expect(spans).toHaveLength(observations.length);
  for (const [i, observation] of observations.entries())
    expect(differences(spans[i] as (typeof spans)[0], observation)).toEqual([]);
});

test("the check itself finds a wrong name, a wrong type, a missing and an invented attribute", async () => {
  const observation = await observe(chatExchange());
  const { spans } = await exported([observation]);
  const [span] = spans as [(typeof spans)[0]];
  const { "gen_ai.provider.name": _, ...rest } = span.attributes;
  const attributes = { ...rest, "gen_ai.usage.input_tokens": "13", "gen_ai.system": "openai", "error.type": "x" };
  expect(differences({ ...span, name: "POST /v1/chat/completions", attributes }, observation)).toEqual([
    'the name is "POST /v1/chat/completions", not "chat gpt-4o"',
    'gen_ai.usage.input_tokens is "13", no int',
    "gen_ai.system is in no table",
    "gen_ai.provider.name is missing",
    "error.type is there without a reason",
  ]);
});
