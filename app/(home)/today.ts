import { type Interval, msToWall, wallToMs } from "#lib/range.ts";

const DAY_MS = 86_400_000;

/** The day of a moment in a zone, and how far the same weekday had come one week before, by the zone's clocks. */
export function today(nowMs: number, zone: string): { day: Interval; weekAgo: Interval } {
  const wallNow = msToWall(nowMs, zone);
  const midnight = Math.floor(wallNow / DAY_MS) * DAY_MS;
  return {
    day: { fromMs: wallToMs(midnight, zone), toMs: wallToMs(midnight + DAY_MS, zone) },
    weekAgo: { fromMs: wallToMs(midnight - 7 * DAY_MS, zone), toMs: wallToMs(wallNow - 7 * DAY_MS, zone) },
  };
}
