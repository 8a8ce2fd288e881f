import { sql } from "drizzle-orm";
import {
  bigint,
  boolean,
  check,
  customType,
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
  timestamp,
  uuid,
} from "drizzle-orm/pg-core";
import { OUTCOMES } from "#lib/call.ts";
import { MODALITIES } from "#lib/modalities.ts";

const bytea = customType<{ data: Buffer; driverData: Buffer }>({ dataType: () => "bytea" });
const count = () => bigint({ mode: "number" });
const instant = () => timestamp({ withTimezone: true, precision: 3, mode: "date" });
const quoted = (names: readonly string[]) => sql.raw(names.map((name) => `'${name}'`).join(", "));

/**
 * One row per call. The id is a UUIDv7: primary key, range-partition key (weekly) and distribution key in one, so a
 * replay is idempotent, a time range prunes, and children can live beside their call. The migration adds
 * `partition by range (id)`; db/partitions.ts makes the partitions.
 */
export const calls = pgTable(
  "calls",
  {
    id: uuid().primaryKey(),
    projectId: text().notNull(),
    environment: text().notNull(),
    operationId: uuid().notNull(),
    attempt: smallint().notNull(),
    upstream: text().notNull(),
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
    cacheWriteTokens: count(),
    outputTextTokens: count(),
    outputAudioTokens: count(),
    outputImageTokens: count(),
    reasoningTokens: count(),
    acceptedPredictionTokens: count(),
    rejectedPredictionTokens: count(),
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
    check("calls_outcome", sql`${t.outcome} in (${quoted(OUTCOMES)})`),
    check("calls_usage_source", sql`${t.usageSource} in ('reported', 'estimated', 'measured', 'none')`),
    check("calls_cached_inside_input", sql`${t.cachedTokens} <= ${t.inputTokens}`),
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
    check("usage_lines_direction", sql`${t.direction} in ('input', 'output')`),
    check("usage_lines_modality", sql`${t.modality} in (${quoted(MODALITIES.map((m) => m.name))})`),
    check("usage_lines_cache", sql`${t.cache} in ('none', 'read', 'write')`),
    check("usage_lines_quantity", sql`${t.quantity} >= 0 or ${t.adjustment} > 0`),
    check("usage_lines_priced", sql`(${t.priceId} is null) = (${t.costUsd} is null)`),
    index("usage_lines_adjusting").on(t.bookedOn).where(sql`${t.adjustment} > 0`),
    index("usage_lines_unpriced").on(t.callId).where(sql`${t.costUsd} is null`),
  ],
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
    index("feedback_waiting").on(t.targetKind, t.targetId).where(sql`${t.matchedAt} is null`),
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

/**
 * How far a spool is stored. Moves in the same transaction as the rows it covers: that is what makes every call
 * stored exactly once. `low` is where reading must resume (the oldest call still in flight starts there); everything
 * that ended before `high` is stored.
 */
export const spoolPositions = pgTable("spool_positions", {
  spool: text().primaryKey(),
  lowSegment: bigint({ mode: "number" }).notNull(),
  lowOffset: bigint({ mode: "number" }).notNull(),
  highSegment: bigint({ mode: "number" }).notNull(),
  highOffset: bigint({ mode: "number" }).notNull(),
  /** The run being read, and its counts (lib/spool/assembler.ts RunTotals). */
  run: text().notNull(),
  totals: jsonb().notNull().$type<unknown>(),
  lease: text(),
  leasedUntil: instant(),
  updatedAt: instant().notNull().defaultNow(),
});

/**
 * The equation of each run of a proxy worker: accepted = stored + set aside + dropped (by reason) + still in flight. Kept for
 * ever: it is the proof that nothing was lost.
 */
export const spoolRuns = pgTable(
  "spool_runs",
  {
    spool: text().notNull(),
    run: text().notNull(),
    accepted: count().notNull(),
    started: count().notNull(),
    stored: count().notNull(),
    setAside: count().notNull(),
    dropped: jsonb().notNull().$type<Record<string, number>>(),
    atRisk: count().notNull(),
    firstSeenAt: instant().notNull().defaultNow(),
    updatedAt: instant().notNull().defaultNow(),
  },
  (t) => [primaryKey({ columns: [t.spool, t.run] })],
);

/** Calls in flight for so long that their first segment could be let go: their frames so far, sealed. */
export const spoolCarried = pgTable(
  "spool_carried",
  {
    spool: text().notNull(),
    run: text().notNull(),
    seq: bigint({ mode: "number" }).notNull(),
    sealed: bytea().notNull(),
  },
  (t) => [primaryKey({ columns: [t.spool, t.run, t.seq] })],
);

/** Exchanges that could not be stored: kept, counted, retryable. */
export const setAside = pgTable("set_aside", {
  id: uuid().primaryKey(),
  spool: text().notNull(),
  run: text().notNull(),
  seq: bigint({ mode: "number" }).notNull(),
  reason: text().notNull(),
  sealed: bytea().notNull(),
  setAsideAt: instant().notNull().defaultNow(),
});

/**
 * Calls per 15 minutes. Derived from `calls` and `usage_lines`: `npm run rebuild-rollups` recomputes it and a test
 * compares. '' stands for "none given", '(other)' for values beyond the limit of distinct values per bucket.
 */
export const rollupCalls = pgTable(
  "rollup_calls",
  {
    projectId: text().notNull(),
    bucket: instant().notNull(),
    /** The spool whose recorder wrote the row: two recorders never share one. */
    writer: text().notNull(),
    environment: text().notNull(),
    feature: text().notNull(),
    model: text().notNull(),
    endpoint: text().notNull(),
    outcome: text().notNull(),
    calls: count().notNull(),
    inputTokens: count().notNull(),
    cachedTokens: count().notNull(),
    outputTokens: count().notNull(),
    inputTokensEstimated: count().notNull(),
    outputTokensEstimated: count().notNull(),
    /** Calls whose usage is not known at all: they are in no token sum. */
    callsWithoutUsage: count().notNull(),
  },
  (t) => [
    primaryKey({
      columns: [t.projectId, t.bucket, t.writer, t.environment, t.feature, t.model, t.endpoint, t.outcome],
    }),
  ],
);

/**
 * Money, tokens and calls per 15 minutes of the *booked* moment. Derived from `calls` and `usage_lines` like rollup_calls
 * (db/rollup-spend.ts is the definition). Tokens and costs by modality and kind: input is without what was read from the
 * cache, and with what was written to it.
 */
export const rollupSpend = pgTable(
  "rollup_spend",
  {
    projectId: text().notNull(),
    bucket: instant().notNull(),
    writer: text().notNull(),
    environment: text().notNull(),
    feature: text().notNull(),
    customer: text().notNull(),
    template: text().notNull(),
    templateVersion: text().notNull(),
    /** Of calls without a template: the hash of their instructions. */
    unitHash: text().notNull(),
    model: text().notNull(),
    calls: count().notNull(),
    callsFailed: count().notNull(),
    callsUnpriced: count().notNull(),
    callsWithoutUsage: count().notNull(),
    costUsd: numeric().notNull(),
    costEstimatedUsd: numeric().notNull(),
    savedUsd: numeric().notNull(),
    tokensEstimated: count().notNull(),
    textInput: count().notNull(),
    textCached: count().notNull(),
    textOutput: count().notNull(),
    imageInput: count().notNull(),
    imageCached: count().notNull(),
    imageOutput: count().notNull(),
    audioInput: count().notNull(),
    audioCached: count().notNull(),
    audioOutput: count().notNull(),
    textInputUsd: numeric().notNull(),
    textCachedUsd: numeric().notNull(),
    textOutputUsd: numeric().notNull(),
    imageInputUsd: numeric().notNull(),
    imageCachedUsd: numeric().notNull(),
    imageOutputUsd: numeric().notNull(),
    audioInputUsd: numeric().notNull(),
    audioCachedUsd: numeric().notNull(),
    audioOutputUsd: numeric().notNull(),
  },
  (t) => [
    primaryKey({
      name: "rollup_spend_pk",
      columns: [
        t.projectId,
        t.bucket,
        t.writer,
        t.environment,
        t.feature,
        t.customer,
        t.template,
        t.templateVersion,
        t.unitHash,
        t.model,
      ],
    }),
  ],
);

/** One running copy of a job: whoever holds an unexpired row. Works through PgBouncer in transaction mode. */
export const jobs = pgTable("jobs", {
  name: text().primaryKey(),
  lockedBy: text(),
  lockedUntil: instant(),
  fence: bigint({ mode: "number" }).notNull(),
  lastFinishedAt: instant(),
});

/** Small facts about the installation: the highest id sealed, the newest watermark of each recorder, and so on. */
export const settings = pgTable("settings", {
  name: text().primaryKey(),
  value: jsonb().notNull().$type<unknown>(),
});
