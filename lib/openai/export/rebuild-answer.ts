import type { Call, Content, Message, Part, ToolCall, Usage, UsageLine } from "#lib/call.ts";
import type { JsonObject } from "../bodies/json.ts";
import { asObject, parseJson } from "../bodies/json.ts";
import { rebuildToolUsage } from "./rebuild-tool-usage.ts";
import { rebuildUsage } from "./rebuild-usage.ts";

/** What an answer is written anew from. */
export interface Answered {
  call: Pick<
    Call,
    | "endpoint"
    | "startedAt"
    | "requestModel"
    | "responseId"
    | "model"
    | "serviceTier"
    | "systemFingerprint"
    | "previousResponseId"
    | "conversationId"
    | "promptCacheKey"
    | "outcome"
    | "status"
    | "errorType"
    | "errorCode"
    | "errorMessage"
    | "finishReasons"
  >;
  usage: Usage;
  lines: readonly UsageLine[];
  tools: readonly ToolCall[];
  /** null: none is stored. */
  content: Content | null;
}

/** The body of an answer in its endpoint's shape, as far as facts and content tell it. */
export function rebuildAnswer(answered: Answered): JsonObject {
  const { call } = answered;
  if (call.status !== null && call.status >= 400)
    return withoutNulls({ error: errorOf(answered), usage: rebuildUsage(answered.usage, call.endpoint) });
  const build = SHAPES.get(call.endpoint) ?? plain;
  return withoutNulls(build(answered));
}

const SHAPES: ReadonlyMap<string, (answered: Answered) => JsonObject> = new Map([
  ["chat_completions", chat],
  ["chat_completions_stored", chat],
  ["completions", completion],
  ["responses", response],
  ["responses_compact", response],
  ["responses_retrieve", response],
  ["responses_cancel", response],
  ["embeddings", (answered) => ({ object: "list", data: [], ...plain(answered) })],
  ["audio_transcriptions", spoken],
  ["audio_translations", spoken],
  ["images_generations", images],
  ["images_edits", images],
  ["images_variations", images],
]);

function plain({ call, usage }: Answered): JsonObject {
  return { id: call.responseId, model: call.model, usage: rebuildUsage(usage, call.endpoint) };
}

function chat(answered: Answered): JsonObject {
  const { call, usage } = answered;
  return {
    id: call.responseId,
    object: "chat.completion",
    created: Math.floor(call.startedAt / 1000),
    model: call.model,
    service_tier: call.serviceTier,
    system_fingerprint: call.systemFingerprint,
    choices: messagesOf(answered).map((message, index) => ({
      index: message.choice ?? index,
      message: { role: "assistant", ...chatMessage(message) },
      finish_reason: call.finishReasons[index] ?? null,
    })),
    usage: rebuildUsage(usage, call.endpoint),
    ...failure(answered),
  };
}

function chatMessage({ parts }: Message): JsonObject {
  const audio = parts.find((part) => part.type === "audio");
  const calls = parts.filter((part) => part.type === "tool_call");
  return {
    content: textIn(parts, "text"),
    refusal: textIn(parts, "refusal"),
    ...(audio?.type === "audio" && { audio: { data: "", transcript: audio.transcript ?? "" } }),
    ...(calls.length > 0 && {
      tool_calls: calls.map(({ id, kind, name, arguments: text }) =>
        kind === "custom"
          ? { id, type: kind, custom: { name, input: text } }
          : { id, type: kind, function: { name, arguments: text } },
      ),
    }),
  };
}

function completion(answered: Answered): JsonObject {
  return {
    ...chat(answered),
    object: "text_completion",
    choices: messagesOf(answered).map(({ parts, choice }, index) => ({
      index: choice ?? index,
      text: textIn(parts, "text") ?? "",
      finish_reason: answered.call.finishReasons[index] ?? null,
    })),
  };
}

function response(answered: Answered): JsonObject {
  const { call, usage } = answered;
  const [reason] = call.finishReasons;
  const incomplete = reason !== undefined && reason !== "cancelled";
  const status = call.outcome === "failed" ? "failed" : incomplete ? "incomplete" : (reason ?? "completed");
  return {
    id: call.responseId,
    object: "response",
    created_at: Math.floor(call.startedAt / 1000),
    status,
    incomplete_details: incomplete ? { reason } : null,
    model: call.model,
    service_tier: call.serviceTier,
    previous_response_id: call.previousResponseId,
    conversation: call.conversationId === null ? null : { id: call.conversationId },
    prompt_cache_key: call.promptCacheKey,
    output: messagesOf(answered).flatMap(itemsOf),
    tool_usage: rebuildToolUsage(answered.lines),
    usage: rebuildUsage(usage, call.endpoint),
    ...failure(answered),
  };
}

/** A message of the content is one item of the output, as response-items.ts reads it. */
function itemsOf({ role, parts }: Message): JsonObject[] {
  const items: JsonObject[] = [];
  const said = parts.filter(({ type }) => type === "text" || type === "refusal");
  for (const part of parts) {
    if (part.type === "tool_call") items.push({ ...callItem(part), ...resultOf(parts) });
    if (part.type === "reasoning")
      items.push({ type: "reasoning", summary: [{ type: "summary_text", text: part.text }] });
    if (part.type === "other") items.push(asObject(parseJson(part.json)) ?? { type: part.kind });
  }
  if (said.length > 0) items.push({ type: "message", role, status: "completed", content: said.map(saidPart) });
  return items;
}

const saidPart = (part: Part): JsonObject =>
  part.type === "refusal"
    ? { type: "refusal", refusal: part.text }
    : { type: "output_text", text: part.type === "text" ? part.text : "", annotations: [] };

function callItem({ id, kind, name, arguments: text }: Extract<Part, { type: "tool_call" }>): JsonObject {
  const status = "completed";
  if (kind === "function") return { type: "function_call", call_id: id, name, arguments: text, status };
  if (kind === "custom") return { type: "custom_tool_call", call_id: id, name, input: text, status };
  const given = parseJson(text);
  // What OpenAI runs itself names its input differently by tool; the reader takes it under any of these names.
  return { type: kind, id, name, status, ...(asObject(given) ? { action: given } : { arguments: text }) };
}

function resultOf(parts: readonly Part[]): JsonObject {
  const result = parts.find((part) => part.type === "tool_result");
  return result?.type === "tool_result" ? { output: result.text } : {};
}

function spoken({ call, usage, content }: Answered): JsonObject {
  const text = content?.output.map(({ parts }) => textIn(parts, "text") ?? "").join("") ?? "";
  return { text, usage: rebuildUsage(usage, call.endpoint) };
}

function images({ call, usage, lines }: Answered): JsonObject {
  const count = lines.find(({ unit }) => unit === "image")?.quantity ?? 0;
  return {
    created: Math.floor(call.startedAt / 1000),
    data: Array.from({ length: Math.round(count) }, () => ({})),
    usage: rebuildUsage(usage, call.endpoint),
  };
}

/** A message for each choice or item; without content as many as there were reasons to finish, with the tools that were called. */
function messagesOf({ call, content, tools }: Answered): readonly Message[] {
  if (content !== null && content.output.length > 0) return content.output;
  const choices = Math.max(call.finishReasons.length, ...tools.map(({ choice }) => choice + 1), 0);
  return Array.from({ length: choices }, (_, choice) => ({
    role: "assistant",
    choice,
    parts: tools
      .filter((tool) => tool.choice === choice)
      .map(({ id, name, type }) => ({ type: "tool_call" as const, id, name, arguments: "", kind: type })),
  }));
}

const failure = (answered: Answered): JsonObject =>
  answered.call.outcome === "failed" ? { error: errorOf(answered) } : {};

const errorOf = ({ call }: Answered): JsonObject => ({
  message: call.errorMessage ?? "",
  type: call.errorType,
  param: null,
  code: call.errorCode,
});

function textIn(parts: readonly Part[], type: "text" | "refusal"): string | null {
  const texts = parts.flatMap((part) => (part.type === type ? [part.text] : []));
  return texts.length > 0 ? texts.join("") : null;
}

const withoutNulls = (body: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null));
