import type { Histogram } from "./latency-histograms.ts";

/** Of n calls, right to 1 %; null where n is too small for it to mean anything. */
export interface Percentiles {
  n: number;
  p50Ms: number | null;
  p95Ms: number | null;
  p99Ms: number | null;
}

/** From how many calls on a percentile is told. */
export interface EnoughCalls {
  p50: number;
  p95: number;
  p99: number;
}

/** Nearest-rank percentiles: the p-th of n values is the one at rank ceil(p/100 × n). */
export function percentilesOf(histogram: Histogram | undefined, enough: EnoughCalls): Percentiles {
  const bins = [...(histogram ?? [])].sort(([a], [b]) => a - b);
  const n = bins.reduce((sum, [, calls]) => sum + calls, 0);
  const told = (percent: number, least: number) => (n > 0 && n >= least ? binMiddleMs(binAt(bins, percent, n)) : null);
  return { n, p50Ms: told(50, enough.p50), p95Ms: told(95, enough.p95), p99Ms: told(99, enough.p99) };
}

function binAt(bins: readonly (readonly [bin: number, calls: number])[], percent: number, n: number): number {
  let upto = 0;
  for (const [bin, calls] of bins) {
    upto += calls;
    if (upto * 100 >= n * percent) return bin;
  }
  throw new RangeError(`no rank ${percent} of ${n}`);
}

/** A bin is 2^(1/36) wide, so nothing in it is more than 1 % away from its geometric middle. */
export const binMiddleMs = (bin: number): number => 2 ** ((bin + 0.5) / 36);
