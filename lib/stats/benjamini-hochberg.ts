/**
 * Which of several findings stand when about a share `q` of those that stand may be false (Benjamini and Hochberg 1995): the k
 * smallest p values, k the largest with p(k) ≤ q·k/m.
 */
export function survivors(pValues: readonly number[], q: number): boolean[] {
  const ascending = pValues.toSorted((a, b) => a - b);
  const k = ascending.findLastIndex((p, i) => p <= (q * (i + 1)) / ascending.length);
  const limit = ascending[k] ?? -1;
  return pValues.map((p) => p <= limit);
}
