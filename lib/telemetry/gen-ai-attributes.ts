import type { Call, PricedLine } from "#lib/call.ts";
import { MODALITIES, type Modality } from "#lib/modalities.ts";
import type { Observation, RequestSettings } from "#lib/observation.ts";
import type { Operation } from "./operations.ts";
import type { NullableAttributes } from "./own-attributes.ts";

/**
 * The conventions' attributes of a client span (open-telemetry/semantic-conventions-genai, client-inference and
 * client-embeddings, November 2026), as far as a call holds them. null is left out when the span is made.
 */
export function genAiAttributes(
  { call, settings }: Observation,
  operation: Operation,
  provider: string,
): NullableAttributes {
  return {
    "gen_ai.operation.name": operation.name,
    "gen_ai.provider.name": provider,
    "gen_ai.request.model": call.requestModel,
    "gen_ai.response.model": call.model,
    "gen_ai.response.id": call.responseId,
    "gen_ai.response.finish_reasons": finishReasons(call, operation),
    "gen_ai.request.stream": call.streamed || null,
    "gen_ai.response.time_to_first_chunk": firstChunkSeconds(call),
    "gen_ai.conversation.id": call.conversationId,
    "gen_ai.request.previous_response.id": call.previousResponseId,
    "gen_ai.prompt.name": call.template,
    "gen_ai.prompt.version": call.template && call.templateVersion,
    "openai.api.type": operation.apiType ?? null,
    "openai.request.service_tier": call.requestServiceTier,
    "openai.response.service_tier": call.serviceTier,
    "openai.response.system_fingerprint": call.systemFingerprint,
    ...settingsAttributes(settings, operation),
    // Estimates are ours, not the provider's, and have names of their own.
    ...(call.usage.source === "reported" && usageAttributes(call)),
  };
}

/** Until the first content of a stream, from the arrival of the request; null when there was no stream or no content. */
export const firstChunkSeconds = ({ streamed, timings }: Call): number | null =>
  streamed && timings.firstTokenMs !== null ? timings.firstTokenMs / 1000 : null;

/** A generation that began and did not end by itself has the reason `error`. */
function finishReasons({ outcome, status, finishReasons: reasons }: Call, { family }: Operation): string[] | null {
  if (reasons.length > 0) return reasons;
  const began = status !== null && status >= 200 && status < 300;
  return family === "inference" && began && outcome !== "completed" ? ["error"] : null;
}

function settingsAttributes(settings: RequestSettings, { family, name }: Operation): NullableAttributes {
  if (family === "embeddings")
    return {
      "gen_ai.embeddings.dimension.count": settings.dimensions,
      "gen_ai.request.encoding_formats": settings.encodingFormat === null ? null : [settings.encodingFormat],
    };
  return {
    "gen_ai.request.max_tokens": settings.maxTokens,
    "gen_ai.request.temperature": settings.temperature,
    "gen_ai.request.top_p": settings.topP,
    "gen_ai.request.frequency_penalty": settings.frequencyPenalty,
    "gen_ai.request.presence_penalty": settings.presencePenalty,
    "gen_ai.request.stop_sequences": settings.stopSequences,
    "gen_ai.request.seed": settings.seed,
    "gen_ai.request.choice.count": settings.choices === 1 ? null : settings.choices,
    "gen_ai.request.reasoning.level": settings.reasoningLevel,
    "gen_ai.output.type": OUTPUT_TYPES[name] ?? settings.outputType,
  };
}

/** What these give is said by asking them. */
const OUTPUT_TYPES: Readonly<Record<string, string>> = {
  text_to_speech: "speech",
  image_generation: "image",
  image_edit: "image",
  image_variation: "image",
};

/** Every figure is inside the totals, cached tokens too. */
function usageAttributes({ usage, lines, problems }: Call): NullableAttributes {
  const attributes: NullableAttributes = {
    "gen_ai.usage.input_tokens": usage.inputTokens,
    "gen_ai.usage.output_tokens": usage.outputTokens,
    "gen_ai.usage.cache_read.input_tokens": usage.cachedTokens,
    "gen_ai.usage.cache_write.input_tokens": usage.cacheWriteTokens,
    "gen_ai.usage.reasoning.output_tokens": usage.reasoningTokens,
    "gen_ai.usage.text.input_tokens": usage.inputTextTokens,
    "gen_ai.usage.audio.input_tokens": usage.inputAudioTokens,
    "gen_ai.usage.image.input_tokens": usage.inputImageTokens,
    "gen_ai.usage.text.output_tokens": usage.outputTextTokens,
    "gen_ai.usage.audio.output_tokens": usage.outputAudioTokens,
    "gen_ai.usage.image.output_tokens": usage.outputImageTokens,
  };
  if (!problems.includes("cached_split_assumed"))
    for (const { name } of MODALITIES)
      attributes[`gen_ai.usage.${name}.cache_read.input_tokens`] = cachedTokens(lines, name);
  return attributes;
}

/** By modality only the lines know it; null when none of the modality was cached. */
const cachedTokens = (lines: readonly PricedLine[], modality: Modality): number | null =>
  lines.reduce((sum, line) => (line.cache === "read" && line.modality === modality ? sum + line.quantity : sum), 0) ||
  null;
