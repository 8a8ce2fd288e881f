import type { Message, UsageLine } from "#lib/call.ts";
import type { Modality } from "#lib/modalities.ts";
import type { JsonObject } from "../bodies/json.ts";
import { asArray, asObject, objectsIn } from "../bodies/json.ts";
import type { Facts } from "../facts.ts";
import type { TokenRange } from "../images/image-tokens.ts";
import { noUsage } from "../no-facts.ts";
import { imagePart, isImage } from "./prompt-parts.ts";
import { tokenInput } from "./token-input.ts";
import type { CountTokens } from "./tokenizer.ts";
import { loadTokenizer } from "./tokenizer.ts";

/**
 * Fills in usage nobody stated: the prompt by tokenizer and image arithmetic, the output by what was seen of it. Bounds
 * say what the true figures lie between; an open upper bound is null, not a guess.
 */
export async function estimateUsage(facts: Facts, request: JsonObject | null): Promise<void> {
  const count = await loadTokenizer();
  const tokens = tokenInput(request?.prompt);
  const text = tokens === null ? inputText(facts, request, count) : { likely: tokens, low: tokens, high: tokens };
  const images = imagesIn(request).map((part) => imagePart(part, facts.model ?? facts.requestModel).tokens);
  const image = { likely: sum(images, "likely"), low: sum(images, "low"), high: sumOrNull(images) };
  const output = outputRange(facts, request, count);
  const audio = outputAudio(facts);

  const knowsInput = facts.content.input.length > 0 || tokens !== null;
  const inputTokens = knowsInput ? text.likely + image.likely : null;
  const outputTokens = output.likely + audio;
  const inputIsOpen = (tokens === null && hasMoreInput(facts, request)) || text.high === null || image.high === null;
  facts.usage = {
    ...noUsage(),
    source: "estimated",
    inputTokens,
    outputTokens,
    totalTokens: inputTokens === null ? null : inputTokens + outputTokens,
    inputTextTokens: knowsInput && images.length > 0 ? text.likely : null,
    inputImageTokens: knowsInput && images.length > 0 ? image.likely : null,
    outputTextTokens: audio > 0 ? output.likely : null,
    outputAudioTokens: audio > 0 ? audio : null,
    bounds: {
      inputLow: knowsInput ? text.low + image.low : 0,
      inputHigh: inputIsOpen ? null : (text.high ?? 0) + (image.high ?? 0),
      outputLow: output.low,
      outputHigh: output.high,
    },
  };
  facts.lines = [
    ...line("input", "text", knowsInput ? text.likely : 0),
    ...line("input", "image", knowsInput ? image.likely : 0),
    ...line("output", "text", output.likely),
    ...line("output", "audio", audio),
    ...facts.lines.filter(({ direction }) => direction === "tool"),
  ];
}

/** Around each message stand its role and two marks, and three tokens open the reply. */
const TOKENS_PER_MESSAGE = 4;
const TOKENS_PER_REPLY = 3;

export function inputText(facts: Facts, request: JsonObject | null, count: CountTokens): TokenRange {
  const messages = facts.content.input.reduce(
    (total, message) => total + TOKENS_PER_MESSAGE + messageTokens(message, count),
    0,
  );
  const likely = messages + TOKENS_PER_REPLY;
  const slack = margin(likely);

  // Definitions are rewritten before the model reads them: shorter than their JSON, longer than their words alone.
  const format = asObject(request?.response_format)?.json_schema ?? asObject(asObject(request?.text)?.format)?.schema;
  const definitions = [...facts.content.tools, ...(format ? [format] : [])].map((value) => JSON.stringify(value));
  const written = definitions.reduce((total, json) => total + count(json), 0);
  return {
    likely: likely + Math.round(written * 0.7),
    low: Math.max(0, likely - slack),
    high: likely + slack + written + 20 * definitions.length,
  };
}

function messageTokens(message: Message, count: CountTokens): number {
  return message.parts.reduce((total, part) => {
    if (part.type === "text" || part.type === "refusal" || part.type === "tool_result") return total + count(part.text);
    if (part.type === "reasoning") return total + count(part.text);
    if (part.type === "tool_call") return total + count(part.name) + count(part.arguments);
    if (part.type === "audio" && part.transcript) return total + count(part.transcript);
    return part.type === "other" ? total + count(part.json) : total;
  }, 0);
}

/** Input that is not in the request, or not in a form that can be counted. */
export function hasMoreInput(facts: Facts, request: JsonObject | null): boolean {
  const { previousResponseId, conversationId, hints, problems, content } = facts;
  const elsewhere = previousResponseId !== null || conversationId !== null || hints.promptId !== null;
  const uncounted = content.input.some(({ parts }) => parts.some(({ type }) => type === "file" || type === "audio"));
  return request === null || content.input.length === 0 || elsewhere || uncounted || problems.includes("request_cut");
}

/** Only what was seen is certain. A finished answer of a model that does not think unseen is also all there was. */
function outputRange(facts: Facts, request: JsonObject | null, count: CountTokens): TokenRange {
  const { output } = facts.content;
  const seen = output.reduce((total, message) => total + messageTokens(message, count), 0);
  const limit = outputLimit(request);
  const isWhole = facts.finishReasons.length > 0 && facts.finishReasons.length === output.length;
  const showsAll = /^(ft:)?(gpt-4|gpt-3\.5|chatgpt|babbage|davinci)/.test(facts.model ?? facts.requestModel ?? "");
  const whole =
    isWhole && showsAll && outputAudio(facts) === 0 ? seen + margin(seen) + 10 * facts.toolCalls.length : null;
  const high = limit !== null && whole !== null ? Math.min(limit, whole) : (whole ?? limit);
  return { likely: seen, low: seen, high: high === null ? null : Math.max(seen, high) };
}

function outputLimit(request: JsonObject | null): number | null {
  const limit = request?.max_completion_tokens ?? request?.max_output_tokens ?? request?.max_tokens;
  if (typeof limit !== "number" || !(limit > 0)) return null;
  const choices = Math.max(...[request?.n, request?.best_of, 1].filter((value) => typeof value === "number"));
  const prompts = Math.max(1, asArray(request?.prompt).length);
  return Math.round(limit) * choices * prompts;
}

/** Streamed audio is raw: 24,000 samples of two bytes a second, about twenty tokens. */
function outputAudio(facts: Facts): number {
  if (!facts.streamed) return 0;
  const parts = facts.content.output.flatMap((message) => message.parts);
  const bytes = parts.reduce((total, part) => total + (part.type === "audio" ? (part.bytes ?? 0) : 0), 0);
  return Math.round((bytes / 48_000) * 20);
}

function imagesIn(request: JsonObject | null): JsonObject[] {
  const messages = [...objectsIn(request?.messages), ...objectsIn(request?.input)];
  const parts = messages.flatMap((message) => [...objectsIn(message.content), ...objectsIn(message.output)]);
  return parts.filter(isImage);
}

/** What a local count of text misses by. */
function margin(tokens: number): number {
  return Math.max(20, Math.ceil(tokens * 0.02));
}

function sum(ranges: TokenRange[], key: "likely" | "low"): number {
  return ranges.reduce((total, range) => total + range[key], 0);
}

function sumOrNull(ranges: TokenRange[]): number | null {
  return ranges.reduce<number | null>((total, { high }) => (total === null || high === null ? null : total + high), 0);
}

function line(direction: UsageLine["direction"], modality: Modality, quantity: number): UsageLine[] {
  return quantity > 0
    ? [{ direction, modality, cache: "none", unit: "token", product: null, quantity, source: "estimated" }]
    : [];
}
