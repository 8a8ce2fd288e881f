import type { KeyObject } from "node:crypto";
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { type Frame, readFrames } from "./frames.ts";
import { BATCH_HEADER_BYTES, listSegments, MARK, openBatch, readSegmentHeader, segmentName } from "./segment.ts";

/** A place between two batches. Offset 0 is before the segment's header. */
export interface SpoolPosition {
  segment: number;
  offset: number;
}

export const isBefore = (a: SpoolPosition, b: SpoolPosition): boolean =>
  a.segment < b.segment || (a.segment === b.segment && a.offset < b.offset);

/** One batch as read: its frames (views, valid until the next read) and where it lies. */
export interface ReadBatch {
  run: string;
  frames: Iterable<Frame>;
  from: SpoolPosition;
  to: SpoolPosition;
}

export interface SpoolReader {
  /** The next batch, `null` when there is nothing (whole) to read now. */
  next(): ReadBatch | null;
  /** Batches that were torn or corrupt, so far. */
  damaged(): number;
  close(): void;
}

const READ_BYTES = 4 << 20;

/**
 * Reads batches in the order in which they were written, from a position on, while the writer goes on writing. A segment
 * is final once a later one exists; what is left of it then is torn. Damage costs the batch it is in: reading goes
 * on at the next mark. Given several directories, it reads the segments of all of them as of one.
 */
export function createSpoolReader(dir: string | readonly string[], key: Buffer, from: SpoolPosition): SpoolReader {
  const dirs = [dir].flat();
  let segment = from.segment;
  let resumeAt = from.offset;
  let fd = -1;
  let run = "";
  let segmentKey: KeyObject | null = null;
  /** Bytes of the segment from `base` on. */
  let bytes: Buffer = Buffer.alloc(0);
  let base = 0;
  let offset = 0;
  let damage = 0;
  let inDamage = false;

  return {
    next() {
      for (;;) {
        if (fd < 0 && !openNext()) return null;
        const batch = readHere(false);
        if (batch) return batch;
        // Once a later segment exists, everything of this one is there to be read: ask first, then read the rest.
        if (laterSegment() === null) return null;
        const rest = readHere(true);
        if (rest) return rest;
        leave();
      }
    },
    damaged: () => damage,
    close: leave,
  };

  function openNext(): boolean {
    const number = resumeAt > 0 && exists(segment) ? segment : firstFrom(segment);
    if (number === null) return false;
    fd = openSegment(number);
    if (number !== segment) resumeAt = 0;
    segment = number;
    base = 0;
    offset = 0;
    bytes = Buffer.alloc(0);
    segmentKey = null;
    return true;
  }

  function readHere(final: boolean): ReadBatch | null {
    if (!segmentKey && !readHeader(final)) return null;
    for (;;) {
      const opened = openBatch(bytes, offset - base, segmentKey as KeyObject);
      if (opened === "incomplete") {
        if (fill()) continue;
        if (!final || offset >= base + bytes.length) return null;
        // Torn, or damaged where its length stands: there may be whole ones behind it.
        if (!inDamage) damage++;
        inDamage = true;
        if (!seekMark()) return null;
        continue;
      }
      if (opened === "corrupt") {
        if (!inDamage) damage++;
        inDamage = true;
        if (!seekMark()) return null;
        continue;
      }
      inDamage = false;
      const at = { segment, offset };
      offset = base + opened.next;
      return { run, frames: readFrames(opened.plaintext), from: at, to: { segment, offset } };
    }
  }

  function readHeader(final: boolean): boolean {
    let header = readSegmentHeader(bytes, key);
    while (!header && fill()) header = readSegmentHeader(bytes, key);
    if (!header) {
      if (final && bytes.length > 0) damage++;
      return false;
    }
    segmentKey = header.key;
    run = header.header.run;
    offset = Math.max(header.length, resumeAt);
    return true;
  }

  /** Reads more of the file behind what is buffered; lets go of what has been consumed. */
  function fill(): boolean {
    const end = base + bytes.length;
    const size = Math.min(READ_BYTES, fstatSync(fd).size - end);
    if (size <= 0) return false;
    const kept = bytes.subarray(Math.max(0, offset - base));
    const more = Buffer.allocUnsafe(kept.length + size);
    kept.copy(more);
    const count = readSync(fd, more, kept.length, size, end);
    if (count === 0) return false;
    base = end - kept.length;
    bytes = more.subarray(0, kept.length + count);
    return true;
  }

  /** After damage: the next place where a batch opens. */
  function seekMark(): boolean {
    const mark = Buffer.alloc(4);
    mark.writeUInt32LE(MARK);
    for (;;) {
      const found = bytes.indexOf(mark, offset - base + 1);
      if (found >= 0) {
        offset = base + found;
        return true;
      }
      offset = Math.max(offset, base + bytes.length - BATCH_HEADER_BYTES);
      if (!fill()) return false;
    }
  }

  function leave() {
    if (fd >= 0) closeSync(fd);
    fd = -1;
    segment++;
    resumeAt = 0;
  }

  /** A segment that is moved from one directory to the next meanwhile is found there. */
  function openSegment(number: number): number {
    for (const [i, one] of dirs.entries())
      try {
        return openSync(join(one, segmentName(number)), "r");
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ENOENT" || i === dirs.length - 1) throw error;
      }
    throw new Error("a spool has no directory");
  }

  function segments(): number[] {
    if (dirs.length === 1) return listSegments(dirs[0] as string);
    return [...new Set(dirs.flatMap(listSegments))].sort((a, b) => a - b);
  }
  function exists(number: number) {
    return segments().includes(number);
  }
  function firstFrom(number: number) {
    return segments().find((n) => n >= number) ?? null;
  }
  function laterSegment() {
    return segments().find((n) => n > segment) ?? null;
  }
}
