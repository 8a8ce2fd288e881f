import type { Difference } from "./newcombe.ts";

/** A quantile and the bounds of its interval (lib/stats/quantile-ranks.ts says which values they are). */
export interface Quantile {
  value: number;
  low: number;
  high: number;
}

/**
 * How much a quantile moved. The two intervals are put together as Newcombe does with shares: each end from the bounds
 * that could make it so.
 */
export function quantileDifference(before: Quantile, after: Quantile): Difference {
  const difference = after.value - before.value;
  return {
    difference,
    low: difference - Math.hypot(after.value - after.low, before.high - before.value),
    high: difference + Math.hypot(after.high - after.value, before.value - before.low),
  };
}
