import { formatDuration } from "#app/_ui/format.ts";
import { timeParts } from "#app/_ui/time.ts";
import { clock } from "./finding-sentence.ts";
import type { Selection } from "./selection.ts";

/** "between 1.00 s and 2.00 s, from 20 Nov 14:05 to 14:20" */
export function boundsText({ fromMs, toMs, lowMs, highMs }: Selection, zone: string): string {
  const times = `from ${clock(fromMs, zone, "")} to ${clock(toMs, zone, timeParts(fromMs, zone).day)}`;
  if (lowMs === null && highMs === null) return times;
  if (lowMs === null) return `below ${formatDuration(highMs)}, ${times}`;
  if (highMs === null) return `from ${formatDuration(lowMs)} up, ${times}`;
  return `between ${formatDuration(lowMs)} and ${formatDuration(highMs)}, ${times}`;
}
