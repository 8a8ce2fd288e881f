/**
 * A stretch of time as the URL holds it (`r=24h`, `r=2026-10`, `r=A..B`), and the moments it stands for in a time
 * zone. Milliseconds since the epoch; the end is exclusive.
 */
export type Range =
  | { kind: "last"; text: string; ms: number }
  | { kind: "month"; year: number; month: number }
  | { kind: "between"; from: Edge; to: Edge };

/** One end of an explicit range: a moment, or a wall-clock time that means what the page's time zone says. */
export type Edge = { at: number } | { wall: number };

export interface Interval {
  fromMs: number;
  toMs: number;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const UNIT_MS = { m: MINUTE_MS, h: HOUR_MS, d: DAY_MS } as const;
const LONGEST_MS = 3660 * DAY_MS;

/** null: not a range. */
export function parseRange(text: string): Range | null {
  const last = /^([1-9]\d{0,3})([mhd])$/.exec(text);
  if (last) {
    const ms = Number(last[1]) * UNIT_MS[last[2] as keyof typeof UNIT_MS];
    return ms <= LONGEST_MS ? { kind: "last", text, ms } : null;
  }
  const month = /^(\d{4})-(\d\d)$/.exec(text);
  if (month) {
    const number = Number(month[2]);
    // Years of which neither JavaScript nor Postgres makes another one.
    const isYear = Number(month[1]) >= 1970 && Number(month[1]) < 9999;
    return isYear && number >= 1 && number <= 12 ? { kind: "month", year: Number(month[1]), month: number } : null;
  }
  // An unescaped plus sign of an offset arrives as a space.
  const [a, b, more] = text.replaceAll(" ", "+").split("..");
  const from = a === undefined ? null : parseEdge(a);
  const to = b === undefined || more !== undefined ? null : parseEdge(b);
  return from && to ? { kind: "between", from, to } : null;
}

export function formatRange(range: Range): string {
  if (range.kind === "last") return range.text;
  if (range.kind === "month") return `${String(range.year).padStart(4, "0")}-${String(range.month).padStart(2, "0")}`;
  return `${formatEdge(range.from)}..${formatEdge(range.to)}`;
}

/** The moments a range stands for; null when it ends before it begins. */
export function resolveRange(range: Range, zone: string, nowMs: number): Interval | null {
  if (range.kind === "last") return { fromMs: nowMs - range.ms, toMs: nowMs };
  if (range.kind === "month")
    return {
      fromMs: wallToMs(Date.UTC(range.year, range.month - 1), zone),
      toMs: wallToMs(Date.UTC(range.year, range.month), zone),
    };
  const fromMs = edgeMs(range.from, zone);
  const toMs = edgeMs(range.to, zone);
  return toMs > fromMs && toMs - fromMs <= LONGEST_MS ? { fromMs, toMs } : null;
}

export function isZone(text: string): boolean {
  try {
    zoneClock(text);
    return true;
  } catch {
    return false;
  }
}

/** What a wall clock in the zone shows, as if it were UTC. */
export const msToWall = (ms: number, zone: string): number => ms + offsetMs(ms, zone);

/**
 * The moment at which a wall clock in the zone shows this time. A time that comes twice means its first coming; one
 * that is skipped means as much later as clocks jump.
 */
export function wallToMs(wall: number, zone: string): number {
  const before = offsetMs(wall - DAY_MS, zone);
  const after = offsetMs(wall + DAY_MS, zone);
  const shown = [wall - before, wall - after].filter((ms) => ms + offsetMs(ms, zone) === wall);
  return shown.length ? Math.min(...shown) : wall - before;
}

export interface Buckets {
  /** Where each bucket starts, and the end of the last one: the interval, cut at round local times. */
  edges: number[];
  width: BucketWidth;
}

export type BucketWidth = (typeof WIDTHS)[number];

/** From finest to coarsest. Those below 15 minutes are too fine for rollups. */
export const WIDTHS = [
  { name: "5 seconds", ms: 5_000 },
  { name: "15 seconds", ms: 15_000 },
  { name: "30 seconds", ms: 30_000 },
  { name: "minute", ms: MINUTE_MS },
  { name: "2 minutes", ms: 2 * MINUTE_MS },
  { name: "5 minutes", ms: 5 * MINUTE_MS },
  { name: "15 minutes", ms: 15 * MINUTE_MS },
  { name: "30 minutes", ms: 30 * MINUTE_MS },
  { name: "hour", ms: HOUR_MS },
  { name: "3 hours", ms: 3 * HOUR_MS },
  { name: "6 hours", ms: 6 * HOUR_MS },
  { name: "12 hours", ms: 12 * HOUR_MS },
  { name: "day", ms: DAY_MS },
  { name: "week", ms: 7 * DAY_MS },
  { name: "month", ms: 31 * DAY_MS },
] as const;

/**
 * Cuts an interval into at most `most` buckets of the finest width that allows it. Days, weeks and months are the
 * zone's own (23 or 25 hours long when clocks change); shorter buckets start anew at each local midnight.
 */
export function cutIntoBuckets(interval: Interval, zone: string, most = 200, finestMs = 0): Buckets {
  const length = interval.toMs - interval.fromMs;
  for (const width of WIDTHS) {
    if (width.ms < finestMs || length / width.ms > most) continue;
    const edges = bucketEdges(interval, zone, width);
    if (edges.length - 1 <= most) return { edges, width };
  }
  const width = WIDTHS[WIDTHS.length - 1] as BucketWidth;
  return { edges: bucketEdges(interval, zone, width), width };
}

function bucketEdges({ fromMs, toMs }: Interval, zone: string, width: BucketWidth): number[] {
  const inner: number[] = [];
  for (const at of roundTimes(fromMs, toMs, zone, width)) if (at > fromMs && at < toMs) inner.push(at);
  return [fromMs, ...inner, toMs];
}

function* roundTimes(fromMs: number, toMs: number, zone: string, width: BucketWidth): Generator<number> {
  const first = new Date(msToWall(fromMs, zone));
  if (width.name === "month") {
    for (let month = first.getUTCMonth(); ; month++) {
      const at = wallToMs(Date.UTC(first.getUTCFullYear(), month), zone);
      if (at >= toMs) return;
      yield at;
    }
  }
  const today = Math.floor(first.getTime() / DAY_MS) * DAY_MS;
  if (width.ms >= DAY_MS) {
    // 1970-01-05 was a Monday.
    const start = width.name === "week" ? today - ((today / DAY_MS + 3) % 7) * DAY_MS : today;
    for (let wall = start; ; wall += width.ms) {
      const at = wallToMs(wall, zone);
      if (at >= toMs) return;
      yield at;
    }
  }
  for (let day = today; ; day += DAY_MS) {
    const midnight = wallToMs(day, zone);
    if (midnight >= toMs) return;
    const next = wallToMs(day + DAY_MS, zone);
    const skipped = Math.max(0, Math.floor((fromMs - midnight) / width.ms));
    for (let at = midnight + skipped * width.ms; at < next && at < toMs; at += width.ms) yield at;
  }
}

function parseEdge(text: string): Edge | null {
  const parts = /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,3}))?)?(Z|[+-]\d\d:\d\d)?)?$/.exec(text);
  if (!parts) return null;
  const [, year, month, day, hour = "0", minute = "0", second = "0", fraction = "0", offset] = parts;
  const wall = Date.UTC(
    +(year ?? 0),
    +(month ?? 0) - 1,
    +(day ?? 0),
    +hour,
    +minute,
    +second,
    +fraction.padEnd(3, "0"),
  );
  // 31 February and 25:00 roll over: what comes back differs.
  if (
    new Date(wall).toISOString().slice(0, 16) !==
    `${year}-${month}-${day}T${hour.padStart(2, "0")}:${minute.padStart(2, "0")}`
  )
    return null;
  if (offset === undefined) return { wall };
  if (offset === "Z") return { at: wall };
  const minutes = Number(offset.slice(1, 3)) * 60 + Number(offset.slice(4));
  return { at: wall - (offset.startsWith("-") ? -1 : 1) * minutes * MINUTE_MS };
}

const edgeMs = (edge: Edge, zone: string) => ("at" in edge ? edge.at : wallToMs(edge.wall, zone));

function formatEdge(edge: Edge): string {
  const iso = new Date("at" in edge ? edge.at : edge.wall).toISOString().replace(/(?::00)?\.000Z$/, "Z");
  return "at" in edge ? iso : iso.slice(0, -1).replace(/T00:00$/, "");
}

const clocks = new Map<string, Intl.DateTimeFormat>();

function zoneClock(zone: string): Intl.DateTimeFormat {
  let clock = clocks.get(zone);
  if (!clock) {
    clock = new Intl.DateTimeFormat("en-US", {
      timeZone: zone,
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
    // Zone names come from URLs: real ones are about 600, and each formatter weighs some kilobytes.
    if (clocks.size >= 64) clocks.clear();
    clocks.set(zone, clock);
  }
  return clock;
}

/** How far the zone's clocks are ahead of UTC at a moment. */
export function offsetMs(ms: number, zone: string): number {
  if (zone === "UTC") return 0;
  const field: Record<string, number> = {};
  for (const { type, value } of zoneClock(zone).formatToParts(ms)) field[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = field;
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(ms / 1000) * 1000;
}
