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
  request: Body;
  response: Body;
}

interface Body {
  chunks: RecordedChunk[];
  keptBytes: number;
}

/**
 * Puts exchanges together from frames, in order. Never throws on bad frames: what cannot be read is left out and shows
 * as a hole. When a later run's frames come, whatever the earlier run left open has been interrupted.
 */
export function createAssembler(spool: string, options: { openBytesMax?: number } = {}) {
  const openBytesMax = options.openBytesMax ?? 512 << 20;
  const open = new Map<number, OpenExchange>();
  let run = "";
  let totals: RunTotals = newTotals();
  let openBytes = 0;

  return {
    /** The run being read and its totals. */
    current: () => ({ run, totals }),
    open: () => [...open.values()],
    /** The worker is gone and everything it wrote has been read. */
    endRun(): Exchange[] {
      explainGaps();
      return interrupt();
    },
    /** After a restart: the totals as stored, and exchanges whose first segments are gone. */
    restore(carried: OpenExchange[], currentRun: string, runTotals: RunTotals) {
      run = currentRun;
      totals = structuredClone(runTotals);
      for (const one of carried) open.set(one.seq, one);
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
    if (!one) return;
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
        openBytes -= one.request.keptBytes + one.response.keptBytes;
        done.exchanges.push(close(one, parse(frame.payload) as ExchangeEnd | null));
      }
    }
  }

  function begin(frame: Frame, from: SpoolPosition, replayed: boolean) {
    const start = parse(frame.payload) as (ExchangeStart & { id: string }) | null;
    if (!start) return;
    // Skipped numbers are calls that could not be spooled: a tally says why, damage explains the rest.
    if (!replayed) {
      totals.accepted = Math.max(totals.accepted, frame.seq);
      totals.started++;
    }
    open.set(frame.seq, { run, seq: frame.seq, from, start, head: null, request: newBody(), response: newBody() });
  }

  function keep(body: Body, frame: Frame) {
    if (openBytes + frame.payload.length > openBytesMax) return;
    // A copy: the payload is a view of a batch that is about to be reused.
    body.chunks.push({ atMs: frame.at, offset: frame.offset, bytes: Buffer.from(frame.payload) });
    body.keptBytes += frame.payload.length;
    openBytes += frame.payload.length;
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
const newBody = (): Body => ({ chunks: [], keptBytes: 0 });

function total(body: Body, stated: number | undefined) {
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
