import { formatCount, formatDuration, plural } from "#app/_ui/format.ts";
import type { CallFacts } from "#db/queries/call-page.ts";
import type { ComparedStage, Comparison } from "./comparison.ts";
import { USUAL_MIN } from "./usual.ts";

/** What differs less is as usual: half as much again, and a tenth of a second. */
export const NOTABLE = { times: 1.5, ms: 100 } as const;

type Ended = Pick<CallFacts, "outcome" | "durationMs">;

/** Was it slow, and where? One sentence. */
export function comparisonSentence({ outcome, durationMs }: Ended, comparison: Comparison): string {
  const { by, n, stages, durationMs: usual } = comparison;
  if (by === null) return "Nothing to compare with: the call has no template, no instructions and no feature.";
  if (n < USUAL_MIN.p50 || usual.p50 === null)
    return n === 0
      ? "Nothing to compare with: there were no comparable calls in the seven days before."
      : `Only ${plural(n, "comparable call")} in the seven days before: too few to say what is usual.`;
  const of = `(p50 of ${plural(usual.n, "comparable call")})`;
  const excess = largestExcess(stages);
  const notable = excess && isNotable(excess.ms + excess.usualMs, excess.usualMs) ? excess : null;
  if (outcome !== "completed" || durationMs === null) {
    const least = notable ? `; this one took ${more(notable)}` : "";
    return `Comparable calls that completed took ${formatDuration(usual.p50)} (p50, n ${formatCount(usual.n)})${least}.`;
  }
  const against = `${formatDuration(durationMs)} against ${formatDuration(usual.p50)} ${of}`;
  if (isNotable(durationMs, usual.p50)) return `Slower than usual: ${against}${where(excess, durationMs - usual.p50)}.`;
  const whole = isNotable(usual.p50, durationMs) ? "Faster than usual" : "As usual";
  return `${whole}${notable ? " as a whole" : ""}: ${against}${notable ? `, but ${more(notable)}` : ""}.`;
}

const isNotable = (more: number, less: number) => more >= less * NOTABLE.times && more - less >= NOTABLE.ms;

interface Excess {
  ms: number;
  usualMs: number;
  words: string;
}

/** The stage that took longest beyond its own p50. null: none took longer. */
function largestExcess(stages: readonly ComparedStage[]): Excess | null {
  let largest: Excess | null = null;
  for (const { ms, usual, words } of stages) {
    if (ms === null || usual.p50 === null) continue;
    const excess = ms - usual.p50;
    if (excess > (largest?.ms ?? 0)) largest = { ms: excess, usualMs: usual.p50, words };
  }
  return largest;
}

/** A stage can exceed by more than the whole does, when others were faster. */
function where(excess: Excess | null, allMs: number): string {
  if (excess === null) return "";
  return excess.ms <= allMs ? `; ${formatDuration(excess.ms)} of it ${excess.words}` : `; ${more(excess)}`;
}

const more = ({ ms, words }: Excess) => `${formatDuration(ms)} more ${words}`;
