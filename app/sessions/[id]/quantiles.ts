import { formatCount, formatDuration, UNKNOWN } from "#app/_ui/format.ts";
import type { Turn } from "#lib/session.ts";

export interface Waits {
  /** Turns whose wait is known. */
  n: number;
  p50: number | null;
  p95: number | null;
  max: number | null;
}

/** From so many turns on a quantile says something; of fewer the median is still the one in the middle, and n stands beside it. */
const P95_MIN = 100;

/** Raw values, nearest rank. `of`: answers in audio, or in text where none was asked for. */
export function waitsOf(turns: readonly Pick<Turn, "latencyMs" | "firstAudioMs">[], of: "audio" | "text"): Waits {
  const known = turns
    .filter(({ firstAudioMs }) => (of === "audio") === (firstAudioMs !== null))
    .flatMap(({ latencyMs }) => latencyMs ?? [])
    .sort((a, b) => a - b);
  const n = known.length;
  const at = (share: number) => known[Math.max(0, Math.ceil(n * share) - 1)] ?? null;
  return { n, p50: at(0.5), p95: n < P95_MIN ? null : at(0.95), max: known.at(-1) ?? null };
}

/** "median 420 ms, longest 1.10 s, n 3" */
export function waitsInWords({ n, p50, p95, max }: Waits): string {
  if (n === 0) return UNKNOWN;
  const tail = p95 === null ? `longest ${formatDuration(max)}` : `p95 ${formatDuration(p95)}`;
  return `${n === 1 ? "" : `median ${formatDuration(p50)}, `}${n === 1 ? formatDuration(max) : tail}, n ${formatCount(n)}`;
}
