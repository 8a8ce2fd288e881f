import { FOLDED_AS, type FoldedRollup } from "#db/fold-days.ts";
import type { Interval } from "#lib/range.ts";
import type { Reader } from "./call-filter.ts";

const DAY_MS = 86_400_000;
/** More would make a query long rather than fast. */
export const STRETCHES_MAX = 24;

export interface Stretches {
  /** Whole UTC days that `rollup_…_days` holds. */
  days: Interval[];
  /** The rest: quarters of an hour. */
  quarters: Interval[];
}

/**
 * Where a stretch of whole quarters of an hour can be read by days. A day in which one of the reader's `edges` lies is read by
 * quarters; `edges` null: all are.
 */
export async function foldedStretches(
  sql: Reader,
  project: string,
  rollup: FoldedRollup,
  interval: Interval,
  edges: readonly number[] | null,
): Promise<Stretches> {
  const { fromMs, toMs } = interval;
  const [first, end] = [Math.ceil(fromMs / DAY_MS) * DAY_MS, Math.floor(toMs / DAY_MS) * DAY_MS];
  if (edges === null || first >= end) return { days: [], quarters: [interval] };
  const cut = new Set(edges.filter((at) => at % DAY_MS !== 0).map((at) => Math.floor(at / DAY_MS) * DAY_MS));
  const folded = await foldedDaysOf(sql, project, rollup, { fromMs: first, toMs: end });
  const days = joined(folded.filter((ms) => !cut.has(ms)));
  return days.length > STRETCHES_MAX ? { days: [], quarters: [interval] } : { days, quarters: between(interval, days) };
}

/** The UTC days that a stretch of time touches and that are folded, in their order: when they begin. */
export async function foldedDaysOf(
  sql: Reader,
  project: string,
  rollup: FoldedRollup,
  { fromMs, toMs }: Interval,
): Promise<number[]> {
  const rows = await sql<{ day: string }[]>`
    select day::text from folded_days
    where project_id = ${project} and rollup = ${FOLDED_AS[rollup]}
      and day >= ${dateOf(fromMs)}::date and day <= ${dateOf(toMs - 1)}::date
    order by day`;
  return rows.map(({ day }) => Date.parse(day));
}

const dateOf = (ms: number) => new Date(ms).toISOString().slice(0, 10);

/** Days that follow each other as one stretch. */
export function joined(days: readonly number[]): Interval[] {
  const stretches: Interval[] = [];
  for (const day of days) {
    const last = stretches.at(-1);
    if (last?.toMs === day) last.toMs += DAY_MS;
    else stretches.push({ fromMs: day, toMs: day + DAY_MS });
  }
  return stretches;
}

/** What of a stretch lies outside of some, which are in it and in order. */
export function between({ fromMs, toMs }: Interval, days: readonly Interval[]): Interval[] {
  const froms = [fromMs, ...days.map((one) => one.toMs)];
  const tos = [...days.map((one) => one.fromMs), toMs];
  return froms.flatMap((from, i) => (from < (tos[i] as number) ? [{ fromMs: from, toMs: tos[i] as number }] : []));
}
