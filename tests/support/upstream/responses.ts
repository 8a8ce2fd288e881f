import type { ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { splitBytes } from "../split.ts";
import { digest, refuse, words } from "./chat.ts";
import type { ChatOptions } from "./script.ts";
import { breakOff, write } from "./stream.ts";

interface ResponsesRequest {
  model?: string;
  stream?: boolean;
  stream_options?: { include_usage?: boolean };
}

/** Plays the Responses API, which refuses `stream_options.include_usage`. */
export async function playResponses(options: ChatOptions, body: Buffer, res: ServerResponse): Promise<void> {
  const request = JSON.parse(body.toString("utf8")) as ResponsesRequest;
  if (request.stream_options?.include_usage !== undefined)
    return refuse(res, "Unknown parameter: 'stream_options.include_usage'.", "stream_options.include_usage");
  if (options.delayMs) await sleep(options.delayMs);
  if (res.destroyed) return;
  const count = options.chunks ?? 12;
  if (!request.stream) {
    const text = JSON.stringify(response(request, body, count, "completed"));
    res.writeHead(200, ["Content-Type", "application/json", "Content-Length", String(Buffer.byteLength(text))]);
    res.end(text);
    return;
  }
  res.writeHead(200, ["Content-Type", "text/event-stream; charset=utf-8"]);
  const events = responseEvents(request, body, count, options.eol ?? "\n");
  if (options.paceMs || options.resetAfter !== undefined) {
    for (const [i, event] of events.entries()) {
      if (i === options.resetAfter) return breakOff(res);
      if (!(await write(res, event))) return;
      if (options.paceMs) await sleep(options.paceMs);
    }
  } else {
    for (const piece of splitBytes(Buffer.from(events.join("")), options.split ?? "events"))
      if (!(await write(res, piece))) return;
  }
  res.end();
}

function responseEvents(request: ResponsesRequest, body: Buffer, count: number, eol: string): string[] {
  const item = { id: `msg_${digest(body).slice(0, 40)}`, type: "message", role: "assistant" };
  const place = { item_id: item.id, output_index: 0, content_index: 0 };
  const text = words(body, count).join("");
  const part = { type: "output_text", text, annotations: [], logprobs: [] };
  const values: { type: string }[] = [
    { type: "response.created", response: response(request, body, 0, "in_progress") },
    { type: "response.in_progress", response: response(request, body, 0, "in_progress") },
    { type: "response.output_item.added", output_index: 0, item: { ...item, status: "in_progress", content: [] } },
    { type: "response.content_part.added", ...place, part: { ...part, text: "" } },
    ...words(body, count).map((delta) => ({ type: "response.output_text.delta", ...place, delta, logprobs: [] })),
    { type: "response.output_text.done", ...place, text, logprobs: [] },
    { type: "response.content_part.done", ...place, part },
    { type: "response.output_item.done", output_index: 0, item: { ...item, status: "completed", content: [part] } },
    { type: "response.completed", response: response(request, body, count, "completed") },
  ] as { type: string }[];
  return values.map(
    (value, i) => `event: ${value.type}${eol}data: ${JSON.stringify({ ...value, sequence_number: i })}${eol}${eol}`,
  );
}

function response(request: ResponsesRequest, body: Buffer, count: number, status: string) {
  const done = status === "completed";
  const input = 10 + (body.length % 90);
  return {
    id: `resp_${digest(body).slice(0, 48)}`,
    object: "response",
    created_at: 1_760_000_000,
    status,
    error: null,
    incomplete_details: null,
    instructions: null,
    max_output_tokens: null,
    model: request.model === "gpt-4o" ? "gpt-4o-2024-08-06" : (request.model ?? "gpt-4o-2024-08-06"),
    output: done
      ? [
          {
            id: `msg_${digest(body).slice(0, 40)}`,
            type: "message",
            status: "completed",
            role: "assistant",
            content: [{ type: "output_text", text: words(body, count).join(""), annotations: [], logprobs: [] }],
          },
        ]
      : [],
    parallel_tool_calls: true,
    previous_response_id: null,
    store: true,
    temperature: 1,
    text: { format: { type: "text" } },
    tool_choice: "auto",
    tools: [],
    top_p: 1,
    truncation: "disabled",
    usage: done
      ? {
          input_tokens: input,
          input_tokens_details: { cached_tokens: 0 },
          output_tokens: count,
          output_tokens_details: { reasoning_tokens: 0 },
          total_tokens: input + count,
        }
      : null,
    metadata: {},
  };
}
