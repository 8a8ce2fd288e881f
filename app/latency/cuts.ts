import type { View } from "#app/_frame/view.ts";
import { type Buckets, cutIntoBuckets, type Interval, WIDTHS } from "#lib/range.ts";

const HOUR_MS = 3_600_000;
const QUARTER_MS = 900_000;
/** Longer ranges are answered by the rollup, which knows quarters of an hour. */
const FINE_MAX_MS = 6 * HOUR_MS;
const COLUMNS_MAX = 200;
/** Fewer calls than this have no 95th percentile. */
const COLUMN_CALLS_MIN = 20;
/** Wider columns than this many would leave nothing to compare. */
const COLUMNS_WANTED = 6;

/** Ranges longer than this are cut into UTC days, wherever one looks from: those are summed already. */
const DAYS_FROM_MS = 14 * 24 * HOUR_MS;

type Cut = Pick<View, "interval" | "zone">;

/** Whose days and hours the columns are. */
export const columnZone = ({ interval, zone }: Cut): string =>
  interval.toMs - interval.fromMs > DAYS_FROM_MS ? "UTC" : zone;

/** What a column is, in words. */
export const columnName = (view: Cut, { width }: Buckets): string =>
  columnZone(view) === view.zone ? width.name : `UTC ${width.name}`;

/** Columns of a heatmap: as fine as they can be drawn and read. */
export const cellColumns = (cut: Cut): Buckets =>
  cutIntoBuckets(cut.interval, columnZone(cut), COLUMNS_MAX, finestMs(cut.interval));

function finestMs({ fromMs, toMs }: Interval): number {
  if (toMs - fromMs > DAYS_FROM_MS) return 24 * HOUR_MS;
  return toMs - fromMs > FINE_MAX_MS ? QUARTER_MS : 0;
}

/**
 * Columns for percentiles: the finest in which at least half of the calls share a column with enough others for a 95th
 * percentile. `counts` are the calls in each of the heatmap's columns.
 */
export function percentileColumns(view: Cut, cells: Buckets, counts: readonly number[]): Buckets {
  const [interval, zone] = [view.interval, columnZone(view)];
  let cut = cells;
  for (const { ms } of WIDTHS) {
    if (ms < cells.width.ms) continue;
    const wider = cutIntoBuckets(interval, zone, COLUMNS_MAX, ms);
    if (wider.edges.length - 1 < COLUMNS_WANTED) break;
    cut = wider;
    if (isFull(summed(cells.edges, counts, wider.edges))) break;
  }
  return cut;
}

/** Finer and finer columns over a stretch of time, the finest first: one of them may still have calls enough. */
export const finerColumns = (interval: Interval, zone: string): Buckets[] =>
  [72, 24, 8].map((most) => cutIntoBuckets(interval, zone, most));

/** Do at least half of the calls share their column with enough others for a 95th percentile? */
export function isFull(counts: readonly number[]): boolean {
  const sum = (some: readonly number[]) => some.reduce((all, n) => all + n, 0);
  return sum(counts.filter((n) => n >= COLUMN_CALLS_MIN)) * 2 >= sum(counts);
}

/** Counts of fine columns, each given to the wider column in which its middle lies. */
function summed(fine: readonly number[], counts: readonly number[], wide: readonly number[]): number[] {
  const sums = wide.slice(1).map(() => 0);
  for (const [i, n] of counts.entries()) {
    const middle = ((fine[i] as number) + (fine[i + 1] as number)) / 2;
    const at = wide.findLastIndex((edge) => edge <= middle);
    if (at >= 0 && at < sums.length) sums[at] = (sums[at] as number) + n;
  }
  return sums;
}
