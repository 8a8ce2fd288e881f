import { statSync } from "node:fs";
import { join } from "node:path";
import type { SpoolPosition } from "./reader.ts";
import { listSegments, segmentName } from "./segment.ts";

/** What lies in a spool behind a position. */
export interface SpoolDepth {
  segments: number;
  bytes: number;
  /** When the oldest of them was begun, in milliseconds; null: there is nothing. */
  begunAtMs: number | null;
}

/** What waits for the recorder when everything before `stored` is stored. A segment that goes away meanwhile is stored too. */
export function spoolDepth(dir: string, stored: SpoolPosition): SpoolDepth {
  const waiting = listSegments(dir)
    .filter((number) => number >= stored.segment)
    .map((number) => ({ number, bytes: sizeOf(dir, number) - (number === stored.segment ? stored.offset : 0) }))
    .filter(({ bytes }) => bytes > 0);
  return {
    segments: waiting.length,
    bytes: waiting.reduce((sum, { bytes }) => sum + bytes, 0),
    // A segment's number is the second in which it was begun (lib/spool/writer.ts), or a little more.
    begunAtMs: waiting[0] ? waiting[0].number * 1000 : null,
  };
}

function sizeOf(dir: string, segment: number): number {
  return statSync(join(dir, segmentName(segment)), { throwIfNoEntry: false })?.size ?? 0;
}
