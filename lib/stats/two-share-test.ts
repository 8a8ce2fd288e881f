import type { Count } from "./wilson.ts";

/**
 * Two-sided p value of "both shares are the same": the score test, whose variance is taken under that hypothesis. 1 where
 * nothing can be told: an empty side, or all alike.
 */
export function twoSharePValue(a: Count, b: Count): number {
  if (a.n === 0 || b.n === 0) return 1;
  const pooled = (a.successes + b.successes) / (a.n + b.n);
  const variance = pooled * (1 - pooled) * (1 / a.n + 1 / b.n);
  if (variance === 0) return 1;
  return erfc(Math.abs(b.successes / b.n - a.successes / a.n) / Math.sqrt(2 * variance));
}

/** Complementary error function for x ≥ 0, to 1.2e-7 of its value (Numerical Recipes, 6.2). */
function erfc(x: number): number {
  const t = 1 / (1 + x / 2);
  let sum = 0;
  for (const coefficient of ERFC) sum = sum * t + coefficient;
  return t * Math.exp(-x * x + sum);
}

/** From the highest power of t down. */
const ERFC = [
  0.17087277, -0.82215223, 1.48851587, -1.13520398, 0.27886807, -0.18628806, 0.09678418, 0.37409196, 1.00002368,
  -1.26551223,
];
