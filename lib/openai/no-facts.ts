import type { Usage } from "#lib/call.ts";
import type { Facts } from "./facts.ts";
import { noMarks } from "./marks.ts";

/** Facts of an exchange nothing is known of: every reader starts from here. */
export function noFacts(): Facts {
  return {
    streamed: false,
    requestModel: null,
    model: null,
    requestServiceTier: null,
    serviceTier: null,
    systemFingerprint: null,
    responseId: null,
    previousResponseId: null,
    conversationId: null,
    promptCacheKey: null,
    finishReasons: [],
    outcome: null,
    error: null,
    hints: { metadata: {}, user: null, safetyIdentifier: null, promptId: null, promptVersion: null },
    inputModalities: [],
    outputModalities: [],
    marks: noMarks(),
    usage: noUsage(),
    lines: [],
    toolCalls: [],
    content: { parameters: {}, tools: [], input: [], output: [] },
    unit: null,
    problems: [],
    reread: false,
    generatedAtMs: null,
    objectIds: [],
    inherits: null,
    countsFor: null,
    region: null,
    inputAudioMs: null,
    outputAudioMs: null,
    media: [],
    children: [],
  };
}

export function noUsage(): Usage {
  return {
    source: "none",
    inputTokens: null,
    outputTokens: null,
    totalTokens: null,
    inputTextTokens: null,
    inputAudioTokens: null,
    inputImageTokens: null,
    cachedTokens: null,
    cachedTextTokens: null,
    cachedAudioTokens: null,
    cachedImageTokens: null,
    cacheWriteTokens: null,
    outputTextTokens: null,
    outputAudioTokens: null,
    outputImageTokens: null,
    reasoningTokens: null,
    acceptedPredictionTokens: null,
    rejectedPredictionTokens: null,
    durationSeconds: null,
    bounds: null,
  };
}
