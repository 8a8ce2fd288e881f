/** A column of time and the 95th percentile in it; null: too few calls to have one. */
export interface Paced {
  fromMs: number;
  toMs: number;
  p95Ms: number | null;
}

/** What counts as slow: both limits are on a column's 95th percentile. */
export interface Rule {
  /** At least so many times the usual. */
  times: number;
  /** At least so much: more than the usual, or in all. */
  ms: number;
  msIs: "more" | "in all";
}

/** Waiting of any kind. */
export const WAITING: Rule = { times: 1.5, ms: 100, msIs: "more" };
/** Omnimeter's own share of it, which is a fraction of a millisecond as a rule. */
export const OWN: Rule = { times: 3, ms: 50, msIs: "in all" };

/** Below this a middle and a spread say nothing. */
const COLUMNS_MIN = 4;
/**
 * Columns of a quiet range scatter by themselves. A stretch stands out when its mean is so many standard deviations of a mean
 * of that many columns above the usual: over quiet made-up ranges one in twenty or fewer has such a stretch (tests/app).
 */
const DEVIATIONS = 5.5;
/** Median of |a − b| of two draws from the same normal distribution, in its standard deviations: 0.6745 · √2. */
const MEDIAN_OF_NEIGHBOURS = 0.9539;

export interface Episode {
  fromMs: number;
  toMs: number;
  /** No column after it says that it is over. */
  reachesEnd: boolean;
  /** Positions in the columns given, the last one included. */
  first: number;
  last: number;
}

export interface Watched {
  /** The level that the columns were held against. */
  usualMs: number;
  /** From which p95 on a column is slow. */
  limitMs: number;
  episode: Episode | null;
}

/**
 * The latest slow stretch. `usualMs` null: the middle of the columns themselves, so that what is slow for most of the range is
 * taken for usual. null: fewer than COLUMNS_MIN columns have a percentile.
 */
export function findEpisode(columns: readonly Paced[], rule: Rule, usualMs: number | null): Watched | null {
  const known = columns.flatMap(({ p95Ms }) => p95Ms ?? []);
  if (known.length < COLUMNS_MIN) return null;
  const usual = usualMs ?? lowerMedian(known);
  const limitMs = Math.max(usual * rule.times, rule.msIs === "more" ? usual + rule.ms : rule.ms);
  const scatter = scatterOf(known);
  const standsOut = (run: readonly Paced[]) => {
    // What is a limit of its own needs no comparison with how much quiet columns differ.
    if (rule.msIs === "in all") return true;
    const above = run.flatMap(({ p95Ms }) => (p95Ms !== null && p95Ms >= limitMs ? Math.log(p95Ms / usual) : []));
    const mean = above.reduce((sum, one) => sum + one, 0) / above.length;
    return mean >= (DEVIATIONS * scatter) / Math.sqrt(above.length);
  };
  return { usualMs: usual, limitMs, episode: latestRun(columns, limitMs, standsOut) };
}

/**
 * A stretch's bounds, told by finer columns around it: from the first of them that is slow to the last. Where none of them is, it
 * stays as it was.
 */
export function narrowed(episode: Episode, finer: readonly Paced[], limitMs: number): Episode {
  const slow = finer.filter(({ p95Ms }) => p95Ms !== null && p95Ms >= limitMs);
  const [first, last] = [slow[0], slow.at(-1)];
  return first && last ? { ...episode, fromMs: first.fromMs, toMs: last.toMs } : episode;
}

/** One column between slow ones that is not slow, or has too few calls to tell, does not end a stretch. */
function latestRun(
  columns: readonly Paced[],
  limitMs: number,
  standsOut: (run: readonly Paced[]) => boolean,
): Episode | null {
  const isSlow = (one: Paced | undefined) => one !== undefined && one.p95Ms !== null && one.p95Ms >= limitMs;
  for (let last = columns.length - 1; last >= 0; last--) {
    if (!isSlow(columns[last])) continue;
    let first = last;
    for (let i = last - 1; i >= 0 && first - i <= 2; i--) if (isSlow(columns[i])) first = i;
    if (!standsOut(columns.slice(first, last + 1))) {
      last = first;
      continue;
    }
    return {
      fromMs: (columns[first] as Paced).fromMs,
      toMs: (columns[last] as Paced).toMs,
      reachesEnd: columns.slice(last + 1).every(({ p95Ms }) => p95Ms === null),
      first,
      last,
    };
  }
  return null;
}

/**
 * Standard deviation of the logarithms from one column to the next: a change of level moves one pair of neighbours, and does
 * not look like scatter.
 */
function scatterOf(values: readonly number[]): number {
  const steps = values.slice(1).map((value, i) => Math.abs(Math.log(value / (values[i] as number))));
  return lowerMedian(steps) / MEDIAN_OF_NEIGHBOURS;
}

/** Of two in the middle the lower: what is slow for half of the range is not usual. */
function lowerMedian(values: readonly number[]): number {
  const ascending = values.toSorted((a, b) => a - b);
  return ascending[Math.floor((ascending.length - 1) / 2)] as number;
}
