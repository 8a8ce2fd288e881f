import { formatCount, formatDuration } from "#app/_ui/format.ts";

/** From so many values on a quantile says something. */
export const USUAL_MIN = { p50: 20, tail: 100 } as const;

/** What comparable calls took. null: too few of them for this figure. */
export interface Usual {
  n: number;
  p50: number | null;
  /** The 95th percentile, or the 5th where less is worse. */
  tail: number | null;
}

/** Nearest-rank quantiles of raw values; unknown ones count nowhere. */
export function usualOf(values: readonly (number | null)[], tail: 0.95 | 0.05 = 0.95): Usual {
  const known = values.filter((value) => value !== null).sort((a, b) => a - b);
  const n = known.length;
  const at = (p: number, least: number) => (n < least ? null : (known[Math.ceil(n * p) - 1] as number));
  return { n, p50: at(0.5, USUAL_MIN.p50), tail: at(tail, USUAL_MIN.tail) };
}

/** "usually 420 ms, p95 1.10 s, n 812" */
export function usualInWords(
  { n, p50, tail }: Usual,
  format: (value: number) => string = formatDuration,
  tailName = "p95",
): string {
  if (p50 === null) return n === 0 ? "no comparable call" : `only ${formatCount(n)} comparable`;
  const middle = p50 === 0 ? "usually none" : `usually ${format(p50)}`;
  return `${middle}${tail === null ? "" : `, ${tailName} ${tail === 0 ? "none" : format(tail)}`}, n ${formatCount(n)}`;
}
