import { type Count, wilson } from "./wilson.ts";

/** A later figure less an earlier one, with a 95 % interval around it. */
export interface Difference {
  difference: number;
  low: number;
  high: number;
}

/**
 * How much a share moved from `a` to `b` (-0.06 is six points less), with Newcombe's hybrid score interval (Statistics in
 * Medicine 17, 1998, method 10): each side's Wilson bounds, put together. null: one side is empty.
 */
export function newcombe(a: Count, b: Count): Difference | null {
  const before = wilson(a.successes, a.n);
  const after = wilson(b.successes, b.n);
  if (!before || !after) return null;
  const difference = after.rate - before.rate;
  return {
    difference,
    low: difference - Math.hypot(after.rate - after.low, before.high - before.rate),
    high: difference + Math.hypot(after.high - after.rate, before.rate - before.low),
  };
}
