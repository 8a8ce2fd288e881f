import type { Usage, UsageLine } from "#lib/call.ts";
import type { JsonObject } from "../bodies/json.ts";
import { asObject } from "../bodies/json.ts";
import { noUsage } from "../no-facts.ts";
import { usageLines } from "./usage-lines.ts";

export interface UsageReading {
  readonly usage: Usage;
  readonly lines: UsageLine[];
  readonly problems: string[];
}

export interface UsageContext {
  /** Something was generated, so that zero tokens cannot be true. */
  readonly produced: boolean;
  /** The request holds images or audio, so that one figure for all cached tokens says nothing about their modality. */
  readonly mixedInput: boolean;
}

/** A usage object of any of OpenAI's interfaces → totals as stated, and disjoint lines that sum to them. Never throws. */
export function readUsage(raw: unknown, context: UsageContext): UsageReading {
  if (raw === null || raw === undefined) return { usage: noUsage(), lines: [], problems: [] };
  const source = asObject(raw);
  if (source === null) return { usage: noUsage(), lines: [], problems: ["usage_unreadable"] };

  const problems: string[] = [];
  const count = counter(problems);
  const input = firstObject(source, INPUT_DETAILS);
  const output = firstObject(source, OUTPUT_DETAILS);
  const cached = asObject(input?.cached_tokens_details);
  const kept = asObject(input?.cache_write_tokens_details);
  const written = { for30m: count(kept?.ttl_30m_tokens) ?? 0, for12h: count(kept?.ttl_12h_tokens) ?? 0 };
  const usage: Usage = {
    source: "reported",
    inputTokens: count(source.input_tokens ?? source.prompt_tokens),
    outputTokens: count(source.output_tokens ?? source.completion_tokens),
    totalTokens: count(source.total_tokens),
    inputTextTokens: count(input?.text_tokens),
    inputAudioTokens: count(input?.audio_tokens),
    inputImageTokens: count(input?.image_tokens),
    cachedTokens: count(input?.cached_tokens),
    cachedTextTokens: count(cached?.text_tokens),
    cachedAudioTokens: count(cached?.audio_tokens),
    cachedImageTokens: count(cached?.image_tokens),
    cacheWriteTokens: count(input?.cache_write_tokens) ?? (kept && written.for30m + written.for12h),
    outputTextTokens: count(output?.text_tokens),
    outputAudioTokens: count(output?.audio_tokens),
    outputImageTokens: count(output?.image_tokens),
    reasoningTokens: count(output?.reasoning_tokens),
    acceptedPredictionTokens: count(output?.accepted_prediction_tokens),
    rejectedPredictionTokens: count(output?.rejected_prediction_tokens),
    durationSeconds: null,
    bounds: null,
  };
  if (usage.inputTokens === null && usage.outputTokens === null && usage.totalTokens === null) {
    // For example the seconds of a transcription: not tokens.
    return { usage: noUsage(), lines: [], problems };
  }
  if (context.produced && !usage.inputTokens && !usage.outputTokens && !usage.totalTokens) {
    return { usage: noUsage(), lines: [], problems: [...problems, "usage_all_zero"] };
  }

  const split = cached && {
    text: usage.cachedTextTokens ?? 0,
    audio: usage.cachedAudioTokens ?? 0,
    image: usage.cachedImageTokens ?? 0,
  };
  const [unknownInput, unknownOutput] = [unknownTokens(input), unknownTokens(output)];
  const isHidden =
    (unknownInput > 0 &&
      isTextTold(usage.inputTokens, usage.inputTextTokens, usage.inputAudioTokens, usage.inputImageTokens)) ||
    (unknownOutput > 0 &&
      isTextTold(usage.outputTokens, usage.outputTextTokens, usage.outputAudioTokens, usage.outputImageTokens));
  // A figure is missing, or is of what nobody here knows: what is left cannot be divided, and would be priced as if it were all text.
  if (problems.length > 0 || isHidden) problems.push("usage_inconsistent");
  const lines = problems.length > 0 ? [] : usageLines(usage, { cached: split, written }, context.mixedInput, problems);
  if (unknownInput + unknownOutput > 0) problems.push("usage_detail_unknown");
  return { usage: problems.includes("usage_inconsistent") ? withoutContradictions(usage) : usage, lines, problems };
}

/** Details that have no place here: another modality, or a share of what has one. */
function unknownTokens(details: JsonObject | null): number {
  let sum = 0;
  for (const name in details) {
    const value = details[name];
    if (typeof value === "number" && value > 0 && name.endsWith("_tokens") && !KNOWN_DETAILS.has(name)) sum += value;
  }
  return sum;
}

const KNOWN_DETAILS = new Set([
  "text_tokens",
  "audio_tokens",
  "image_tokens",
  "cached_tokens",
  "cache_write_tokens",
  "reasoning_tokens",
  "accepted_prediction_tokens",
  "rejected_prediction_tokens",
]);

/** Text is stated, and together with the rest it is not all: what remains is no text. */
const isTextTold = (total: number | null, text: number | null, audio: number | null, image: number | null): boolean =>
  text !== null && text + (audio ?? 0) + (image ?? 0) < (total ?? 0);

/** Totals stay as stated; a detail that cannot be a part of its total is not known (the database would refuse it). */
function withoutContradictions(usage: Usage): Usage {
  const { inputTokens: input, outputTokens: output, cachedTokens: cached } = usage;
  const beyond = (whole: number | null, ...parts: (number | null)[]) =>
    whole !== null && parts.reduce<number>((sum, part) => sum + (part ?? 0), 0) > whole;
  const unknown: Partial<Usage> = {
    ...(beyond(input, usage.inputTextTokens, usage.inputAudioTokens, usage.inputImageTokens) && {
      inputTextTokens: null,
      inputAudioTokens: null,
      inputImageTokens: null,
    }),
    ...(beyond(output, usage.outputTextTokens, usage.outputAudioTokens, usage.outputImageTokens) && {
      outputTextTokens: null,
      outputAudioTokens: null,
      outputImageTokens: null,
    }),
    ...(beyond(cached, usage.cachedTextTokens, usage.cachedAudioTokens, usage.cachedImageTokens) && NO_CACHED_PARTS),
    ...(beyond(input, cached) && { cachedTokens: null, ...NO_CACHED_PARTS }),
    ...(beyond(input, usage.cacheWriteTokens) && { cacheWriteTokens: null }),
    ...(beyond(output, usage.reasoningTokens) && { reasoningTokens: null }),
    ...(beyond(output, usage.acceptedPredictionTokens, usage.rejectedPredictionTokens) && {
      acceptedPredictionTokens: null,
      rejectedPredictionTokens: null,
    }),
  };
  return { ...usage, ...unknown };
}

const NO_CACHED_PARTS = { cachedTextTokens: null, cachedAudioTokens: null, cachedImageTokens: null };

/** The same object has four names: chat, Responses and images, transcription and realtime, threads. */
const INPUT_DETAILS = ["prompt_tokens_details", "input_tokens_details", "input_token_details", "prompt_token_details"];
const OUTPUT_DETAILS = [
  "completion_tokens_details",
  "output_tokens_details",
  "output_token_details",
  "completion_token_details",
];

function firstObject(source: JsonObject, names: readonly string[]): JsonObject | null {
  for (const name of names) {
    const details = asObject(source[name]);
    if (details !== null) return details;
  }
  return null;
}

/** A count of tokens, or null where none is stated. What is stated but cannot be one (text, -1, 1e300) is a problem. */
function counter(problems: string[]): (value: unknown) => number | null {
  return (value) => {
    if (value === null || value === undefined) return null;
    if (typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= TOKENS_MAX) return value + 0;
    if (!problems.includes("usage_bad_number")) problems.push("usage_bad_number");
    return null;
  };
}

/** A thousand times the largest context window: nothing true is beyond it. */
const TOKENS_MAX = 1_000_000_000;
