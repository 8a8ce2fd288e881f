/** What a range that begins at `fromMs` does not hold; null: it holds everything. `sealedMs`: since when calls are kept. */
export function sealedSentence(sealedMs: number | null, fromMs: number): string | null {
  if (sealedMs === null || sealedMs <= fromMs) return null;
  return `Calls before ${formatUtcDay(sealedMs)} (UTC) are no longer kept, their totals are: what has to be computed from the calls themselves leaves them out.`;
}

export const formatUtcDay = (ms: number): string =>
  new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeZone: "UTC" }).format(ms);
