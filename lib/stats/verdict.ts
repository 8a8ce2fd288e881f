import { survivors } from "./benjamini-hochberg.ts";
import { type Difference, newcombe } from "./newcombe.ts";
import { ratingsNeeded } from "./ratings-needed.ts";
import { twoSharePValue } from "./two-share-test.ts";
import type { Count } from "./wilson.ts";

export interface Comparison {
  before: Count;
  after: Count;
}

export type VerdictWord = "regressed" | "improved" | "no clear change" | "not enough data";

export interface Verdict {
  word: VerdictWord;
  /** null: one side has no rating. */
  difference: Difference | null;
  /** What it would take, where the data is not enough. */
  needs: string | null;
}

/** The smallest change that matters. */
const POINTS_MIN = 0.02;
/** What a sentence about missing data speaks of first. */
const POINTS_ASKED = 0.05;
const RATINGS_MIN = 100;
/** About one in ten of the changes that are called regressed or improved may be a false alarm. */
const FALSE_DISCOVERY_RATE = 0.1;

/**
 * Was it a change for the worse or the better? Judged together, because ten comparisons find by chance what one does
 * not. Regressed: the interval of the difference lies below zero, the drop is two points or more, each side has a hundred
 * ratings, and the finding stands among all of these. Improved: the same upwards. No clear change: whatever the difference
 * is, it is within two points. Anything else is too little data to say.
 */
export function verdicts(comparisons: readonly Comparison[]): Verdict[] {
  const stands = survivors(
    comparisons.map(({ before, after }) => twoSharePValue(before, after)),
    FALSE_DISCOVERY_RATE,
  );
  return comparisons.map((comparison, i) => {
    const difference = newcombe(comparison.before, comparison.after);
    const word = wordFor(comparison, difference, stands[i] === true);
    return { word, difference, needs: word === "not enough data" ? needs(comparison) : null };
  });
}

function wordFor({ before, after }: Comparison, found: Difference | null, stands: boolean): VerdictWord {
  if (!found) return "not enough data";
  const { difference, low, high } = found;
  const rated = Math.min(before.n, after.n) >= RATINGS_MIN;
  if (rated && stands && high < 0 && difference <= -POINTS_MIN) return "regressed";
  if (rated && stands && low > 0 && difference >= POINTS_MIN) return "improved";
  return low >= -POINTS_MIN && high <= POINTS_MIN ? "no clear change" : "not enough data";
}

/** "needs ≈ 906 ratings per side to see a 5-point drop from 85 %" */
function needs({ before, after }: Comparison): string {
  const known = before.n > 0 ? before : after;
  if (known.n === 0) return "needs ratings";
  const rate = known.successes / known.n;
  for (const points of [POINTS_ASKED, POINTS_MIN]) {
    const each = ratingsNeeded(rate, points);
    if (Math.min(before.n, after.n) >= each) continue;
    const direction = rate >= points ? "drop" : "rise";
    return `needs ≈ ${each.toLocaleString("en-US")} ratings per side to see a ${points * 100}-point ${direction} from ${Math.round(rate * 100)} %`;
  }
  return `lies too near ${POINTS_MIN * 100} points to call`;
}
