import type { Call, PricedLine, Usage } from "#lib/call.ts";
import { addMoney, unitPrice } from "#lib/money.ts";
import { findEndpoint } from "#lib/openai/endpoints.ts";

/** A call as `npm run decode` prints it: what it used, what each part of that cost, and by which row of the price book. */
export interface DecodedLine {
  id: string;
  endpoint: string;
  model: string | null;
  status: number | null;
  outcome: string;
  /** What is not known is not there. */
  usage: Record<string, number>;
  usage_source: string;
  lines: DecodedUsageLine[];
  /** null: some of it has no price, or nobody knows what was used. */
  cost_usd: string | null;
  tool_calls: string[];
  finish_reasons: string[];
  problems: string[];
}

interface DecodedUsageLine {
  direction: string;
  modality: string;
  cache: string;
  unit: string;
  product?: string;
  quantity: number;
  /** Of one unit. */
  unit_price_usd: string | null;
  cost_usd: string | null;
  /** Row of the price book. */
  price: string | null;
}

/** `usage`: as the answer states it, also where it is another call's (a re-read); that costs nothing here. */
export function decodedLine(id: string, call: Call, usage: Usage): DecodedLine {
  return {
    id,
    endpoint: call.endpoint,
    model: call.model,
    status: call.status,
    outcome: call.outcome,
    usage: usageOf(usage),
    usage_source: usage.source,
    lines: call.lines.map(lineOf),
    cost_usd: costOf(call),
    // Tools of the application: what OpenAI runs itself is in the lines.
    tool_calls: call.toolCalls.filter(({ type }) => type === "function" || type === "custom").map(({ name }) => name),
    finish_reasons: call.finishReasons,
    problems: call.problems,
  };
}

function lineOf(line: PricedLine): DecodedUsageLine {
  return {
    direction: line.direction,
    modality: line.modality,
    cache: line.cache,
    unit: line.unit,
    ...(line.product !== null && { product: line.product }),
    quantity: line.quantity,
    unit_price_usd: line.price && unitPrice(line.price.usd, line.price.per),
    cost_usd: line.costUsd,
    price: line.price?.id ?? null,
  };
}

/** What did not generate anything costs nothing; what did, and does not say how much, is not known. */
function costOf(call: Call): string | null {
  if (call.problems.includes("usage_inconsistent")) return null;
  if (call.lines.length > 0) return sumOf(call.lines.map(({ costUsd }) => costUsd));
  const { generates } = findEndpoint(call.method, call.path);
  const answered = call.status !== null && call.status < 400 && call.outcome !== "failed";
  return generates && answered && call.usage.source === "none" ? null : "0";
}

export function sumOf(costs: readonly (string | null)[]): string | null {
  return costs.reduce((sum, cost) => (sum === null || cost === null ? null : addMoney(sum, cost)), "0");
}

const NAMES = {
  input_tokens: "inputTokens",
  output_tokens: "outputTokens",
  total_tokens: "totalTokens",
  input_text_tokens: "inputTextTokens",
  input_audio_tokens: "inputAudioTokens",
  input_image_tokens: "inputImageTokens",
  input_cached_tokens: "cachedTokens",
  input_cached_text_tokens: "cachedTextTokens",
  input_cached_audio_tokens: "cachedAudioTokens",
  input_cache_write_tokens: "cacheWriteTokens",
  output_text_tokens: "outputTextTokens",
  output_audio_tokens: "outputAudioTokens",
  output_image_tokens: "outputImageTokens",
  output_reasoning_tokens: "reasoningTokens",
  accepted_prediction_tokens: "acceptedPredictionTokens",
  rejected_prediction_tokens: "rejectedPredictionTokens",
  duration_seconds: "durationSeconds",
} as const satisfies Record<string, keyof Usage>;

const usageOf = (usage: Usage): Record<string, number> =>
  Object.fromEntries(
    Object.entries(NAMES).flatMap(([name, field]) => (usage[field] === null ? [] : [[name, usage[field]]])),
  );
