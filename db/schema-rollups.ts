import { sql } from "drizzle-orm";
import {
  boolean,
  check,
  customType,
  date,
  index,
  numeric,
  pgTable,
  primaryKey,
  smallint,
  text,
  uuid,
} from "drizzle-orm/pg-core";
import { count, instant } from "./columns.ts";

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
    /** First attempts: what people wanted, however often it was tried. null: counted before there was this figure (`rollups_due`). */
    operations: count(),
    /** Money of reported and of estimated usage, whatever day it is booked on: what failed or aborted calls cost. null: as `operations`. */
    costUsd: numeric(),
    costEstimatedUsd: numeric(),
    /** Some of their usage has no price: in no amount. null: as `operations`. */
    callsUnpriced: count(),
  },
  (t) => [
    primaryKey({
      columns: [t.projectId, t.bucket, t.writer, t.environment, t.feature, t.model, t.endpoint, t.outcome],
    }),
    // What failed or was left is a fiftieth of the rows, and asked for by itself.
    index("rollup_calls_not_completed").on(t.projectId, t.bucket).where(sql`${t.outcome} <> 'completed'`),
  ],
);

const spendColumns = () => ({
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
  /** What hosted tools cost: in none of the cells above. */
  feesUsd: numeric().notNull().default("0"),
});

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
    ...spendColumns(),
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

/** Durations counted in bins of equal ratio (`latency_bin` in the migrations): adding bins up loses nothing. */
const histogram = customType<{ data: string }>({ dataType: () => "histogram" });

const latencyColumns = () => ({
  environment: text().notNull(),
  feature: text().notNull(),
  model: text().notNull(),
  endpoint: text().notNull(),
  /** `call_modality`: audio, image or text; '' = nothing known went in or out. */
  modality: text().notNull(),
  ...latencySums(),
});

const latencySums = () => ({
  calls: count().notNull(),
  /** An outcome of `ERRORS` (lib/call.ts). */
  callsFailed: count().notNull(),
  /** Completed calls whose whole course was seen: what the sums and histograms hold. */
  callsTimed: count().notNull(),
  /** Whose time it was; the three sum to the duration. */
  clientUs: count().notNull(),
  ownUs: count().notNull(),
  upstreamUs: count().notNull(),
  /** Output tokens after the first, and the time from the first to the last, of streamed calls that reported both. */
  paceTokens: count().notNull(),
  paceUs: count().notNull(),
  firstByte: histogram().notNull(),
  firstToken: histogram().notNull(),
  firstAudio: histogram().notNull(),
  duration: histogram().notNull(),
  own: histogram().notNull(),
});

/**
 * How long calls took, per 15 minutes: counts, exact sums in microseconds, and histograms whose bins are 2 % wide, so that any
 * percentile of any sum of rows is right to 1 %. Derived from `calls` like rollup_calls; db/rollup-latency.ts is the definition.
 */
export const rollupLatency = pgTable(
  "rollup_latency",
  {
    projectId: text().notNull(),
    bucket: instant().notNull(),
    writer: text().notNull(),
    ...latencyColumns(),
  },
  (t) => [
    primaryKey({
      name: "rollup_latency_pk",
      columns: [t.projectId, t.bucket, t.writer, t.environment, t.feature, t.model, t.endpoint, t.modality],
    }),
  ],
);

/** `rollup_spend` by UTC days that are over, made from it (db/fold-days.ts): months are read in a fraction of the time. */
export const rollupSpendDays = pgTable(
  "rollup_spend_days",
  { projectId: text().notNull(), day: date({ mode: "string" }).notNull(), ...spendColumns() },
  (t) => [index("rollup_spend_days_day").on(t.projectId, t.day)],
);

/**
 * What a folded day's spend had come to by each half hour, told apart by one attribute at a time (db/fold-spend.ts): 48 is the
 * whole day. What was spent between two half hours is a difference of two rows, so months are cut into the days of any zone for
 * little more than UTC's, and are read without telling customers times templates times models apart.
 */
export const rollupSpendUpto = pgTable(
  "rollup_spend_upto",
  {
    projectId: text().notNull(),
    day: date({ mode: "string" }).notNull(),
    /** Half hours since the day began. */
    upto: smallint().notNull(),
    /** Which of the attributes below are told; `environment` always is. */
    by: text().notNull(),
    ...spendColumns(),
    callsAllocated: count().notNull(),
    costAllocatedUsd: numeric().notNull(),
  },
  (t) => [
    index("rollup_spend_upto_day").on(t.projectId, t.by, t.upto, t.day),
    check(
      "rollup_spend_upto_by",
      sql`${t.by} in ('feature', 'customer', 'template', 'model', 'feature_template_model', 'feature_customer')`,
    ),
  ],
);

/** `rollup_latency` by UTC days, in the same way. */
export const rollupLatencyDays = pgTable(
  "rollup_latency_days",
  { projectId: text().notNull(), day: date({ mode: "string" }).notNull(), ...latencyColumns() },
  (t) => [index("rollup_latency_days_day").on(t.projectId, t.day)],
);

/**
 * All calls of UTC days that are over, by everything that pages filter by, made from `calls` themselves (db/fold-attributed.ts): what was
 * used, and how long it took. Quarters of an hour would hold a row for every third call; a day holds one for a hundred.
 */
export const rollupAttributed = pgTable(
  "rollup_attributed",
  {
    projectId: text().notNull(),
    day: date({ mode: "string" }).notNull(),
    environment: text().notNull(),
    feature: text().notNull(),
    customer: text().notNull(),
    template: text().notNull(),
    templateVersion: text().notNull(),
    /** Of calls without a template: the hash of their instructions. */
    unitHash: text().notNull(),
    model: text().notNull(),
    endpoint: text().notNull(),
    modality: text().notNull(),
    outcome: text().notNull(),
    /** First attempts. */
    operations: count().notNull(),
    inputTokens: count().notNull(),
    cachedTokens: count().notNull(),
    outputTokens: count().notNull(),
    inputTokensEstimated: count().notNull(),
    outputTokensEstimated: count().notNull(),
    callsWithoutUsage: count().notNull(),
    ...latencySums(),
  },
  (t) => [
    index("rollup_attributed_day").on(t.projectId, t.day),
    index("rollup_attributed_customer").on(t.projectId, t.customer, t.day),
    index("rollup_attributed_template").on(t.projectId, t.template, t.day),
  ],
);

/** Of which attributes of a day `rollup_attributed` does not tell every value apart, and which values it does. */
export const attributedValues = pgTable(
  "attributed_values",
  {
    projectId: text().notNull(),
    day: date({ mode: "string" }).notNull(),
    /** A column of `rollup_attributed`. */
    attribute: text().notNull(),
    /** Those with a name of their own; all others of the day are '(other)'. */
    kept: text().array().notNull(),
  },
  (t) => [primaryKey({ columns: [t.projectId, t.day, t.attribute] })],
);

/**
 * Which days may be read there. What is stored for such a day later takes its row away until it is folded again. `spend` and
 * `spend_upto` are marks of earlier versions, and mean nothing.
 */
export const foldedDays = pgTable(
  "folded_days",
  {
    projectId: text().notNull(),
    rollup: text().notNull(),
    day: date({ mode: "string" }).notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.projectId, t.rollup, t.day] }),
    check("folded_days_rollup", sql`${t.rollup} in ('spend', 'latency', 'spend_upto', 'attributed', 'spend_sets')`),
  ],
);

/**
 * What people said, beside the call it is about: one row per word in force (the last one of a rater on a target). Derived from
 * `feedback` and `calls` (db/rate-calls.ts is the definition): pages about ratings read it alone.
 */
export const ratings = pgTable(
  "ratings",
  {
    callId: uuid().notNull(),
    /** feedback.id */
    wordId: uuid().notNull(),
    projectId: text().notNull(),
    startedAt: instant().notNull(),
    environment: text().notNull(),
    endpoint: text().notNull(),
    outcome: text().notNull(),
    feature: text(),
    customer: text(),
    template: text(),
    templateVersion: text(),
    unitHash: text(),
    release: text(),
    requestModel: text(),
    model: text(),
    rating: text(),
    hasComment: boolean().notNull(),
    hasCorrection: boolean().notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.callId, t.wordId] }),
    index("ratings_word").on(t.wordId),
    index("ratings_written").on(t.projectId, t.rating, t.wordId).where(sql`${t.hasComment} or ${t.hasCorrection}`),
  ],
);

/**
 * `ratings` and the calls that could have been rated, summed by UTC days that are over (db/fold-ratings.ts is the definition): months are
 * read in a fraction of the time. An attribute that a part does not keep apart is null.
 */
export const ratingsSums = pgTable(
  "ratings_sums",
  {
    projectId: text().notNull(),
    /** words: by attributes of the calls, of a day. quarters: of a quarter of an hour, all calls. calls: those that could have been rated, as words. */
    part: text().notNull(),
    at: instant().notNull(),
    environment: text(),
    endpoint: text(),
    outcome: text(),
    feature: text(),
    customer: text(),
    template: text(),
    templateVersion: text(),
    unitHash: text(),
    requestModel: text(),
    model: text(),
    calls: count().notNull(),
    /** Those of them, or of the calls that could have been rated, with a rating. */
    ratedCalls: count().notNull(),
    up: count().notNull(),
    down: count().notNull(),
    corrections: count().notNull(),
  },
  (t) => [
    index("ratings_sums_at").on(t.part, t.projectId, t.at),
    check("ratings_sums_part", sql`${t.part} in ('words', 'quarters', 'calls')`),
  ],
);

/** Which days may be read there: `words` stands for quarters too. What is said or stored about such a day takes its row away. */
export const ratingsFolded = pgTable(
  "ratings_folded",
  { part: text().notNull(), day: date({ mode: "string" }).notNull() },
  (t) => [primaryKey({ columns: [t.part, t.day] }), check("ratings_folded_part", sql`${t.part} in ('words', 'calls')`)],
);

/** UTC days whose rollups the recorder is asked to compute anew, oldest request first (db/rebuild-rollups.ts). */
export const rollupsDue = pgTable("rollups_due", {
  day: date({ mode: "string" }).primaryKey(),
  askedAt: instant().notNull().defaultNow(),
  reason: text().notNull(),
});
