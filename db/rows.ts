import type { Call, Usage } from "#lib/call.ts";
import type { Feedback } from "#lib/feedback.ts";

/** Columns of `calls`: one key per column, in the store's names. */
export function callRow(call: Call, recordedAt: string, bookedOn: string | null): Record<string, unknown> {
  const { timings: t, usage: u, origin } = call;
  return {
    id: call.id,
    parent_id: call.parentId,
    project_id: call.projectId,
    environment: call.environment,
    operation_id: call.operationId,
    attempt: call.attempt,
    upstream: call.upstream,
    region: call.region,
    started_at: new Date(call.startedAt).toISOString(),
    recorded_at: recordedAt,
    booked_on: bookedOn,
    decoder_version: call.decoderVersion,
    spool: origin.spool,
    run: origin.run,
    seq: origin.seq,
    endpoint: call.endpoint,
    method: call.method,
    path: call.path,
    streamed: call.streamed,
    request_model: call.requestModel,
    model: call.model,
    request_service_tier: call.requestServiceTier,
    service_tier: call.serviceTier,
    system_fingerprint: call.systemFingerprint,
    feature: call.feature,
    customer: call.customer,
    end_user: call.endUser,
    session: call.session,
    template: call.template,
    template_version: call.templateVersion,
    release: call.release,
    tags: call.tags,
    unit_hash: call.unitHash,
    template_leaf: null,
    outcome: call.outcome,
    status: call.status,
    error_type: call.errorType,
    error_code: call.errorCode,
    error_message: call.errorMessage,
    finish_reasons: call.finishReasons,
    response_id: call.responseId,
    previous_response_id: call.previousResponseId,
    conversation_id: call.conversationId,
    prompt_cache_key: call.promptCacheKey,
    upstream_request_id: call.upstreamRequestId,
    client_request_id: call.clientRequestId,
    trace_id: call.traceId,
    parent_span_id: call.parentSpanId,
    input_modalities: call.inputModalities,
    output_modalities: call.outputModalities,
    input_audio_ms: call.inputAudioMs,
    output_audio_ms: call.outputAudioMs,
    request_end_ms: t.requestEndMs,
    sent_ms: t.sentMs,
    connect_ms: t.connectMs,
    first_byte_ms: t.firstByteMs,
    first_token_ms: t.firstTokenMs,
    first_text_ms: t.firstTextMs,
    first_audio_ms: t.firstAudioMs,
    last_token_ms: t.lastTokenMs,
    response_end_ms: t.responseEndMs,
    duration_ms: t.durationMs,
    longest_gap_ms: t.longestGapMs,
    stalls: t.stalls,
    content_chunks: t.contentChunks,
    request_bytes: call.requestBytes,
    response_bytes: call.responseBytes,
    cut: call.cut,
    ...usageRow(u),
    tool_call_count: call.toolCalls.length,
    problems: call.problems,
  };
}

/** Those of them that say what the call used. */
export const usageRow = (u: Usage): Record<string, unknown> => ({
  usage_source: u.source,
  input_tokens: u.inputTokens,
  output_tokens: u.outputTokens,
  total_tokens: u.totalTokens,
  input_text_tokens: u.inputTextTokens,
  input_audio_tokens: u.inputAudioTokens,
  input_image_tokens: u.inputImageTokens,
  cached_tokens: u.cachedTokens,
  cached_text_tokens: u.cachedTextTokens,
  cached_audio_tokens: u.cachedAudioTokens,
  cached_image_tokens: u.cachedImageTokens,
  cache_write_tokens: u.cacheWriteTokens,
  output_text_tokens: u.outputTextTokens,
  output_audio_tokens: u.outputAudioTokens,
  output_image_tokens: u.outputImageTokens,
  reasoning_tokens: u.reasoningTokens,
  accepted_prediction_tokens: u.acceptedPredictionTokens,
  rejected_prediction_tokens: u.rejectedPredictionTokens,
  duration_seconds: u.durationSeconds,
  input_tokens_low: u.bounds?.inputLow ?? null,
  input_tokens_high: u.bounds?.inputHigh ?? null,
  output_tokens_low: u.bounds?.outputLow ?? null,
  output_tokens_high: u.bounds?.outputHigh ?? null,
});

export const usageLineRows = (call: Pick<Call, "id" | "lines">, bookedOn: string): Record<string, unknown>[] =>
  call.lines.map((line) => ({
    call_id: call.id,
    adjustment: 0,
    direction: line.direction,
    modality: line.modality,
    cache: line.cache,
    unit: line.unit,
    product: line.product,
    quantity: line.quantity,
    source: line.source,
    booked_on: bookedOn,
    price_id: line.price?.id ?? null,
    price_usd: line.price?.usd ?? null,
    price_per: line.price?.per ?? null,
    cost_usd: line.costUsd,
    saved_usd: line.savedUsd,
  }));

export const toolCallRows = (call: Call): Record<string, unknown>[] =>
  call.toolCalls.map((tool) => ({
    call_id: call.id,
    index: tool.index,
    choice: tool.choice,
    tool_call_id: tool.id,
    type: tool.type,
    name: tool.name,
    argument_bytes: tool.argumentBytes,
  }));

/** A row of `feedback` that waits for its call. */
export const feedbackRow = (word: Feedback, projectId: string) => ({
  id: word.id,
  project_id: projectId,
  target_kind: word.target.kind,
  target_id: word.target.id,
  item: word.item,
  rater: word.rater,
  received_at: new Date(word.receivedAtMs).toISOString(),
  rating: word.rating,
  score: word.score,
  comment: word.comment,
  correction: word.correction,
  labels: word.labels,
  call_id: null,
  matched_at: null,
});

export const insertRows = (table: string, rows: unknown[]): string =>
  `insert into ${table} select * from json_populate_recordset(null::${table}, ${quotedJson(rows)}::json)`;

/**
 * JSON that Postgres accepts: its text has no U+0000, and its JSON reader refuses lone surrogates. Both can be in what
 * clients and models send, in names as in values.
 */
export function storableJson(value: unknown): string {
  const json = JSON.stringify(value);
  return ESCAPED.test(json) ? JSON.stringify(value, (_, one) => storable(one)) : json;
}

/** How both are written in JSON; also found where somebody spells them out, which costs a second look. */
const ESCAPED = /\\u(?:0000|d[89a-f])/;

const storable = (value: unknown): unknown =>
  typeof value === "string"
    ? storableText(value)
    : value !== null && typeof value === "object" && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).map(([name, one]) => [storableText(name), one]))
      : value;

const storableText = (text: string): string => text.replaceAll("\u0000", "\ufffd").toWellFormed();

/** A text literal. `standard_conforming_strings` is on (db/connect.ts), so only quotes need doubling. */
export const quoted = (text: string): string => `'${text.replaceAll("\u0000", "\ufffd").replaceAll("'", "''")}'`;

/** A literal that holds JSON; cast it to json or jsonb. */
export const quotedJson = (value: unknown): string => `'${storableJson(value).replaceAll("'", "''")}'`;
