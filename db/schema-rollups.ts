import { numeric, pgTable, primaryKey, text } from "drizzle-orm/pg-core";
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
