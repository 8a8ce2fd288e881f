import type { CallsOnSide, Change } from "#db/queries/quality-changes.ts";
import type { Difference } from "#lib/stats/newcombe.ts";
import { type Quantile, quantileDifference } from "#lib/stats/quantile-difference.ts";
import { quantileRanks } from "#lib/stats/quantile-ranks.ts";
import { type Verdict, verdicts } from "#lib/stats/verdict.ts";
import { type Sample, welch } from "#lib/stats/welch.ts";
import type { Count } from "#lib/stats/wilson.ts";

/** A figure on both sides of a change. null: not known, or too few values to say. */
export interface Moved<T> {
  before: T | null;
  after: T | null;
  difference: Difference | null;
}

export interface JudgedChange extends Change {
  ratings: { before: Count; after: Count };
  verdict: Verdict;
  /** Those that cost and durations are of. */
  calls: { before: number; after: number };
  /** Mean cost of a call as a decimal string, of the calls whose cost is known. */
  cost: Moved<string> & { unpriced: number };
  p50Ms: Moved<number>;
  p95Ms: Moved<number>;
}

/** Fewer durations than this are no percentile. */
const VALUES_MIN = { p50: 20, p95: 100 } as const;

/** What each change did to ratings, cost and duration; the verdicts are given over all of them together. */
export function judgeChanges(
  changes: readonly Change[],
  ratings: readonly { change: number; side: "before" | "after"; up: number; down: number }[],
  calls: readonly { before: CallsOnSide; after: CallsOnSide }[],
): JudgedChange[] {
  const countOf = (change: number, side: "before" | "after"): Count => {
    const { up = 0, down = 0 } = ratings.find((one) => one.change === change && one.side === side) ?? {};
    return { successes: up, n: up + down };
  };
  const counts = changes.map((_, i) => ({ before: countOf(i + 1, "before"), after: countOf(i + 1, "after") }));
  const judged = verdicts(counts);
  return changes.map((change, i) => {
    const { before, after } = calls[i] as { before: CallsOnSide; after: CallsOnSide };
    return {
      ...change,
      ratings: counts[i] as { before: Count; after: Count },
      verdict: judged[i] as Verdict,
      calls: { before: before.calls, after: after.calls },
      cost: {
        before: before.costMean,
        after: after.costMean,
        difference: costDifference(before, after),
        unpriced: before.calls - before.pricedCalls + after.calls - after.pricedCalls,
      },
      p50Ms: percentile(0.5, VALUES_MIN.p50, before, after),
      p95Ms: percentile(0.95, VALUES_MIN.p95, before, after),
    };
  });
}

/** An estimate with an error of its own: floats carry more digits than it has. */
function costDifference(before: CallsOnSide, after: CallsOnSide): Difference | null {
  const sample = ({ costMean, costVariance, pricedCalls }: CallsOnSide): Sample => ({
    mean: Number(costMean),
    variance: Number(costVariance),
    n: pricedCalls,
  });
  return welch(sample(before), sample(after));
}

function percentile(p: number, valuesMin: number, before: CallsOnSide, after: CallsOnSide): Moved<number> {
  const [a, b] = [before, after].map((side) => quantileOf(side.durationsMs, p, valuesMin));
  return {
    before: a?.value ?? null,
    after: b?.value ?? null,
    difference: a && b ? quantileDifference(a, b) : null,
  };
}

function quantileOf(ascending: readonly number[], p: number, valuesMin: number): Quantile | null {
  const ranks = ascending.length < valuesMin ? null : quantileRanks(ascending.length, p);
  if (!ranks) return null;
  const at = (rank: number) => ascending[rank - 1] as number;
  return { value: at(ranks.at), low: at(ranks.low), high: at(ranks.high) };
}
