import type { CallFacts, PricedLineRow, ToolRow } from "#db/queries/call-page.ts";
import type { Outcome, ToolCall, Usage, UsageSource } from "#lib/call.ts";
import type { Recordable } from "#lib/openai/export/to-recording.ts";

/** A stored call as lib/openai writes it out. */
export function toRecordable(
  call: CallFacts,
  lines: readonly PricedLineRow[],
  tools: readonly ToolRow[],
): Omit<Recordable, "content" | "host"> {
  return {
    call: { ...call, startedAt: call.startedAt.getTime(), outcome: call.outcome as Outcome },
    durationMs: call.durationMs,
    usage: usageOf(call),
    // What was first stored: adjustments are money that was booked later.
    lines: lines
      .filter(({ adjustment }) => adjustment === 0)
      .map(({ direction, modality, cache, unit, product, quantity, source }) => ({
        ...{ direction, modality, cache, unit, product, quantity },
        source: source as UsageSource,
      })),
    tools: tools.map(({ toolCallId, ...tool }): ToolCall => ({ ...tool, id: toolCallId })),
  };
}

function usageOf(call: CallFacts): Usage {
  const { inputTokensLow: inputLow, inputTokensHigh: inputHigh } = call;
  const { outputTokensLow: outputLow, outputTokensHigh: outputHigh } = call;
  return {
    source: call.usageSource as UsageSource,
    inputTokens: call.inputTokens,
    outputTokens: call.outputTokens,
    totalTokens: call.totalTokens,
    inputTextTokens: call.inputTextTokens,
    inputAudioTokens: call.inputAudioTokens,
    inputImageTokens: call.inputImageTokens,
    cachedTokens: call.cachedTokens,
    cachedTextTokens: call.cachedTextTokens,
    cachedAudioTokens: call.cachedAudioTokens,
    cachedImageTokens: call.cachedImageTokens,
    cacheWriteTokens: call.cacheWriteTokens,
    outputTextTokens: call.outputTextTokens,
    outputAudioTokens: call.outputAudioTokens,
    outputImageTokens: call.outputImageTokens,
    reasoningTokens: call.reasoningTokens,
    acceptedPredictionTokens: call.acceptedPredictionTokens,
    rejectedPredictionTokens: call.rejectedPredictionTokens,
    durationSeconds: call.durationSeconds === null ? null : Number(call.durationSeconds),
    bounds: inputLow === null || outputLow === null ? null : { inputLow, inputHigh, outputLow, outputHigh },
  };
}
