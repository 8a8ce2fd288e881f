import { UPTO_MS } from "#db/fold-spend.ts";
import type { Interval } from "#lib/range.ts";
import type { Reader } from "./call-filter.ts";
import { foldedDaysOf, joined, STRETCHES_MAX } from "./folded-days.ts";

const DAY_MS = 86_400_000;

/** A row of `rollup_spend_upto` that counts (`sign` 1) or is taken off (-1) in what begins at `bucketMs`. */
export interface Step {
  dayMs: number;
  upto: number;
  bucketMs: number;
  sign: 1 | -1;
}

export interface UptoStretches {
  /** Whole UTC days. */
  days: Interval[];
  /** Parts of days: each is what had come by its end without what had come by its beginning. */
  steps: Step[];
  /** The rest: quarters of an hour. */
  quarters: Interval[];
}

/**
 * Where a stretch of whole quarters of an hour can be read as what its days had come to by a half hour. `edges` are where the reader
 * tells time apart: a day in which one is no half hour (Nepal, Chatham) is read by quarters.
 */
export async function uptoStretches(
  sql: Reader,
  project: string,
  interval: Interval,
  edges: readonly number[],
): Promise<UptoStretches> {
  const folded = new Set(await foldedDaysOf(sql, project, "spend", interval));
  const cuts = Map.groupBy(edges, (at) => dayOf(at));
  const days: number[] = [];
  const steps: Step[] = [];
  const quarters: Interval[] = [];
  for (let dayMs = dayOf(interval.fromMs); dayMs < interval.toMs; dayMs += DAY_MS) {
    const fromMs = Math.max(interval.fromMs, dayMs);
    const toMs = Math.min(interval.toMs, dayMs + DAY_MS);
    const [first, last] = [Math.ceil(fromMs / UPTO_MS) * UPTO_MS, Math.floor(toMs / UPTO_MS) * UPTO_MS];
    const inner = (cuts.get(dayMs) ?? []).filter((at) => at > fromMs && at < toMs);
    if (!folded.has(dayMs) || first >= last || inner.some((at) => at % UPTO_MS !== 0)) {
      quarters.push({ fromMs, toMs });
      continue;
    }
    if (first === dayMs && last === dayMs + DAY_MS && inner.length === 0) days.push(dayMs);
    else steps.push(...stepsOf(dayMs, [...new Set([first, ...inner, last])]));
    quarters.push({ fromMs, toMs: first }, { fromMs: last, toMs });
  }
  const rest = merged(quarters.filter(({ fromMs, toMs }) => fromMs < toMs));
  const stretches = joined(days);
  return stretches.length + rest.length > STRETCHES_MAX
    ? { days: [], steps: [], quarters: [interval] }
    : { days: stretches, steps, quarters: rest };
}

const dayOf = (ms: number) => Math.floor(ms / DAY_MS) * DAY_MS;

/** The pieces of a day between some of its half hours, in ascending order. */
function stepsOf(dayMs: number, cuts: readonly number[]): Step[] {
  return cuts.slice(1).flatMap((toMs, i) => {
    const bucketMs = cuts[i] as number;
    const at = (ms: number, sign: Step["sign"]): Step => ({ dayMs, upto: (ms - dayMs) / UPTO_MS, bucketMs, sign });
    // Nothing had come when the day began.
    return bucketMs === dayMs ? [at(toMs, 1)] : [at(toMs, 1), at(bucketMs, -1)];
  });
}

function merged(stretches: readonly Interval[]): Interval[] {
  const all: Interval[] = [];
  for (const one of stretches) {
    const last = all.at(-1);
    if (last?.toMs === one.fromMs) last.toMs = one.toMs;
    else all.push({ ...one });
  }
  return all;
}
