import { busyness, FEATURES } from "./features.ts";
import type { Random } from "./random.ts";

const MINUTE_MS = 60_000;
export const DAY_MS = 86_400_000;

/** One UTC day of the period, or the part of it that lies inside. */
export interface Day {
  readonly dayMs: number;
  readonly calls: number;
  /** When call `slot` of `slots` starts: the more the busier; later slots come later. */
  at(slot: number, slots: number, random: Random): number;
}

/** Divides `calls` among the days as the company is busy: by hour and weekday, and growing. The days' calls sum to `calls`. */
export function createDays({ fromMs, untilMs, calls }: { fromMs: number; untilMs: number; calls: number }): Day[] {
  const firstMs = Math.floor(fromMs / DAY_MS) * DAY_MS;
  const count = Math.ceil((untilMs - firstMs) / DAY_MS);
  const profiles = Array.from({ length: count }, (_, day) => profile(firstMs + day * DAY_MS, fromMs, untilMs));
  const total = profiles.reduce((sum, { weight }) => sum + weight, 0);
  let before = 0;
  return profiles.map(({ dayMs, upTo, weight }) => {
    const from = Math.round((before / total) * calls);
    before += weight;
    const day = { dayMs, calls: Math.round((before / total) * calls) - from };
    return { ...day, at: (slot, slots, random) => momentAt(dayMs, upTo, (slot + random.next()) / slots, random) };
  });
}

interface Profile {
  dayMs: number;
  /** How busy the day is up to the end of each minute. */
  upTo: Float64Array;
  weight: number;
}

function profile(dayMs: number, fromMs: number, untilMs: number): Profile {
  const upTo = new Float64Array(DAY_MS / MINUTE_MS);
  const growth = 0.75 + (0.5 * (dayMs - fromMs)) / (untilMs - fromMs);
  let weight = 0;
  for (let minute = 0; minute < upTo.length; minute++) {
    const ms = dayMs + minute * MINUTE_MS;
    const isInside = ms >= fromMs && ms + MINUTE_MS <= untilMs;
    if (isInside) weight += growth * FEATURES.reduce((sum, feature) => sum + feature.share * busyness(feature, ms), 0);
    upTo[minute] = weight;
  }
  return { dayMs, upTo, weight };
}

function momentAt(dayMs: number, upTo: Float64Array, part: number, random: Random): number {
  const wanted = part * (upTo.at(-1) as number);
  let low = 0;
  for (let high = upTo.length - 1; low < high; ) {
    const middle = (low + high) >>> 1;
    if ((upTo[middle] as number) > wanted) high = middle;
    else low = middle + 1;
  }
  const before = low > 0 ? (upTo[low - 1] as number) : 0;
  const inside = (upTo[low] as number) - before;
  const within = inside > 0 ? (wanted - before) / inside : random.next();
  return dayMs + Math.floor((low + Math.min(within, 0.999999)) * MINUTE_MS);
}
