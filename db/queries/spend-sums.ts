import { SPEND_SUMS } from "#db/fold-spend.ts";
import { SPEND_MEASURES } from "#db/rollup-spend.ts";
import { MODALITIES, type Modality } from "#lib/modalities.ts";
import type { Reader } from "./call-filter.ts";

export const TOKEN_KINDS = ["input", "cached", "output"] as const;
export type TokenKind = (typeof TOKEN_KINDS)[number];

/** Sums over a part of a scope. Amounts of US dollars are exact decimals. */
export interface SpendSums {
  calls: number;
  callsFailed: number;
  /** Their cost is unknown and in no amount. Less than none where a call got its price after its month was closed. */
  callsUnpriced: number;
  callsWithoutUsage: number;
  /** Feature, customer and template are all given. */
  callsAllocated: number;
  /** Reported and estimated together: the sum of all `cells` and of the fees. */
  costUsd: string;
  costEstimatedUsd: string;
  costAllocatedUsd: string;
  savedUsd: string;
  /** What hosted tools cost beside the model's tokens: in no cell. */
  feesUsd: string;
  /** null: no calls. */
  costPerThousandCallsUsd: string | null;
  tokensEstimated: number;
  cells: Record<Modality, Record<TokenKind, { tokens: number; usd: string }>>;
}

/** Sums of what the source gives (spend-source.ts), under their own names. */
export const summed = (sql: Reader) => sql.unsafe(SPEND_SUMS.map((name) => `sum(${name}) as ${name}`).join(", "));

/** SQL: for "having", does a group of what the source gives come to anything? What had come by two moments may differ by nothing. */
export const isSomething = (sql: Reader) =>
  sql.unsafe(`(${SPEND_MEASURES.map((name) => `sum(${name}) <> 0`).join(" or ")})`);

const CELLS = MODALITIES.flatMap(({ name }) =>
  TOKEN_KINDS.map((kind) => ({ modality: name, kind, id: `${name}_${kind}` })),
);
const COUNTS = {
  calls: "calls",
  callsFailed: "calls_failed",
  callsUnpriced: "calls_unpriced",
  callsWithoutUsage: "calls_without_usage",
  callsAllocated: "calls_allocated",
  tokensEstimated: "tokens_estimated",
  ...Object.fromEntries(CELLS.map(({ id }) => [id, id])),
};
const AMOUNTS = {
  costUsd: "cost_usd + cost_estimated_usd",
  costEstimatedUsd: "cost_estimated_usd",
  costAllocatedUsd: "cost_allocated_usd",
  savedUsd: "saved_usd",
  feesUsd: "fees_usd",
  ...Object.fromEntries(CELLS.map(({ id }) => [`${id}_usd`, `${id}_usd`])),
};

/** Sums of parts, under the names of `SumsRow`. Amounts without trailing zeros, so that equal ones read the same. */
export const sums = (sql: Reader) =>
  sql.unsafe(
    [
      ...Object.entries(COUNTS).map(([name, sum]) => `coalesce(sum(${sum}), 0)::bigint as "${name}"`),
      ...Object.entries(AMOUNTS).map(([name, sum]) => `trim_scale(coalesce(sum(${sum}), 0))::text as "${name}"`),
      `trim_scale(round(1000 * sum(${AMOUNTS.costUsd}) / nullif(sum(calls), 0), 12))::text as "costPerThousandCallsUsd"`,
    ].join(", "),
  );

/** As the database gives it: the cells beside the other sums. */
export type SumsRow = Omit<SpendSums, "cells"> &
  Record<`${Modality}_${TokenKind}`, number> &
  Record<`${Modality}_${TokenKind}_usd`, string>;

export const sumsOf = (row: SumsRow): SpendSums => ({
  calls: row.calls,
  callsFailed: row.callsFailed,
  callsUnpriced: row.callsUnpriced,
  callsWithoutUsage: row.callsWithoutUsage,
  callsAllocated: row.callsAllocated,
  costUsd: row.costUsd,
  costEstimatedUsd: row.costEstimatedUsd,
  costAllocatedUsd: row.costAllocatedUsd,
  savedUsd: row.savedUsd,
  feesUsd: row.feesUsd,
  costPerThousandCallsUsd: row.costPerThousandCallsUsd,
  tokensEstimated: row.tokensEstimated,
  cells: Object.fromEntries(
    MODALITIES.map(({ name }) => [
      name,
      Object.fromEntries(
        TOKEN_KINDS.map((kind) => [kind, { tokens: row[`${name}_${kind}`], usd: row[`${name}_${kind}_usd`] }]),
      ),
    ]),
  ) as SpendSums["cells"],
});
