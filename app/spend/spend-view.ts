import { hrefOf, type Params, readView, type View } from "#app/_frame/view.ts";
import { SPEND_GROUPINGS, type SpendGrouping } from "#db/queries/spend-page.ts";
import { type Buckets, cutIntoBuckets, type Interval, msToWall, type Range, wallToMs } from "#lib/range.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const DEFAULT_GROUPING: SpendGrouping = "feature";
/** OpenAI's invoices are of UTC days. */
export const INVOICE_ZONE = "UTC";
/** What an address without a range means on other pages: their links leave it out. */
const ELSEWHERE_RANGE = "24h";

/** What the address says about money: without a range the month that runs in UTC, without a zone UTC, whoever looks. */
export interface SpendView extends View {
  grouping: SpendGrouping;
  /** YYYY-MM */
  month: string;
}

export function readSpendView(params: Params, nowMs = Date.now()): SpendView {
  const month = new Date(nowMs).toISOString().slice(0, 7);
  const view = readView({ ...params, r: params.r ?? month }, INVOICE_ZONE, nowMs);
  const wanted = Array.isArray(params.g) ? params.g[0] : params.g;
  const grouping = SPEND_GROUPINGS.find((one) => one === wanted);
  const complaints =
    wanted === undefined || grouping
      ? view.complaints
      : [...view.complaints, `Spend is not grouped by “${wanted}”; this is by feature.`];
  return { ...view, complaints, grouping: grouping ?? DEFAULT_GROUPING, month };
}

type Changes = NonNullable<Parameters<typeof hrefOf>[2]> & { grouping?: SpendGrouping };

/** The address of the same view with some parts changed; what is the default here is left out. */
export function spendHref(view: SpendView, changes: Changes = {}, path = "/spend"): string {
  return asSpendHref(hrefOf(path, view, changes), { ...view, grouping: changes.grouping ?? view.grouping });
}

/** An address made for pages with other defaults, as one that means the same here. */
export function asSpendHref(href: string, { month, grouping }: Pick<SpendView, "month" | "grouping">): string {
  const { pathname, searchParams: query } = new URL(href, "http://dashboard");
  const range = query.get("r") ?? ELSEWHERE_RANGE;
  const parts = [
    ["r", range === month ? null : range],
    ["tz", query.get("tz") === INVOICE_ZONE ? null : query.get("tz")],
    ["f", query.get("f")],
    ["g", grouping === DEFAULT_GROUPING ? null : grouping],
  ].flatMap(([name, value]) => (value ? [`${name}=${legible(value)}`] : []));
  return parts.length ? `${pathname}?${parts.join("&")}` : pathname;
}

/** The same calls on their own page. The zone goes along: a month means another stretch of time in another one. */
export const callsHref = (view: SpendView, filter: View["filter"]): string =>
  hrefOf("/calls", { ...view, zonePinned: true }, { filter });

/** Days for most ranges; hours for up to two days, weeks and months for more than a quarter of a year. */
export function spendBuckets({ interval, zone }: Pick<View, "interval" | "zone">): Buckets {
  const length = interval.toMs - interval.fromMs;
  // A day on which clocks go back has 25 hours.
  const finestMs = length <= 2 * DAY_MS + 2 * HOUR_MS ? (length <= 4 * HOUR_MS ? HOUR_MS / 4 : HOUR_MS) : DAY_MS;
  return cutIntoBuckets(interval, zone, 100, finestMs);
}

/** Always days of the zone, however many. */
export const spendDays = ({ interval, zone }: Pick<View, "interval" | "zone">): number[] =>
  cutIntoBuckets(interval, zone, Number.POSITIVE_INFINITY, DAY_MS).edges;

/** A stretch of time as a range; in the zone's own words where these mean the same. */
export function rangeOf({ fromMs, toMs }: Interval, zone: string): Range {
  const edge = (ms: number) => {
    const wall = msToWall(ms, zone);
    return wall % DAY_MS === 0 && wallToMs(wall, zone) === ms ? { wall } : { at: ms };
  };
  return { kind: "between", from: edge(fromMs), to: edge(toMs) };
}

/** Signs that mean nothing special inside a query's value stay as they are. */
const legible = (value: string) =>
  encodeURIComponent(value)
    .replaceAll("%3A", ":")
    .replaceAll("%2C", ",")
    .replaceAll("%3B", ";")
    .replaceAll("%2F", "/")
    .replaceAll("%7B", "{")
    .replaceAll("%7D", "}");
