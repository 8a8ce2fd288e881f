import type { Difference } from "./newcombe.ts";
import { Z_95 } from "./wilson.ts";

export interface Sample {
  mean: number;
  /** Of the sample: divided by n - 1. */
  variance: number;
  n: number;
}

/** Below this a mean of skewed values (costs) says too little about the next one. */
const VALUES_MIN = 10;

/** How much a mean moved, with Welch's 95 % interval: the sides may differ in spread. null: fewer than ten values on a side. */
export function welch(before: Sample, after: Sample): Difference | null {
  if (before.n < VALUES_MIN || after.n < VALUES_MIN) return null;
  const difference = after.mean - before.mean;
  const [a, b] = [before.variance / before.n, after.variance / after.n];
  if (a + b === 0) return { difference, low: difference, high: difference };
  const freedom = (a + b) ** 2 / (a ** 2 / (before.n - 1) + b ** 2 / (after.n - 1));
  const half = studentQuantile(freedom) * Math.sqrt(a + b);
  return { difference, low: difference - half, high: difference + half };
}

/** 97.5 % quantile of Student's t, by Fisher's expansion: right to four decimals from nine degrees of freedom on. */
function studentQuantile(freedom: number): number {
  const z = Z_95;
  return (
    z +
    (z ** 3 + z) / (4 * freedom) +
    (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * freedom ** 2) +
    (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / (384 * freedom ** 3)
  );
}
