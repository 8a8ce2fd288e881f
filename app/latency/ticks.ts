import type { View } from "#app/_frame/view.ts";
import { timeParts } from "#app/_ui/time.ts";
import { cutIntoBuckets } from "#lib/range.ts";

export interface Tick {
  at: number;
  label: string;
}

const LABELS = 8;
const DAY_MS = 86_400_000;

/** At most eight round local times inside a range. */
export function timeTicks({ interval, zone }: Pick<View, "interval" | "zone">): Tick[] {
  const { edges, width } = cutIntoBuckets(interval, zone, LABELS);
  return edges.slice(1, -1).map((at) => {
    const { day, minute, second } = timeParts(at, zone);
    const label = width.ms >= DAY_MS || second === "00:00:00" ? day : width.ms < 60_000 ? second : minute;
    return { at, label };
  });
}

/** 1, 2 and 5 of every power of ten that people read as a duration; then half a minute, one, two. */
const LATENCIES_MS = [
  ...[0.01, 0.1, 1, 10, 100, 1000].flatMap((power) => [power, 2 * power, 5 * power]),
  10_000,
  30_000,
  60_000,
  120_000,
  300_000,
  600_000,
];
const LATENCY_LABELS = 9;

/** Round durations between two others, few enough to be written beneath each other. */
export function latencyTicks(lowMs: number, highMs: number): Tick[] {
  const inside = LATENCIES_MS.filter((ms) => ms >= lowMs && ms <= highMs);
  const every = Math.ceil(inside.length / LATENCY_LABELS);
  return inside.filter((_, i) => i % every === 0).map((at) => ({ at, label: shortDuration(at) }));
}

/** "50 ms", "0.2 ms", "2 s", "1 m" */
function shortDuration(ms: number): string {
  if (ms < 1000) return `${ms} ms`;
  return ms < 60_000 ? `${ms / 1000} s` : `${ms / 60_000} m`;
}
