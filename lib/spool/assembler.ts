import type { Exchange, ExchangeEnd, ExchangeStart, RecordedChunk } from "#lib/exchange.ts";
import { FRAME, type Frame, type Tally } from "./frames.ts";
import type { ReadBatch, SpoolPosition } from "./reader.ts";

/** What one batch completed. */
export interface Assembled {
  exchanges: Exchange[];
  /** Feedback as accepted by the proxy, as parsed JSON. */
  feedback: unknown[];
}

/** Per run: how many calls were accepted, have started, were dropped by reason (`torn`: their start frame was damaged). */
export interface RunTotals {
  accepted: number;
  started: number;
  dropped: Record<string, number>;
  atRisk: number;
}

/** An exchange still in flight, in a form that can be kept elsewhere and put back (spool_carried). */
export interface OpenExchange {
  run: string;
  seq: number;
  /** Where its start frame lies: reading resumes there. */
  from: SpoolPosition;
  /** Kept in the database as it stood at `from` (spool_carried). */
  carried?: boolean;
  start: ExchangeStart & { id: string };
  head: { status: number; headers: string[]; headersCut?: boolean; headAtMs: number } | null;
  request: OpenBody;
  response: OpenBody;
}

export interface OpenBody {
  chunks: RecordedChunk[];
  keptBytes: number;
  /** Where the next chunks go, and how much of it is taken. */
  block?: { bytes: Buffer; used: number };
}

/** What calls in flight may hold of one spool; the largest body then gives up all but its beginning, and is marked as cut. */
const OPEN_BYTES_MAX = 256 << 20;
const BEGINNING_BYTES = 64 << 10;
/** Of a chunk, beside its bytes: a stream of single bytes is not small. */
const CHUNK_BYTES = 200;
const BLOCK_BYTES_MAX = 256 << 10;

/**
 * Puts exchanges together from frames, in order. Never throws on bad frames: what cannot be read is left out and shows
 * as a hole. When a later run's frames come, whatever the earlier run left open has been interrupted.
 */
export function createAssembler(spool: string, options: { openBytesMax?: number } = {}) {
  const openBytesMax = options.openBytesMax ?? OPEN_BYTES_MAX;
  const open = new Map<number, OpenExchange>();
  let run = "";
  let totals: RunTotals = newTotals();
  let openBytes = 0;
  let cutBodies = 0;
  /** No body is large enough for its end to be missed: until a call ends, nothing more is kept. */
  let full = false;

  return {
    /** The run being read and its totals. */
    current: () => ({ run, totals }),
    open: () => [...open.values()],
    /** Bodies of calls in flight that gave up what they held, so far. */
    cutBodies: () => cutBodies,
    /** The worker is gone and everything it wrote has been read. */
    endRun(): Exchange[] {
      explainGaps();
      return interrupt();
    },
    /** After a restart: the totals as stored, and exchanges whose first segments are gone. */
    restore(carried: OpenExchange[], currentRun: string, runTotals: RunTotals) {
      run = currentRun;
      totals = structuredClone(runTotals);
      for (const one of carried) {
        open.set(one.seq, one);
        openBytes += heldBytes(one);
      }
    },
    /**
     * `replayed`: this batch lies before the stored position and is read again only for calls that were in flight
     * there: what it counts is in the totals, what it completes is stored.
     */
    add(batch: ReadBatch, replayed = false): Assembled {
      const done: Assembled = { exchanges: [], feedback: [] };
      if (batch.run !== run) {
        done.exchanges.push(...interrupt());
        if (!replayed) explainGaps();
        run = batch.run;
        if (!replayed) totals = newTotals();
      }
      for (const frame of batch.frames) take(frame, batch.from, replayed, done);
      return replayed ? { exchanges: [], feedback: [] } : done;
    },
  };

  /** The run is over: what it left open was in flight when it died. */
  function interrupt(): Exchange[] {
    const left = [...open.values()].map((one) => close(one, null));
    open.clear();
    openBytes = 0;
    full = false;
    return left;
  }

  /** Numbers of a run that is over, that never came, and that no tally explains: their batch was damaged. */
  function explainGaps() {
    const dropped = Object.values(totals.dropped).reduce((sum, count) => sum + count, 0);
    const torn = totals.accepted - totals.started - dropped;
    if (torn > 0) totals.dropped = { ...totals.dropped, torn: (totals.dropped.torn ?? 0) + torn };
  }

  function take(frame: Frame, from: SpoolPosition, replayed: boolean, done: Assembled) {
    if (frame.type === FRAME.start) return begin(frame, from, replayed);
    if (frame.type === FRAME.feedback) {
      const value = parse(frame.payload);
      if (value) done.feedback.push(value);
      return;
    }
    if (frame.type === FRAME.tally) {
      const tally = parse(frame.payload) as Tally | null;
      if (tally && !replayed) Object.assign(totals, tally);
      return;
    }
    const one = open.get(frame.seq);
    if (!one || isIn(one, from)) return;
    switch (frame.type) {
      case FRAME.requestChunk:
        return keep(one.request, frame);
      case FRAME.responseChunk:
        return keep(one.response, frame);
      case FRAME.head: {
        const head = parse(frame.payload) as { status: number; headers: string[] } | null;
        if (head) one.head = { ...head, headAtMs: frame.at };
        return;
      }
      case FRAME.end: {
        open.delete(frame.seq);
        openBytes -= heldBytes(one);
        full = false;
        done.exchanges.push(close(one, parse(frame.payload) as ExchangeEnd | null));
      }
    }
  }

  function begin(frame: Frame, from: SpoolPosition, replayed: boolean) {
    const start = parse(frame.payload) as (ExchangeStart & { id: string }) | null;
    const carried = open.get(frame.seq);
    if (!start || (carried && isIn(carried, from))) return;
    // Skipped numbers are calls that could not be spooled: a tally says why, damage explains the rest.
    if (!replayed) {
      totals.accepted = Math.max(totals.accepted, frame.seq);
      totals.started++;
    }
    open.set(frame.seq, { run, seq: frame.seq, from, start, head: null, request: newBody(), response: newBody() });
  }

  function keep(body: OpenBody, frame: Frame) {
    const { length } = frame.payload;
    while (openBytes + length + CHUNK_BYTES > openBytesMax) if (!cutLargest()) return;
    // A copy: the payload is a view of a batch that is about to be reused.
    body.chunks.push({ atMs: frame.at, offset: frame.offset, bytes: copyInto(body, frame.payload) });
    body.keptBytes += length;
    openBytes += length + CHUNK_BYTES;
  }

  /** The others stay whole. False: there is nothing to be had. */
  function cutLargest(): boolean {
    if (full) return false;
    let largest: OpenBody | null = null;
    for (const { request, response } of open.values())
      for (const body of [request, response]) if (!largest || held(body) > held(largest)) largest = body;
    const before = largest ? held(largest) : 0;
    full = before < 2 * BEGINNING_BYTES;
    if (full || !largest) return false;
    openBytes -= before;
    keepBeginning(largest);
    openBytes += held(largest);
    cutBodies++;
    return true;
  }

  function close(one: OpenExchange, end: ExchangeEnd | null): Exchange {
    const { id, ...start } = one.start;
    const request = total(one.request, end?.requestBytes);
    const response = total(one.response, end?.responseBytes);
    return {
      id,
      origin: { spool, run: one.run, seq: one.seq },
      start,
      request,
      response: one.head && { ...response, ...one.head },
      end,
    };
  }
}

const newTotals = (): RunTotals => ({ accepted: 0, started: 0, dropped: {}, atRisk: 0 });
const newBody = (): OpenBody => ({ chunks: [], keptBytes: 0 });

/** A carried exchange has what was read before its place: only what lies behind is added when the spool is read again from earlier. */
const isIn = (one: OpenExchange, from: SpoolPosition): boolean =>
  one.carried === true &&
  (from.segment < one.from.segment || (from.segment === one.from.segment && from.offset < one.from.offset));

const held = (body: OpenBody): number => body.keptBytes + body.chunks.length * CHUNK_BYTES;
const heldBytes = ({ request, response }: OpenExchange): number => held(request) + held(response);

/** Lets go of all but the first chunks of a body. */
export function keepBeginning(body: OpenBody): void {
  let bytes = 0;
  const kept = body.chunks.findIndex((chunk) => {
    bytes += chunk.bytes.length + CHUNK_BYTES;
    return bytes > BEGINNING_BYTES;
  });
  // Copies: a view would keep the whole block.
  body.chunks = body.chunks
    .slice(0, kept < 0 ? undefined : kept)
    .map((chunk) => ({ ...chunk, bytes: Buffer.from(chunk.bytes) }));
  body.keptBytes = body.chunks.reduce((sum, chunk) => sum + chunk.bytes.length, 0);
  delete body.block;
}

/**
 * The first chunk lies in Node's pool of small buffers, as most bodies are over with it; later ones lie in blocks of the body's own. In
 * the pool each chunk of a long stream would hold a slab of 8 kB that was shared with calls long gone.
 */
function copyInto(body: OpenBody, payload: Buffer): Buffer {
  if (body.chunks.length === 0) return Buffer.from(payload);
  let { block } = body;
  if (!block || block.used + payload.length > block.bytes.length) {
    const size = Math.max(payload.length, Math.min(body.keptBytes, BLOCK_BYTES_MAX));
    block = { bytes: Buffer.allocUnsafeSlow(size), used: 0 };
    body.block = block;
  }
  const to = block.used + payload.length;
  payload.copy(block.bytes, block.used);
  const copy = block.bytes.subarray(block.used, to);
  block.used = to;
  return copy;
}

function total(body: OpenBody, stated: number | undefined) {
  const seen = body.chunks.reduce((most, one) => Math.max(most, one.offset + one.bytes.length), 0);
  const bytes = Math.max(stated ?? 0, seen);
  return { chunks: body.chunks, bytes, cut: body.keptBytes < bytes };
}

function parse(payload: Buffer): unknown {
  try {
    return JSON.parse(payload.toString("utf8"));
  } catch {
    return null;
  }
}
