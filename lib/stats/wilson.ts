/** How often something happened among how many. */
export interface Count {
  successes: number;
  n: number;
}

export interface Rate {
  /** All three between 0 and 1. */
  rate: number;
  low: number;
  high: number;
}

/** Quantile of the normal distribution that leaves 2.5 % above it: intervals here are 95 % ones. */
export const Z_95 = 1.959964;

/**
 * A share with Wilson's score interval (JASA 22, 1927). It stays between 0 and 1 and says something also where all or none
 * of a few succeeded. null: of nothing there is no share.
 */
export function wilson(successes: number, n: number): Rate | null {
  if (n === 0) return null;
  const rate = successes / n;
  const z2 = Z_95 * Z_95;
  const centre = (successes + z2 / 2) / (n + z2);
  const half = (Z_95 * Math.sqrt(n * rate * (1 - rate) + z2 / 4)) / (n + z2);
  // The ends are exact where nothing or everything succeeded; rounding must not push them beyond.
  return { rate, low: successes === 0 ? 0 : centre - half, high: successes === n ? 1 : centre + half };
}
