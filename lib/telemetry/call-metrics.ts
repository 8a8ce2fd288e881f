import type { Attributes, Meter } from "@opentelemetry/api";
import type { Call } from "#lib/call.ts";
import type { Modality } from "#lib/modalities.ts";
import { errorTypeOf } from "./error-type.ts";
import { firstChunkSeconds } from "./gen-ai-attributes.ts";
import { operationOf } from "./operations.ts";
import type { Server } from "./server.ts";

/** 0.01 s doubling to 81.92 s, and 1 token times 4 to 67,108,864: the boundaries that the conventions recommend. */
const SECONDS = Array.from({ length: 14 }, (_, power) => 2 ** power / 100);
const TOKENS = Array.from({ length: 14 }, (_, power) => 4 ** power);

/**
 * The conventions' client metrics (client-inference, client-embeddings, gen-ai-token-metrics, November 2026). The gap
 * between output chunks is not among them: a call keeps its longest gap only. Of more than 2,000 combinations of
 * attributes, which a client can cause with made-up model names, the SDK adds up the rest under `otel.metric.overflow`.
 */
export function createCallMetrics(meter: Meter) {
  const seconds = (name: string, description: string) =>
    meter.createHistogram(name, { unit: "s", description, advice: { explicitBucketBoundaries: SECONDS } });
  const sizes = (name: string, description: string) =>
    meter.createHistogram(name, { unit: "{token}", description, advice: { explicitBucketBoundaries: TOKENS } });
  const counter = (name: string, description: string) =>
    meter.createCounter(`gen_ai.client.inference.usage.${name}`, { unit: "{token}", description });

  const durations = {
    inference: seconds("gen_ai.client.inference.duration", "GenAI client inference duration."),
    embeddings: seconds("gen_ai.client.embeddings.duration", "GenAI client embeddings operation duration."),
    other: seconds("gen_ai.client.operation.duration", "GenAI operation duration."),
  };
  const firstChunk = seconds(
    "gen_ai.client.inference.time_to_first_chunk",
    "Time until the first content of a streamed response.",
  );
  const inputSizes = sizes("gen_ai.client.inference.operation.input_tokens", "Input tokens of one operation.");
  const outputSizes = sizes("gen_ai.client.inference.operation.output_tokens", "Output tokens of one operation.");
  const embeddingSizes = sizes("gen_ai.client.embeddings.operation.input_tokens", "Input tokens of one operation.");
  const input = counter("input_tokens", "Input tokens used, cached ones included.");
  const output = counter("output_tokens", "Output tokens used, reasoning included.");
  const cacheRead = counter("cache_read.input_tokens", "Input tokens served from the provider's cache.");
  const cacheWrite = counter("cache_write.input_tokens", "Input tokens written to the provider's cache.");
  const reasoning = counter("reasoning.output_tokens", "Output tokens used for reasoning.");

  return function record(call: Call, server: Server): void {
    const operation = operationOf(call);
    if (!operation || operation.family === "session") return;
    const { name, family } = operation;
    const attributes: Attributes = {
      "gen_ai.operation.name": name,
      "gen_ai.provider.name": server.provider,
      ...server.attributes,
      ...(call.requestModel !== null && { "gen_ai.request.model": call.requestModel }),
      ...(call.model !== null && { "gen_ai.response.model": call.model }),
    };
    const errorType = errorTypeOf(call);
    const timed = errorType === null ? attributes : { ...attributes, "error.type": errorType };
    if (call.timings.durationMs !== null) durations[family].record(call.timings.durationMs / 1000, timed);
    const reported = call.usage.source === "reported" ? call.usage : null;
    if (family === "embeddings" && reported?.inputTokens != null)
      embeddingSizes.record(reported.inputTokens, attributes);
    if (family !== "inference") return;

    const first = firstChunkSeconds(call);
    if (first !== null) firstChunk.record(first, timed);
    if (reported?.inputTokens != null) inputSizes.record(reported.inputTokens, attributes);
    if (reported?.outputTokens != null) outputSizes.record(reported.outputTokens, attributes);
    const add = (to: typeof input, tokens: ByModality) => {
      for (const [modality, count] of tokens) to.add(count, { ...attributes, "gen_ai.token.modality": modality });
    };
    add(input, totalByModality(call, "input"));
    add(output, totalByModality(call, "output"));
    add(cacheRead, cachedByModality(call, "read"));
    add(cacheWrite, cachedByModality(call, "write"));
    // What a model thinks is text.
    if (reported?.reasoningTokens) add(reasoning, [["text", reported.reasoningTokens]]);
  };
}

type ByModality = [Modality | "unknown", number][];

/** Where nothing came back, 0 of modality `unknown` is what the conventions ask for. */
function totalByModality(call: Call, direction: "input" | "output"): ByModality {
  const { usage } = call;
  const total = (direction === "input" ? usage.inputTokens : usage.outputTokens) ?? 0;
  if (usage.source !== "reported") return [["unknown", 0]];
  const lines = call.lines.filter((line) => line.direction === direction);
  if (lines.length === 0 || !saysModality(call, direction)) return [["unknown", total]];
  return sumByModality(lines);
}

function cachedByModality({ usage, lines, problems }: Call, cache: "read" | "write"): ByModality {
  const total = cache === "read" ? usage.cachedTokens : usage.cacheWriteTokens;
  if (usage.source !== "reported" || !total) return [];
  const cached = lines.filter((line) => line.cache === cache);
  return cached.length === 0 || problems.includes("cached_split_assumed")
    ? [["unknown", total]]
    : sumByModality(cached);
}

const sumByModality = (lines: Call["lines"]): ByModality =>
  [...Map.groupBy(lines, ({ modality }) => modality)].map(([modality, group]) => [
    modality === "none" ? "unknown" : modality,
    group.reduce((sum, { quantity }) => sum + quantity, 0),
  ]);

/** Images and audio that went in or out without a figure of their own are somewhere in the total. */
function saysModality({ usage, inputModalities, outputModalities }: Call, direction: "input" | "output"): boolean {
  const [modalities, audio, image] =
    direction === "input"
      ? [inputModalities, usage.inputAudioTokens, usage.inputImageTokens]
      : [outputModalities, usage.outputAudioTokens, usage.outputImageTokens];
  const stated = { text: 0, audio, image };
  return modalities.every((modality) => stated[modality] !== null);
}
