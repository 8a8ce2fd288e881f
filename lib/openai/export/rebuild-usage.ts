import type { Usage } from "#lib/call.ts";
import type { JsonObject } from "../bodies/json.ts";

/** Names of a usage object: they differ by endpoint, what they mean does not. */
interface Names {
  input: string;
  output: string;
  inputDetails: string;
  outputDetails: string;
}

const OLDER: Names = {
  input: "prompt_tokens",
  output: "completion_tokens",
  inputDetails: "prompt_tokens_details",
  outputDetails: "completion_tokens_details",
};
const NEWER: Names = {
  input: "input_tokens",
  output: "output_tokens",
  inputDetails: "input_tokens_details",
  outputDetails: "output_tokens_details",
};
const SPOKEN: Names = { ...NEWER, inputDetails: "input_token_details", outputDetails: "output_token_details" };

/** Endpoints that do not say it as Responses does. */
const NAMES: ReadonlyMap<string, Names> = new Map([
  ["chat_completions", OLDER],
  ["chat_completions_stored", OLDER],
  ["completions", OLDER],
  ["embeddings", OLDER],
  ["audio_transcriptions", SPOKEN],
  ["audio_translations", SPOKEN],
  ["realtime", SPOKEN],
  ["realtime_transcription", SPOKEN],
]);

/** The usage object of an answer in its endpoint's names; what is not known is not in it. null: the answer stated none. */
export function rebuildUsage(usage: Usage, endpoint: string): JsonObject | null {
  if (usage.source !== "reported") return null;
  const names = NAMES.get(endpoint) ?? NEWER;
  const cachedSplit = known({
    text_tokens: usage.cachedTextTokens,
    audio_tokens: usage.cachedAudioTokens,
    image_tokens: usage.cachedImageTokens,
  });
  const input = known({
    cached_tokens: usage.cachedTokens,
    cache_write_tokens: usage.cacheWriteTokens,
    text_tokens: usage.inputTextTokens,
    audio_tokens: usage.inputAudioTokens,
    image_tokens: usage.inputImageTokens,
    ...(cachedSplit && { cached_tokens_details: cachedSplit }),
  });
  const output = known({
    text_tokens: usage.outputTextTokens,
    audio_tokens: usage.outputAudioTokens,
    image_tokens: usage.outputImageTokens,
    reasoning_tokens: usage.reasoningTokens,
    accepted_prediction_tokens: usage.acceptedPredictionTokens,
    rejected_prediction_tokens: usage.rejectedPredictionTokens,
  });
  const tokens = known({
    [names.input]: usage.inputTokens,
    ...(input && { [names.inputDetails]: input }),
    [names.output]: usage.outputTokens,
    ...(output && { [names.outputDetails]: output }),
    total_tokens: usage.totalTokens,
  });
  if (tokens === null) return known({ type: "duration", seconds: usage.durationSeconds });
  return names === SPOKEN && endpoint !== "realtime" ? { type: "tokens", ...tokens } : tokens;
}

/** The same figures in the names that all recordings share. */
export const normalizedUsage = (usage: Usage): Record<string, number> =>
  (known({
    input_tokens: usage.inputTokens,
    output_tokens: usage.outputTokens,
    total_tokens: usage.totalTokens,
    input_text_tokens: usage.inputTextTokens,
    input_audio_tokens: usage.inputAudioTokens,
    input_image_tokens: usage.inputImageTokens,
    input_cached_tokens: usage.cachedTokens,
    input_cached_text_tokens: usage.cachedTextTokens,
    input_cached_audio_tokens: usage.cachedAudioTokens,
    input_cache_write_tokens: usage.cacheWriteTokens,
    output_text_tokens: usage.outputTextTokens,
    output_audio_tokens: usage.outputAudioTokens,
    output_image_tokens: usage.outputImageTokens,
    output_reasoning_tokens: usage.reasoningTokens,
    accepted_prediction_tokens: usage.acceptedPredictionTokens,
    rejected_prediction_tokens: usage.rejectedPredictionTokens,
    duration_seconds: usage.durationSeconds,
  }) as Record<string, number> | null) ?? {};

/** Without what is null. null: no figure is left (a text beside figures is none). */
function known(fields: JsonObject): JsonObject | null {
  const kept = Object.entries(fields).filter(([, value]) => value !== null);
  return kept.some(([, value]) => typeof value !== "string") ? Object.fromEntries(kept) : null;
}
