import { sql } from "drizzle-orm";
import { check, customType, date, index, numeric, pgTable, primaryKey, text } from "drizzle-orm/pg-core";
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
  },
  (t) => [
    primaryKey({
      columns: [t.projectId, t.bucket, t.writer, t.environment, t.feature, t.model, t.endpoint, t.outcome],
    }),
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

/** `rollup_latency` by UTC days, in the same way. */
export const rollupLatencyDays = pgTable(
  "rollup_latency_days",
  { projectId: text().notNull(), day: date({ mode: "string" }).notNull(), ...latencyColumns() },
  (t) => [index("rollup_latency_days_day").on(t.projectId, t.day)],
);

/** Which days may be read there. What is stored for such a day later takes its row away until it is folded again. */
export const foldedDays = pgTable(
  "folded_days",
  {
    projectId: text().notNull(),
    rollup: text().notNull(),
    day: date({ mode: "string" }).notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.projectId, t.rollup, t.day] }),
    check("folded_days_rollup", sql`${t.rollup} in ('spend', 'latency')`),
  ],
);
