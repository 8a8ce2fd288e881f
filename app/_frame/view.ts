import { isUuid } from "#app/_data/is-uuid.ts";
import type { CallFilter, Scope } from "#db/queries/call-filter.ts";
import type { Cursor } from "#db/queries/calls-page.ts";
import { formatRange, type Interval, isZone, parseRange, type Range, resolveRange } from "#lib/range.ts";
import { formatFilter, parseFilter } from "./filter-text.ts";

/** Until there are several, every page speaks about this project. */
export const PROJECT = "default";
const DEFAULT_RANGE = "24h";
const QUARTER_MS = 900_000;

/** What the URL says a page should show. The URL is all the state there is. */
export interface View {
  range: Range;
  interval: Interval;
  zone: string;
  /** The URL names the zone; otherwise it is the browser's. */
  zonePinned: boolean;
  filter: CallFilter;
  cursor: Cursor;
  live: boolean;
  /** Parts of the address that only the page at `path` knows: they stay in its links, and in nobody else's. */
  own: { path: string; params: Readonly<Record<string, string>> } | null;
  nowMs: number;
  /** Parts of the URL that mean nothing here, in sentences. */
  complaints: string[];
}

export type Params = Readonly<Record<string, string | string[] | undefined>>;

export function readView(params: Params, browserZone: string | undefined, nowMs = Date.now()): View {
  const one = (name: string) => {
    const value = params[name];
    return Array.isArray(value) ? value[0] : value;
  };
  const complaints: string[] = [];
  const zoneWanted = one("tz");
  const zonePinned = zoneWanted !== undefined && isZone(zoneWanted);
  if (zoneWanted !== undefined && !zonePinned) complaints.push(`There is no time zone “${zoneWanted}”.`);
  const zone = zonePinned ? zoneWanted : browserZone && isZone(browserZone) ? browserZone : "UTC";

  const rangeWanted = one("r") ?? DEFAULT_RANGE;
  const parsed = parseRange(rangeWanted);
  const resolved = parsed && resolveRange(parsed, zone, nowMs);
  if (!resolved) complaints.push(`“${rangeWanted}” is not a time range; these are the last 24 hours.`);
  const range = resolved && parsed ? parsed : (parseRange(DEFAULT_RANGE) as Range);
  const interval = resolved ?? { fromMs: nowMs - 96 * QUARTER_MS, toMs: nowMs };
  const { filter, notUnderstood } = parseFilter(one("f") ?? "");
  for (const part of notUnderstood) complaints.push(`The filter “${part}” is not understood and was left out.`);

  return {
    range,
    // A long range up to now ends with its quarter of an hour: nothing is there yet, and rollups hold whole quarters.
    interval:
      range.kind === "last" && range.ms > 24 * QUARTER_MS
        ? { ...interval, toMs: Math.ceil(nowMs / QUARTER_MS) * QUARTER_MS }
        : interval,
    zone,
    zonePinned,
    filter,
    cursor: cursorOf(one("before"), one("after")),
    live: one("live") !== "off",
    own: null,
    nowMs,
    complaints,
  };
}

export const scopeOf = (view: View): Scope => ({ project: PROJECT, interval: view.interval, filter: view.filter });

/** Does the range still grow? Only then is there anything to follow live. */
export const isOpen = (view: View): boolean => view.range.kind === "last" || view.interval.toMs > view.nowMs;

type Changes = Partial<Pick<View, "range" | "filter" | "live" | "cursor">> & { zone?: string | null };

/** The address of the same view with some parts changed. Any change but the cursor's goes back to the first page. */
export function hrefOf(path: string, view: View, changes: Changes = {}): string {
  const query = new URLSearchParams();
  const range = formatRange(changes.range ?? view.range);
  const zone = changes.zone === undefined ? (view.zonePinned ? view.zone : null) : changes.zone;
  const filter = formatFilter(changes.filter ?? view.filter);
  const cursor = changes.cursor ?? null;
  if (range !== DEFAULT_RANGE) query.set("r", range);
  if (zone) query.set("tz", zone);
  if (filter) query.set("f", filter);
  if (!(changes.live ?? view.live)) query.set("live", "off");
  if (view.own?.path === path) for (const [name, value] of Object.entries(view.own.params)) query.set(name, value);
  if (cursor) for (const [name, id] of Object.entries(cursor)) query.set(name, id);
  // Legible addresses: these signs need no escaping in a query.
  const text = query
    .toString()
    .replaceAll("%3A", ":")
    .replaceAll("%2C", ",")
    .replaceAll("%3B", ";")
    .replaceAll("%2F", "/");
  return text ? `${path}?${text}` : path;
}

function cursorOf(before: string | undefined, after: string | undefined): Cursor {
  if (before && isUuid(before)) return { before: before.toLowerCase() };
  if (after && isUuid(after)) return { after: after.toLowerCase() };
  return null;
}
