import type { Exchange, ExchangeEnd } from "#lib/exchange.ts";
import { createUuid7 } from "#lib/uuid7.ts";

const newId = createUuid7();

/** A finished chat completion as the spool would give it; everything can be overridden. */
export function chatExchange(
  over: Partial<Exchange> & { request_?: unknown; answer?: unknown; headers?: string[] } = {},
): Exchange {
  const request = Buffer.from(
    JSON.stringify(
      over.request_ ?? { model: "gpt-4o", messages: [{ role: "user", content: "How long is the Nile?" }] },
    ),
  );
  const answer = Buffer.from(
    JSON.stringify(
      over.answer ?? {
        id: `chatcmpl-${newId()}`,
        object: "chat.completion",
        model: "gpt-4o-2024-08-06",
        choices: [{ index: 0, message: { role: "assistant", content: "About 6,650 km." }, finish_reason: "stop" }],
        usage: {
          prompt_tokens: 13,
          completion_tokens: 8,
          total_tokens: 21,
          prompt_tokens_details: { cached_tokens: 0 },
          completion_tokens_details: { reasoning_tokens: 0 },
        },
        service_tier: "default",
      },
    ),
  );
  const { request_, answer: _, headers, ...exchange } = over;
  return {
    id: newId(),
    origin: { spool: "spool-1", run: "run-1", seq: 1 },
    start: {
      kind: "http",
      method: "POST",
      target: "/v1/chat/completions",
      upstreamTarget: "/v1/chat/completions",
      upstream: "default",
      upstreamOrigin: "https://api.openai.com",
      headers: ["content-type", "application/json", ...(headers ?? [])],
      startedAtMs: Date.now(),
    },
    request: { chunks: [{ atMs: 0.2, offset: 0, bytes: request }], bytes: request.length, cut: false },
    response: {
      status: 200,
      headers: ["content-type", "application/json", "x-request-id", "req_1"],
      headAtMs: 402,
      chunks: [{ atMs: 402.5, offset: 0, bytes: answer }],
      bytes: answer.length,
      cut: false,
    },
    end: endOf({ requestBytes: request.length, responseBytes: answer.length }),
    ...exchange,
  };
}

export const endOf = (over: Partial<ExchangeEnd> = {}): ExchangeEnd => ({
  ending: "completed",
  requestEndAtMs: 0.3,
  sentAtMs: 0.5,
  connectMs: null,
  responseEndAtMs: 402.6,
  endAtMs: 402.7,
  requestBytes: 0,
  responseBytes: 0,
  ...over,
});
