import { sql } from "drizzle-orm";
import {
  bigint,
  boolean,
  check,
  date,
  doublePrecision,
  index,
  integer,
  jsonb,
  numeric,
  pgTable,
  primaryKey,
  smallint,
  text,
  uuid,
} from "drizzle-orm/pg-core";
import { CACHE_STATES, LINE_DIRECTIONS, OUTCOMES } from "#lib/call.ts";
import { MODALITIES } from "#lib/modalities.ts";
import { bytea, count, instant, listed } from "./columns.ts";

/**
 * One row per call. The id is a UUIDv7: primary key, range-partition key (weekly) and distribution key in one, so a
 * replay is idempotent, a time range prunes, and children can live beside their call. The migration adds
 * `partition by range (id)`; db/partitions.ts makes the partitions.
 */
export const calls = pgTable(
  "calls",
  {
    id: uuid().primaryKey(),
    /** The session, file or request that it came out of; null = it is an exchange of its own. */
    parentId: uuid(),
    projectId: text().notNull(),
    environment: text().notNull(),
    operationId: uuid().notNull(),
    attempt: smallint().notNull(),
    upstream: text().notNull(),
    region: text(),
    startedAt: instant().notNull(),
    recordedAt: instant().notNull().defaultNow(),
    /** The UTC day on which finance counts the call when that is not its own: its month was closed before it was stored. */
    bookedOn: date({ mode: "string" }),
    decoderVersion: integer().notNull(),
    spool: text().notNull(),
    run: text().notNull(),
    seq: bigint({ mode: "number" }).notNull(),

    endpoint: text().notNull(),
    method: text().notNull(),
    path: text().notNull(),
    streamed: boolean().notNull(),

    requestModel: text(),
    model: text(),
    requestServiceTier: text(),
    serviceTier: text(),
    systemFingerprint: text(),

    feature: text(),
    customer: text(),
    endUser: text(),
    session: text(),
    template: text(),
    templateVersion: text(),
    release: text(),
    tags: jsonb().notNull().$type<Record<string, string>>(),
    unitHash: text(),
    /** Which learned template (templates.leaf); null until a learner has looked. */
    templateLeaf: bigint({ mode: "number" }),

    outcome: text().notNull(),
    status: smallint(),
    errorType: text(),
    errorCode: text(),
    errorMessage: text(),
    finishReasons: text().array().notNull(),

    responseId: text(),
    previousResponseId: text(),
    conversationId: text(),
    promptCacheKey: text(),
    upstreamRequestId: text(),
    clientRequestId: text(),
    traceId: text(),
    parentSpanId: text(),

    inputModalities: text().array().notNull(),
    outputModalities: text().array().notNull(),
    inputAudioMs: doublePrecision(),
    outputAudioMs: doublePrecision(),

    requestEndMs: doublePrecision(),
    sentMs: doublePrecision(),
    connectMs: doublePrecision(),
    firstByteMs: doublePrecision(),
    firstTokenMs: doublePrecision(),
    firstTextMs: doublePrecision(),
    firstAudioMs: doublePrecision(),
    lastTokenMs: doublePrecision(),
    responseEndMs: doublePrecision(),
    durationMs: doublePrecision(),
    longestGapMs: doublePrecision(),
    /** Pauses of more than a second within a stream. */
    stalls: integer(),
    contentChunks: integer().notNull(),
    requestBytes: count().notNull(),
    responseBytes: count().notNull(),
    cut: boolean().notNull(),

    usageSource: text().notNull(),
    inputTokens: count(),
    outputTokens: count(),
    totalTokens: count(),
    inputTextTokens: count(),
    inputAudioTokens: count(),
    inputImageTokens: count(),
    cachedTokens: count(),
    cachedTextTokens: count(),
    cachedAudioTokens: count(),
    cachedImageTokens: count(),
    cacheWriteTokens: count(),
    outputTextTokens: count(),
    outputAudioTokens: count(),
    outputImageTokens: count(),
    reasoningTokens: count(),
    acceptedPredictionTokens: count(),
    rejectedPredictionTokens: count(),
    /** Of audio, where that is what is billed. */
    durationSeconds: numeric(),
    inputTokensLow: count(),
    inputTokensHigh: count(),
    outputTokensLow: count(),
    outputTokensHigh: count(),
    toolCallCount: integer().notNull(),
    problems: text().array().notNull(),
  },
  (t) => [
    index("calls_feature").on(t.feature, t.id.desc()),
    index("calls_model").on(t.model, t.id.desc()),
    index("calls_customer").on(t.customer, t.id.desc()),
    index("calls_session").on(t.session, t.id).where(sql`${t.session} is not null`),
    index("calls_booked_late").on(t.bookedOn).where(sql`${t.bookedOn} is not null`),
    index("calls_not_completed").on(t.outcome, t.id.desc()).where(sql`${t.outcome} <> 'completed'`),
    check("calls_outcome", sql`${t.outcome} in (${listed(OUTCOMES)})`),
    check("calls_usage_source", sql`${t.usageSource} in ('reported', 'estimated', 'measured', 'none')`),
    check("calls_cached_inside_input", sql`${t.cachedTokens} <= ${t.inputTokens}`),
    check(
      "calls_input_parts",
      sql`coalesce(${t.inputTextTokens}, 0) + coalesce(${t.inputAudioTokens}, 0) + coalesce(${t.inputImageTokens}, 0) <= ${t.inputTokens}`,
    ),
    check(
      "calls_output_parts",
      sql`coalesce(${t.outputTextTokens}, 0) + coalesce(${t.outputAudioTokens}, 0) + coalesce(${t.outputImageTokens}, 0) <= ${t.outputTokens}`,
    ),
    check(
      "calls_cached_parts",
      sql`coalesce(${t.cachedTextTokens}, 0) + coalesce(${t.cachedAudioTokens}, 0) + coalesce(${t.cachedImageTokens}, 0) <= ${t.cachedTokens}`,
    ),
    check("calls_reasoning_inside_output", sql`${t.reasoningTokens} <= ${t.outputTokens}`),
  ],
);

/**
 * Disjoint parts of a call's usage. Rows are never updated: `adjustment` 0 is what was first stored; what is learned after
 * its month was closed adds a reversal and a new row under the next numbers, booked in an open month (`bookedOn`). So a sum
 * over all rows is always right.
 */
export const usageLines = pgTable(
  "usage_lines",
  {
    callId: uuid().notNull(),
    adjustment: smallint().notNull(),
    direction: text().notNull(),
    modality: text().notNull(),
    cache: text().notNull(),
    unit: text().notNull(),
    /** What the price book lists it under, when that is not the model that answered. */
    product: text(),
    quantity: numeric().notNull(),
    source: text().notNull(),
    bookedOn: date({ mode: "string" }).notNull(),
    /** null = unpriced: unknown, never 0. */
    priceId: text(),
    /** US dollars per `pricePer` units. */
    priceUsd: numeric(),
    pricePer: numeric(),
    costUsd: numeric(),
    /** What a cache read saved against the full input price. */
    savedUsd: numeric(),
  },
  (t) => [
    primaryKey({ columns: [t.callId, t.adjustment, t.direction, t.modality, t.cache, t.unit] }),
    check("usage_lines_direction", sql`${t.direction} in (${listed(LINE_DIRECTIONS)})`),
    check("usage_lines_modality", sql`${t.modality} in (${listed([...MODALITIES.map((m) => m.name), "none"])})`),
    check("usage_lines_cache", sql`${t.cache} in (${listed(CACHE_STATES)})`),
    check("usage_lines_quantity", sql`${t.quantity} >= 0 or ${t.adjustment} > 0`),
    check("usage_lines_priced", sql`(${t.priceId} is null) = (${t.costUsd} is null)`),
    index("usage_lines_adjusting").on(t.bookedOn).where(sql`${t.adjustment} > 0`),
    index("usage_lines_unpriced").on(t.callId).where(sql`${t.costUsd} is null`),
  ],
);

/**
 * What a closed month counts of a call that was read again since. `correction` 0 is how the call was booked first, under the names
 * that its money keeps; later rows are what later readings changed, booked in an open month.
 */
export const bookedAs = pgTable(
  "booked_as",
  {
    callId: uuid().notNull(),
    correction: smallint().notNull(),
    bookedOn: date({ mode: "string" }).notNull(),
    environment: text().notNull(),
    feature: text(),
    customer: text(),
    template: text(),
    templateVersion: text(),
    unitHash: text(),
    model: text(),
    /** 1, 0 or -1 each. */
    failed: smallint().notNull(),
    unpriced: smallint().notNull(),
    withoutUsage: smallint().notNull(),
  },
  (t) => [primaryKey({ columns: [t.callId, t.correction] }), index("booked_as_late").on(t.bookedOn)],
);

/** The price book as the recorder knows it: what the lines' `priceId` points to. Rows are added, never changed. */
export const prices = pgTable("prices", {
  id: text().primaryKey(),
  model: text().notNull(),
  unit: text().notNull(),
  direction: text().notNull(),
  modality: text().notNull(),
  cache: text().notNull(),
  tier: text().notNull(),
  usd: numeric().notNull(),
  per: numeric().notNull(),
  effectiveFrom: date({ mode: "string" }).notNull(),
  source: text().notNull(),
  dateBasis: text().notNull(),
  confidence: text().notNull(),
  note: text().notNull(),
  /** `built_in` (null: stored before others were possible), `imported` (a newer list) or `own` (somebody's own model, or own price). */
  origin: text(),
  addedAt: instant().defaultNow(),
});

/** The first words of the instructions that a hash stands for, redacted and sealed: names calls without a template. */
export const instructions = pgTable(
  "instructions",
  {
    projectId: text().notNull(),
    unitHash: text().notNull(),
    sealed: bytea().notNull(),
    firstCallId: uuid().notNull(),
  },
  (t) => [primaryKey({ columns: [t.projectId, t.unitHash] })],
);

/**
 * What was seen for the first time: a version of a template, a snapshot behind an alias. The first value of a subject is no
 * change, every later one is.
 */
export const changes = pgTable(
  "changes",
  {
    projectId: text().notNull(),
    kind: text().notNull(),
    subject: text().notNull(),
    value: text().notNull(),
    firstCallId: uuid().notNull(),
    firstCallAt: instant().notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.projectId, t.kind, t.subject, t.value] }),
    index("changes_first").on(t.projectId, t.firstCallAt),
    check("changes_kind", sql`${t.kind} in ('template_version', 'snapshot')`),
  ],
);

export const toolCalls = pgTable(
  "tool_calls",
  {
    callId: uuid().notNull(),
    index: integer().notNull(),
    choice: integer().notNull(),
    toolCallId: text(),
    type: text().notNull(),
    name: text().notNull(),
    argumentBytes: integer().notNull(),
  },
  (t) => [primaryKey({ columns: [t.callId, t.index] }), index("tool_calls_name").on(t.name, t.callId)],
);

/** Redacted, compressed, sealed content (lib/privacy). Partitioned by day: it has its own, shorter retention. */
export const payloads = pgTable("payloads", {
  callId: uuid().primaryKey(),
  sealed: bytea().notNull(),
  /** What redaction replaced: kind → count. */
  redactions: jsonb().notNull().$type<Record<string, number>>(),
});

/** Who generated which provider object: serves feedback by response id, re-reads, stream resume. */
export const providerObjects = pgTable(
  "provider_objects",
  {
    projectId: text().notNull(),
    upstream: text().notNull(),
    objectId: text().notNull(),
    callId: uuid().notNull(),
  },
  (t) => [primaryKey({ columns: [t.projectId, t.upstream, t.objectId] })],
);

/** Every word of every rater; the newest per (target, rater) counts (the view feedback_current). `callId` null = waiting for its call. */
export const feedback = pgTable(
  "feedback",
  {
    id: uuid().primaryKey(),
    projectId: text().notNull(),
    targetKind: text().notNull(),
    targetId: text().notNull(),
    item: text(),
    rater: text().notNull(),
    receivedAt: instant().notNull(),
    rating: text(),
    score: doublePrecision(),
    comment: text(),
    correction: text(),
    labels: text().array().notNull(),
    callId: uuid(),
    matchedAt: instant(),
  },
  (t) => [
    index("feedback_call").on(t.callId),
    index("feedback_target").on(t.targetKind, t.targetId),
    index("feedback_waiting").on(t.targetKind, t.targetId).where(sql`${t.matchedAt} is null`),
    index("feedback_of_sessions").on(t.matchedAt).where(sql`${t.targetKind} = 'session'`),
    check("feedback_target_kind", sql`${t.targetKind} in ('call', 'response', 'session')`),
    check("feedback_rating", sql`${t.rating} in ('up', 'down')`),
  ],
);

/** Months that finance has closed: nothing is booked into them any more. */
export const closedPeriods = pgTable(
  "closed_periods",
  {
    projectId: text().notNull(),
    /** First day of the month, UTC. */
    month: date({ mode: "string" }).notNull(),
    closedAt: instant().notNull().defaultNow(),
    closedBy: text(),
    /** Totals at that moment, and the SHA-256 of the month's lines: what was closed can be proved. */
    report: jsonb().$type<unknown>(),
  },
  (t) => [primaryKey({ columns: [t.projectId, t.month] })],
);
