import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { splitBytes } from "../split.ts";
import type { ChatOptions } from "./script.ts";
import { breakOff, write } from "./stream.ts";

interface ChatRequest {
  model?: string;
  stream?: boolean;
  stream_options?: { include_usage?: boolean } | null;
  n?: number;
}

/** Plays chat (and legacy) completions: the same request gets the same answer. */
export async function playChat(options: ChatOptions, body: Buffer, req: IncomingMessage, res: ServerResponse) {
  const request = parse(body);
  if (!request) return refuse(res, "We could not parse the JSON body of your request.", null);
  if (options.refusesUsage && request.stream_options !== undefined)
    return refuse(res, "Unrecognized request argument supplied: stream_options", "stream_options");
  if (options.delayMs) await sleep(options.delayMs);
  if (res.destroyed) return;
  const legacy = !(req.url ?? "").includes("/chat/");
  const headers = [
    "x-request-id",
    `req_${digest(body).slice(0, 24)}`,
    "openai-processing-ms",
    "7",
    "x-ratelimit-remaining-requests",
    "9999",
  ];
  if (!request.stream) {
    const text = JSON.stringify(completion(request, body, options.chunks ?? 12, legacy));
    res.writeHead(200, [
      "Content-Type",
      "application/json",
      "Content-Length",
      String(Buffer.byteLength(text)),
      ...headers,
    ]);
    res.end(text);
    return;
  }
  res.writeHead(200, ["Content-Type", "text/event-stream; charset=utf-8", ...headers]);
  await stream(options, request, body, res, legacy);
}

async function stream(options: ChatOptions, request: ChatRequest, body: Buffer, res: ServerResponse, legacy: boolean) {
  const events = chatEvents(request, body, options, legacy);
  // Pace and resets count events, whatever the pieces are.
  if (options.paceMs || options.resetAfter !== undefined) {
    for (const [i, event] of events.entries()) {
      if (i === options.resetAfter) return breakOff(res);
      if (!(await write(res, event))) return;
      if (options.paceMs) await sleep(options.paceMs);
    }
  } else {
    const pieces = splitBytes(Buffer.from(events.join("")), options.split ?? "events");
    for (const piece of pieces) if (!(await write(res, piece))) return;
  }
  res.end();
}

/** The events of the stream, each with its blank line. */
export function chatEvents(request: ChatRequest, body: Buffer, options: ChatOptions, legacy = false): string[] {
  const eol = options.eol ?? "\n";
  const { id, model } = identity(request, body);
  const asked = request.stream_options?.include_usage === true;
  const base = { id, object: legacy ? "text_completion" : "chat.completion.chunk", created: 1_760_000_000, model };
  // With include_usage every other chunk says `usage: null`.
  const rest = asked ? { system_fingerprint: "fp_test", usage: null } : { system_fingerprint: "fp_test" };
  const chunk = (delta: object, finish: string | null = null) => ({
    ...base,
    choices: [
      legacy
        ? { index: 0, text: (delta as { content?: string }).content ?? "", finish_reason: finish }
        : { index: 0, delta, logprobs: null, finish_reason: finish },
    ],
    ...rest,
  });
  const count = options.chunks ?? 12;
  const values: object[] = [];
  if (options.azure)
    values.push({
      id: "",
      object: "",
      created: 0,
      model: "",
      choices: [],
      prompt_filter_results: [
        { prompt_index: 0, content_filter_results: { hate: { filtered: false, severity: "safe" } } },
      ],
    });
  if (!legacy) values.push(chunk({ role: "assistant", content: "", refusal: null }));
  for (const word of words(body, count)) values.push(chunk({ content: word }));
  values.push(chunk({}, "stop"));
  if (asked) values.push({ ...base, choices: [], usage: usage(body, count), system_fingerprint: "fp_test" });
  return [...values.map((value) => `data: ${JSON.stringify(value)}${eol}${eol}`), `data: [DONE]${eol}${eol}`];
}

function completion(request: ChatRequest, body: Buffer, count: number, legacy: boolean) {
  const { id, model } = identity(request, body);
  const text = words(body, count).join("");
  const choice = (index: number) =>
    legacy
      ? { text, index, logprobs: null, finish_reason: "stop" }
      : {
          index,
          message: { role: "assistant", content: text, refusal: null, annotations: [] },
          logprobs: null,
          finish_reason: "stop",
        };
  return {
    id,
    object: legacy ? "text_completion" : "chat.completion",
    created: 1_760_000_000,
    model,
    choices: Array.from({ length: request.n ?? 1 }, (_, index) => choice(index)),
    usage: usage(body, count),
    service_tier: "default",
    system_fingerprint: "fp_test",
  };
}

const identity = (request: ChatRequest, body: Buffer) => ({
  id: `chatcmpl-${digest(body).slice(0, 29)}`,
  model: request.model === "gpt-4o" ? "gpt-4o-2024-08-06" : (request.model ?? "gpt-4o-2024-08-06"),
});

/** Words with characters of one to four bytes, so that splits fall inside of them. */
const WORDS = ["Hello", " wörld", " – 你好", " 🎙️", ' "quoted"', "\nline", " naïve", " done."];
export const words = (body: Buffer, count: number): string[] => {
  const offset = body.length;
  return Array.from({ length: count }, (_, i) => WORDS[(offset + i) % WORDS.length] as string);
};

export const usage = (body: Buffer, count: number) => ({
  prompt_tokens: 10 + (body.length % 90),
  completion_tokens: count,
  total_tokens: 10 + (body.length % 90) + count,
  prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
  completion_tokens_details: {
    reasoning_tokens: 0,
    audio_tokens: 0,
    accepted_prediction_tokens: 0,
    rejected_prediction_tokens: 0,
  },
});

/** Of what the request says, without what may have been inserted: the answer's id must not depend on it. */
export const digest = (body: Buffer): string =>
  createHash("sha256")
    .update(body.toString("utf8").replace(/"stream_options":\{[^}]*\},?/, ""))
    .digest("hex");

export function refuse(res: ServerResponse, message: string, param: string | null): void {
  const text = JSON.stringify({ error: { message, type: "invalid_request_error", param, code: null } });
  res.writeHead(400, ["Content-Type", "application/json", "Content-Length", String(Buffer.byteLength(text))]);
  res.end(text);
}

function parse(body: Buffer): ChatRequest | null {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    return null;
  }
}
