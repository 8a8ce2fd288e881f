import { formatEdge, monthName, timeParts } from "#app/_ui/time.ts";
import { type Interval, msToWall, parseRange, type Range } from "#lib/range.ts";

const UNIT = { m: "minute", h: "hour", d: "day" } as const;

/** "Last 24 hours", "October 2026", "1 Oct – 3 Oct 14:00" */
export function rangeName(range: Range, interval: Interval, zone: string): string {
  if (range.kind === "month") return `${monthName(range.month)} ${range.year}`;
  if (range.kind === "between") return `${formatEdge(interval.fromMs, zone)} – ${formatEdge(interval.toMs, zone)}`;
  const count = Number.parseInt(range.text, 10);
  const unit = UNIT[range.text.slice(-1) as keyof typeof UNIT];
  return count === 1 ? `Last ${unit}` : `Last ${count} ${unit}s`;
}

/** A range's name inside a sentence: "the last 24 hours", "October 2026". */
export function rangePhrase({ range, interval, zone }: { range: Range; interval: Interval; zone: string }): string {
  const name = rangeName(range, interval, zone);
  return range.kind === "last" ? `the ${name.toLowerCase()}` : name;
}

/** What the picker offers: stretches up to now, and the months that people ask for. */
export function rangeChoices(zone: string, nowMs: number): { text: string; name: string }[] {
  const now = new Date(msToWall(nowMs, zone));
  const month = (back: number) =>
    new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - back)).toISOString().slice(0, 7);
  return ["15m", "1h", "3h", "24h", "7d", "30d", month(0), month(1)].map((text) => {
    const range = parseRange(text) as Range;
    return { text, name: rangeName(range, { fromMs: 0, toMs: 0 }, zone) };
  });
}

/** The offered range that reaches back to a moment: from an empty range to one that is not. */
export function rangeReaching(atMs: number, zone: string, nowMs: number): string {
  const age = nowMs - atMs;
  const near = [
    ["1h", 3_600_000],
    ["24h", 86_400_000],
    ["7d", 7 * 86_400_000],
    ["30d", 30 * 86_400_000],
  ] as const;
  // Rollups know moments to the quarter of an hour.
  for (const [text, ms] of near) if (age >= 0 && age + 900_000 <= ms) return text;
  const { year } = timeParts(atMs, zone);
  return `${year}-${new Date(msToWall(atMs, zone)).toISOString().slice(5, 7)}`;
}
