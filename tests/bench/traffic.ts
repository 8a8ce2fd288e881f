/** The calls of the benchmark: about what the official client sends and what OpenAI answers. */
const AGENT = "OpenAI/JS 7.55.0";
const requestHeaders = (host: string, length: number, extra: string) =>
  `POST /v1/chat/completions HTTP/1.1\r\nHost: ${host}\r\nAccept: application/json\r\nContent-Type: application/json\r\nUser-Agent: ${AGENT}\r\n` +
  `X-Stainless-Retry-Count: 0\r\nX-Stainless-Lang: js\r\nX-Stainless-Package-Version: 7.55.0\r\nX-Stainless-OS: Linux\r\nX-Stainless-Arch: x64\r\n` +
  `X-Stainless-Runtime: node\r\nX-Stainless-Runtime-Version: v24.21.0\r\nAuthorization: Bearer sk-bench-0123456789abcdefghijklmnopqrstuvwxyz\r\n` +
  `Accept-Encoding: gzip, deflate\r\n${extra}Content-Length: ${length}\r\n\r\n`;

const REQUEST_BYTES = 1000;
const ANSWER_BYTES = 1500;
export const STREAM_CHUNKS = 200;

export function requestOf(host: string, stream: boolean, usage = false, extra = ""): Buffer {
  const frame = (text: string) =>
    JSON.stringify({
      model: "gpt-4o",
      messages: [
        { role: "system", content: "You are a helpful assistant." },
        { role: "user", content: text },
      ],
      ...(stream ? { stream: true } : {}),
      ...(usage ? { stream_options: { include_usage: true } } : {}),
    });
  const body = frame("lorem ".repeat(200).slice(0, REQUEST_BYTES - frame("").length));
  return Buffer.from(requestHeaders(host, body.length, extra) + body);
}

/** Name, value, … as OpenAI sends them. */
export const ANSWER_HEADERS = [
  "openai-organization",
  "bench",
  "openai-processing-ms",
  "412",
  "openai-version",
  "2020-10-01",
  "x-ratelimit-limit-requests",
  "10000",
  "x-ratelimit-limit-tokens",
  "30000000",
  "x-ratelimit-remaining-requests",
  "9999",
  "x-ratelimit-remaining-tokens",
  "29999747",
  "x-ratelimit-reset-requests",
  "6ms",
  "x-ratelimit-reset-tokens",
  "0s",
  "x-request-id",
  "req_0123456789abcdef0123456789abcdef",
  "strict-transport-security",
  "max-age=31536000; includeSubDomains; preload",
];

export const ANSWER = ((): string => {
  const frame = (content: string) =>
    JSON.stringify({
      id: "chatcmpl-bench0123456789abcdefghij",
      object: "chat.completion",
      created: 1760000000,
      model: "gpt-4o-2024-08-06",
      choices: [
        {
          index: 0,
          message: { role: "assistant", content, refusal: null, annotations: [] },
          logprobs: null,
          finish_reason: "stop",
        },
      ],
      usage: {
        prompt_tokens: 240,
        completion_tokens: 180,
        total_tokens: 420,
        prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
        completion_tokens_details: {
          reasoning_tokens: 0,
          audio_tokens: 0,
          accepted_prediction_tokens: 0,
          rejected_prediction_tokens: 0,
        },
      },
      service_tier: "default",
      system_fingerprint: "fp_bench",
    });
  return frame("ipsum ".repeat(300).slice(0, ANSWER_BYTES - frame("").length));
})();

const chunk = (rest: object) =>
  `data: ${JSON.stringify({ id: "chatcmpl-bench0123456789abcdefghij", object: "chat.completion.chunk", created: 1760000000, model: "gpt-4o-2024-08-06", service_tier: "default", system_fingerprint: "fp_bench", ...rest })}\n\n`;

/** The events of a stream; with usage where it is asked for. */
export function streamOf(usage: boolean): string[] {
  const rest = usage ? { usage: null } : {};
  const events = Array.from({ length: STREAM_CHUNKS }, (_, i) =>
    chunk({ choices: [{ index: 0, delta: { content: ` word${i}` }, logprobs: null, finish_reason: null }], ...rest }),
  );
  events.push(chunk({ choices: [{ index: 0, delta: {}, logprobs: null, finish_reason: "stop" }], ...rest }));
  if (usage)
    events.push(chunk({ choices: [], usage: { prompt_tokens: 240, completion_tokens: 200, total_tokens: 440 } }));
  return [...events, "data: [DONE]\n\n"];
}
