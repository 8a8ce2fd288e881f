import { createSecretKey, type KeyObject, randomUUID } from "node:crypto";
import { closeSync, fdatasyncSync, fstatSync, statSync } from "node:fs";
import { join } from "node:path";
import { createFrameBuffer } from "./frame-buffer.ts";
import { FRAME, type Tally } from "./frames.ts";
import { createSegmentHeader, listSegments, sealBatch, segmentName } from "./segment.ts";
import { appendAll, createWhole, cutBack, writeFully } from "./segment-file.ts";

/**
 * Appends frames to a spool. One writer per worker and directory.
 *
 *   usual    frames are copied into the batch; at the end of a loop turn with a start or an end, else at 64 kB or
 *            5 ms, the batch is sealed and written with one synchronous write, then the held callbacks run
 *   strained a write took longer than SLOW_MS or failed: batches wait in a queue and one asynchronous write at a time
 *            seals and works it off, in a new segment when this one takes no more for another reason than a full disk; held callbacks run when their batch is written or after HOLD_MS ("at risk"); new calls
 *            are dropped, with their reason, while the disk fails or the queue is full. Back to usual when the queue
 *            is empty and the last write was quick.
 */
export interface SpoolWriter {
  /** One life of this writer. */
  readonly run: string;
  /**
   * Accepts a call. Returns its sequence number, or 0 when it cannot be spooled: then it is counted as dropped
   * and `proceed` is not called. `proceed` runs when the frame is written, at the latest after 50 ms.
   */
  start(json: string, proceed: () => void): number;
  /** Counts a call as accepted and dropped for a reason of the caller's. */
  drop(reason: string): void;
  /** Copies bytes of a body. False: dropped, the body will have a hole. */
  chunk(type: number, seq: number, at: number, offset: number, bytes: Uint8Array): boolean;
  head(seq: number, at: number, json: string): void;
  /**
   * Copies a message of a WebSocket: `kind` is one of MESSAGE, `wireBytes` its length there. `atOnce`: a call is over with it, and
   * whoever hears of that has heard it already. False: dropped.
   */
  message(
    type: typeof FRAME.clientMessage | typeof FRAME.serverMessage,
    seq: number,
    at: number,
    wireBytes: number,
    kind: number,
    text: Uint8Array,
    atOnce?: boolean,
  ): boolean;
  end(seq: number, at: number, json: string, proceed: () => void): void;
  /** False: it cannot be kept now; the sender must be told. `proceed(written)`. */
  feedback(json: string, proceed: (written: boolean) => void): boolean;
  tally(): Tally & { spoolBytes: number; strained: boolean };
  close(): void;
}

export interface SpoolWriterOptions {
  dir: string;
  spool: string;
  key: Buffer;
  spoolBytes: number;
  fsync?: boolean;
  segmentBytes?: number;
  /** Makes the directory again after somebody deleted it. */
  restoreDir?: () => void;
  /** A callback threw: a fault of ours that cost one call its end. */
  onFault?: (error: Error) => void;
  /** Test seam: how a batch reaches the file. */
  appendSync?: (fd: number, parts: Buffer[]) => void;
}

const BATCH_BYTES = 64 << 10;
/** Holds the largest frame whole: 64 KiB of headers, escaped, as UTF-8; a message's text, 256 kB. */
const BUFFER_BYTES = 512 << 10;
const FLUSH_MS = 5;
const HOLD_MS = 50;
const SLOW_MS = 50;
const RETRY_MS = 100;
const QUEUE_BYTES_MAX = 16 << 20;
const SEGMENT_BYTES = 32 << 20;
const SEGMENT_MS = 600_000;

interface Hold {
  proceed: (written: boolean) => void;
  isEnd: boolean;
}
interface OpenSegment {
  number: number;
  fd: number;
  key: KeyObject;
  bytes: number;
  batches: number;
  openedAtMs: number;
}
interface QueuedBatch {
  /** Not sealed yet: a segment has its own key. */
  plaintext: Buffer;
  holds: Hold[];
}

export function createSpoolWriter(options: SpoolWriterOptions): SpoolWriter {
  const { dir, key, fsync = false, segmentBytes = SEGMENT_BYTES } = options;
  const appendSync = options.appendSync ?? appendAll;
  const run = randomUUID();
  const batch = createFrameBuffer(BUFFER_BYTES);
  let holds: Hold[] = [];
  let turnScheduled = false;
  // One timer for ever: arming is a refresh, disarming a flag.
  let armed = false;
  const timer = setTimeout(() => armed && flush(), FLUSH_MS);

  let segment: OpenSegment = { number: 0, fd: -1, key: createSecretKey(key), bytes: 0, batches: 0, openedAtMs: 0 };
  let strained = false;
  let failing: string | null = null;
  const queue: QueuedBatch[] = [];
  let queueBytes = 0;
  let pumping = false;

  let accepted = 0;
  let atRisk = 0;
  const dropped: Record<string, number> = {};
  let tallied = "";
  /** Something was dropped since the last tally. */
  let untold = false;
  let spoolBytes = 0;
  let closed = false;

  openFirst();
  measure();
  // Tells the recorder that this run has begun, and so that the one before is over and what it left open was
  // interrupted: also when no call ever comes.
  writeTally(true);
  const measuring = setInterval(measure, 1000).unref();

  return {
    run,
    start(json, proceed) {
      const reason = refusal();
      if (reason) {
        drop(reason);
        return 0;
      }
      // Why numbers before this one are missing, in the same batch: a crash must not leave the gap unexplained.
      if (untold) addTally();
      const seq = ++accepted;
      addText(FRAME.start, seq, 0, json);
      hold((_written) => proceed(), false);
      return seq;
    },
    drop,
    chunk(type, seq, at, offset, bytes) {
      if (strained && (failing || queueBytes > QUEUE_BYTES_MAX)) return false;
      if (bytes.length <= BATCH_BYTES) addBytes(type, seq, at, offset, bytes);
      else
        for (let from = 0; from < bytes.length; from += BATCH_BYTES)
          addBytes(type, seq, at, offset + from, bytes.subarray(from, from + BATCH_BYTES));
      if (batch.used >= BATCH_BYTES) flush();
      else arm();
      return true;
    },
    head(seq, at, json) {
      addText(FRAME.head, seq, at, json);
      arm();
    },
    message(type, seq, at, wireBytes, kind, text, atOnce = false) {
      if (strained && (failing || queueBytes > QUEUE_BYTES_MAX)) return false;
      makeRoom(1 + text.length);
      batch.addMessage(type, seq, at, wireBytes, kind, text);
      if (atOnce || batch.used >= BATCH_BYTES) flush();
      else arm();
      return true;
    },
    end(seq, at, json, proceed) {
      addText(FRAME.end, seq, at, json);
      hold((_written) => proceed(), true);
    },
    feedback(json, proceed) {
      if (refusal()) return false;
      addText(FRAME.feedback, 0, 0, json);
      hold(proceed, false);
      return true;
    },
    tally: () => ({ accepted, dropped: { ...dropped }, atRisk, spoolBytes, strained }),
    close() {
      if (closed) return;
      writeTally();
      flush();
      closed = true;
      clearInterval(measuring);
      clearTimeout(timer);
      if (queue.length === 0 && segment.fd >= 0) closeSync(segment.fd);
    },
  };

  function drop(reason: string) {
    accepted++;
    dropped[reason] = (dropped[reason] ?? 0) + 1;
    untold = true;
  }

  function arm() {
    if (armed || turnScheduled || closed) return;
    armed = true;
    timer.refresh();
  }

  /** Why a new call cannot be spooled now, or null. */
  function refusal(): string | null {
    if (closed) return "closing";
    if (failing) return failing;
    if (queueBytes > QUEUE_BYTES_MAX) return "disk_slow";
    if (spoolBytes > options.spoolBytes) return "spool_full";
    return null;
  }

  function addText(type: number, seq: number, at: number, json: string) {
    // UTF-8 needs at most three bytes per UTF-16 unit.
    makeRoom(json.length * 3);
    batch.addText(type, seq, at, json);
  }

  function addBytes(type: number, seq: number, at: number, offset: number, bytes: Uint8Array) {
    makeRoom(bytes.length);
    batch.addBytes(type, seq, at, offset, bytes);
  }

  function makeRoom(bytes: number) {
    if (!batch.hasRoom(bytes)) flush();
  }

  function hold(proceed: (written: boolean) => void, isEnd: boolean) {
    holds.push({ proceed, isEnd });
    scheduleTurn();
  }

  function scheduleTurn() {
    if (turnScheduled) return;
    turnScheduled = true;
    setImmediate(endOfTurn);
  }

  function endOfTurn() {
    turnScheduled = false;
    flush();
  }

  function flush() {
    armed = false;
    if (batch.used === 0) return release(holds.splice(0), true);
    if (!strained) rotate();
    const plaintext = batch.take();
    const waiting = holds;
    holds = [];
    if (strained) return enqueue(Buffer.from(plaintext), waiting);
    const parts = sealBatch(segment.key, segment.batches, plaintext);
    const before = performance.now();
    try {
      appendSync(segment.fd, parts);
      if (fsync) fdatasyncSync(segment.fd);
    } catch (error) {
      strain(reasonOf(error));
      return enqueue(Buffer.from(plaintext), waiting);
    }
    segment.batches++;
    const bytes = parts.reduce((sum, part) => sum + part.length, 0);
    segment.bytes += bytes;
    spoolBytes += bytes;
    if (performance.now() - before > SLOW_MS) strain(null);
    release(waiting, true);
  }

  function release(waiting: Hold[], written: boolean) {
    for (const { proceed } of waiting) {
      try {
        proceed(written);
      } catch (error) {
        // The others in this batch must not wait for ever because of one.
        options.onFault?.(error as Error);
      }
    }
  }

  function strain(reason: string | null) {
    strained = true;
    failing = reason;
  }

  function enqueue(plaintext: Buffer, waiting: Hold[]) {
    const entry = { plaintext, holds: waiting };
    queue.push(entry);
    queueBytes += plaintext.length;
    if (waiting.length) setTimeout(overdue, HOLD_MS, entry);
    pump();
  }

  /** The client waits no longer: the ends of this batch go out before they are written. */
  function overdue(entry: QueuedBatch) {
    const late = entry.holds;
    entry.holds = [];
    for (const { isEnd } of late) if (isEnd) atRisk++;
    release(late, false);
  }

  function pump() {
    const entry = queue[0];
    if (pumping || !entry) return;
    pumping = true;
    const before = performance.now();
    // The same number again after a failure: it is the same batch, or another segment's key.
    const into = segment;
    const sealed = Buffer.concat(sealBatch(into.key, into.batches, entry.plaintext));
    writeFully(into.fd, sealed, into.bytes, fsync, (error) => {
      pumping = false;
      // Into a file that somebody deleted meanwhile: once more, into its successor.
      if (into !== segment) return pump();
      if (error) {
        failing = reasonOf(error);
        if (failing === "disk_error" && into.batches > 0) leaveSegment();
        if (into !== segment) return pump();
        setTimeout(pump, RETRY_MS);
        return;
      }
      failing = null;
      segment.batches++;
      segment.bytes += sealed.length;
      spoolBytes += sealed.length;
      queue.shift();
      queueBytes -= entry.plaintext.length;
      release(entry.holds.splice(0), true);
      if (queue.length) pump();
      else if (performance.now() - before < SLOW_MS) relax();
    });
  }

  function relax() {
    strained = false;
    failing = null;
    if (closed) closeSync(segment.fd);
    else writeTally();
  }

  function rotate() {
    const old = segment.bytes >= segmentBytes || performance.now() - segment.openedAtMs > SEGMENT_MS;
    if (old) leaveSegment();
  }

  /** Also where a file takes no more (EFBIG, EIO): one that took something, so that a broken disk is not filled with empty ones. */
  function leaveSegment() {
    const { fd, bytes } = segment;
    try {
      openSegment();
      cutBack(fd, bytes);
      closeSync(fd);
    } catch {
      // No room for another file: go on in this one, and try again at the next batch.
    }
  }

  function openSegment() {
    // At least the time in seconds: a number is never used again, not even when somebody emptied the directory.
    const number = Math.max(segment.number + 1, (listSegments(dir).at(-1) ?? 0) + 1, Math.floor(Date.now() / 1000));
    const header = createSegmentHeader(key, { spool: options.spool, run, openedAt: new Date().toISOString() });
    const fd = createWhole(join(dir, segmentName(number)), header.bytes);
    segment = { number, fd, key: header.key, bytes: header.bytes.length, batches: 0, openedAtMs: performance.now() };
  }

  /** A worker starts even on a full disk: its calls are relayed, dropped and counted until a segment can be made. */
  function openFirst() {
    try {
      openSegment();
      if (queue.length === 0) relax();
    } catch (error) {
      strain(reasonOf(error));
    }
  }

  /** Somebody deleted the directory or the segment: what is in it is gone, and what comes now must not go after it. */
  function startAnew() {
    const before = segment.fd;
    try {
      options.restoreDir?.();
      openSegment();
      closeSync(before);
    } catch (error) {
      strain(reasonOf(error));
    }
  }

  /** The recorder deletes what it has stored, so the size is read from the directory now and then. */
  function measure() {
    if (segment.fd < 0) openFirst();
    else if (fstatSync(segment.fd).nlink === 0) startAnew();
    try {
      let bytes = 0;
      for (const number of listSegments(dir)) bytes += statSync(join(dir, segmentName(number))).size;
      spoolBytes = bytes;
    } catch {
      // A file went away between listing and asking: next time.
    }
    writeTally();
  }

  /** Drops after the last start frame would otherwise stay unknown to the recorder. */
  function writeTally(always = false) {
    if (strained || closed) return;
    const now = JSON.stringify({ accepted, dropped, atRisk } satisfies Tally);
    if (!always && (now === tallied || (Object.keys(dropped).length === 0 && atRisk === 0))) return;
    tallied = now;
    addTally();
    arm();
  }

  function addTally() {
    untold = false;
    addText(FRAME.tally, 0, 0, JSON.stringify({ accepted, dropped, atRisk } satisfies Tally));
  }
}

const reasonOf = (error: unknown): string =>
  (error as NodeJS.ErrnoException).code === "ENOSPC" || (error as NodeJS.ErrnoException).code === "EDQUOT"
    ? "disk_full"
    : "disk_error";
