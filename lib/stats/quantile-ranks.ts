/** Ranks from 1 among n ascending values: the quantile's own, and those that bound its 95 % interval. */
export interface QuantileRanks {
  low: number;
  at: number;
  high: number;
}

/**
 * Which of n ascending values stand for a quantile and its interval, whatever their distribution: the number of values below
 * the true quantile is binomial. At least 95 % for both ends together. null: n is too small for such an interval.
 */
export function quantileRanks(n: number, p: number): QuantileRanks | null {
  let low = 0;
  let high = 0;
  let below = 0;
  // ln of the binomial probability of k values below: as a power it would be 0 for a few thousand values.
  let ln = n * Math.log(1 - p);
  for (let k = 0; k < n; k++) {
    below += Math.exp(ln);
    if (below <= TAIL) low = k + 1;
    if (below >= 1 - TAIL) {
      high = k + 1;
      break;
    }
    ln += Math.log(((n - k) * p) / ((k + 1) * (1 - p)));
  }
  return low && high ? { low, at: Math.ceil(n * p), high } : null;
}

const TAIL = 0.025;
