import type { View } from "#app/_frame/view.ts";
import { servedByDays } from "#db/queries/attributed-days.ts";
import { servedByRollup } from "#db/queries/call-filter.ts";
import { type Buckets, cutIntoBuckets } from "#lib/range.ts";

const QUARTER_MS = 900_000;
const DAY_MS = 86_400_000;
const COLUMNS_MAX = 200;
/** Ranges longer than this are cut into UTC days, wherever one looks from, when no finer sums are kept by what is filtered by. */
const DAYS_FROM_MS = 14 * DAY_MS;

type Cut = Pick<View, "interval" | "zone" | "filter">;

/** Columns of calls over time that need not be counted call by call. */
export const stripColumns = (cut: Cut): Buckets =>
  isByDays(cut)
    ? cutIntoBuckets(cut.interval, "UTC", COLUMNS_MAX, DAY_MS)
    : cutIntoBuckets(cut.interval, cut.zone, COLUMNS_MAX, QUARTER_MS);

/** What a column is, in words. */
export const stripColumnName = (cut: Cut, { width }: Buckets): string =>
  isByDays(cut) && cut.zone !== "UTC" ? `UTC ${width.name}` : width.name;

const isByDays = ({ interval, filter }: Cut): boolean =>
  interval.toMs - interval.fromMs > DAYS_FROM_MS && !servedByRollup(filter) && servedByDays(filter);
