import type { Exchange, ExchangeEnd, ExchangeStart } from "#lib/exchange.ts";
import { FRAME, type Frame, type Tally } from "./frames.ts";
import { createHeldSockets } from "./held-sockets.ts";
import {
  addChunk,
  BEGINNING_BYTES,
  CHUNK_BYTES,
  held,
  keepBeginning,
  newBody,
  type OpenBody,
  totalOf,
} from "./open-body.ts";
import { isBefore, type ReadBatch, type SpoolPosition } from "./reader.ts";
import { messageOf, type SocketReader, type SocketSource, type SocketStep } from "./socket-reader.ts";

/** What one batch completed. */
export interface Assembled<Output = never> {
  exchanges: Exchange[];
  /** What came of WebSockets, in order. */
  sockets: SocketStep<Output>[];
  /** Their messages that were read, those of which nothing came included. */
  messages: { count: number; bytes: number };
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
  /** A WebSocket that was opened: what its reader knows, and when it was last heard of. */
  socket?: OpenSocket;
}

interface OpenSocket {
  state: unknown;
  atMs: number;
}

/**
 * What calls in flight may hold of one spool. Then the largest body gives up all but its beginning, and is marked as cut; or of the largest
 * session, if that is larger, what was said is given up, and its figures go on.
 */
const OPEN_BYTES_MAX = 256 << 20;

/**
 * Puts exchanges together from frames, in order. Never throws on bad frames: what cannot be read is left out and shows
 * as a hole. When a later run's frames come, whatever the earlier run left open has been interrupted. The messages of a WebSocket go
 * to `sockets` as they come; without it they are left out.
 */
export function createAssembler<Output = never>(
  spool: string,
  options: { openBytesMax?: number; sockets?: SocketReader<Output> } = {},
) {
  const { sockets } = options;
  const openBytesMax = options.openBytesMax ?? OPEN_BYTES_MAX;
  const open = new Map<number, OpenExchange>();
  let run = "";
  let totals: RunTotals = newTotals();
  let openBytes = 0;
  let cutBodies = 0;
  const heldSockets = createHeldSockets();
  /** No body is large enough for its end to be missed: until a call ends, nothing more is kept. */
  let full = false;

  return {
    /** The run being read and its totals. */
    current: () => ({ run, totals }),
    open: () => [...open.values()],
    /** Bodies of calls in flight that gave up what they held, so far. */
    cutBodies: () => cutBodies,
    /** The worker is gone and everything it wrote has been read. */
    endRun(): Assembled<Output> {
      explainGaps();
      return interrupt(newAssembled());
    },
    /** After a restart: the totals as stored, and exchanges whose first segments are gone. */
    restore(carried: OpenExchange[], currentRun: string, runTotals: RunTotals) {
      run = currentRun;
      totals = structuredClone(runTotals);
      for (const one of carried) {
        open.set(one.seq, one);
        openBytes += heldBytes(one);
        if (one.socket) socketGrew(one, one.socket, 0);
      }
    },
    /**
     * `replayed`: this batch lies before the stored position and is read again only for calls that were in flight
     * there: what it counts is in the totals, what it completes is stored.
     */
    add(batch: ReadBatch, replayed = false): Assembled<Output> {
      const done = newAssembled<Output>();
      if (batch.run !== run) {
        interrupt(done);
        if (!replayed) explainGaps();
        run = batch.run;
        if (!replayed) totals = newTotals();
      }
      for (const frame of batch.frames) take(frame, batch.from, replayed, done);
      return replayed ? newAssembled() : done;
    },
  };

  /** The run is over: what it left open was in flight when it died. */
  function interrupt(done: Assembled<Output>): Assembled<Output> {
    for (const one of open.values()) finish(one, null, done);
    open.clear();
    openBytes = 0;
    full = false;
    return done;
  }

  /** Numbers of a run that is over, that never came, and that no tally explains: their batch was damaged. */
  function explainGaps() {
    const dropped = Object.values(totals.dropped).reduce((sum, count) => sum + count, 0);
    const torn = totals.accepted - totals.started - dropped;
    if (torn > 0) totals.dropped = { ...totals.dropped, torn: (totals.dropped.torn ?? 0) + torn };
  }

  function take(frame: Frame, from: SpoolPosition, replayed: boolean, done: Assembled<Output>) {
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
        return openSocket(one, done);
      }
      case FRAME.clientMessage:
      case FRAME.serverMessage:
        return takeMessage(one, frame, replayed, done);
      case FRAME.end: {
        open.delete(frame.seq);
        openBytes -= heldBytes(one) + heldSockets.bytes(frame.seq);
        full = false;
        finish(one, parse(frame.payload) as ExchangeEnd | null, done);
      }
    }
  }

  function openSocket(one: OpenExchange, done: Assembled<Output>) {
    if (one.start.kind !== "websocket" || one.head?.status !== 101) return;
    const source = sourceOf(one);
    const state = sockets?.open(source) ?? null;
    if (state === null) return;
    one.socket = { state, atMs: one.head.headAtMs };
    done.sockets.push({ source, state, output: null, ended: false });
  }

  function takeMessage(one: OpenExchange, frame: Frame, replayed: boolean, done: Assembled<Output>) {
    done.messages.count++;
    done.messages.bytes += frame.payload.length;
    if (!sockets || !one.socket) return;
    const source = sourceOf(one);
    const { state } = one.socket;
    one.socket.atMs = frame.at;
    const output = sockets.take(source, state, messageOf(frame), replayed);
    socketGrew(one, one.socket, frame.payload.length);
    if (output !== null) done.sockets.push({ source, state, output, ended: false });
  }

  function socketGrew({ seq }: OpenExchange, { state }: OpenSocket, bytes: number) {
    openBytes += heldSockets.grew(seq, state, bytes);
    while (openBytes > openBytesMax) if (!cutLargest()) return;
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
    addChunk(body, frame);
    openBytes += length + CHUNK_BYTES;
  }

  /** The others stay whole. False: there is nothing to be had. */
  function cutLargest(): boolean {
    if (full) return false;
    let largest: OpenBody | null = null;
    let talkative: OpenExchange | null = null;
    for (const one of open.values()) {
      for (const body of [one.request, one.response]) if (!largest || held(body) > held(largest)) largest = body;
      if (one.socket && (!talkative || spareOf(one) > spareOf(talkative))) talkative = one;
    }
    const before = largest ? held(largest) : 0;
    if (talkative && spareOf(talkative) > Math.max(before, 2 * BEGINNING_BYTES)) return letGo(talkative);
    full = before < 2 * BEGINNING_BYTES;
    if (full || !largest) return false;
    openBytes -= before;
    keepBeginning(largest);
    openBytes += held(largest);
    cutBodies++;
    return true;
  }

  function spareOf({ seq }: OpenExchange): number {
    return heldSockets.spare(seq);
  }

  /** Of what a session knows. True: something else may have more. */
  function letGo(one: OpenExchange): boolean {
    if (!sockets || !one.socket) return false;
    const { state } = one.socket;
    sockets.letGo(sourceOf(one), state);
    openBytes -= heldSockets.gaveUp(one.seq, state);
    return true;
  }

  function finish(one: OpenExchange, end: ExchangeEnd | null, done: Assembled<Output>) {
    heldSockets.forget(one.seq);
    if (!sockets || !one.socket) return void done.exchanges.push(close(one, end));
    const source = sourceOf(one);
    const { state, atMs } = one.socket;
    done.sockets.push({ source, state, output: sockets.close(source, state, end, end?.endAtMs ?? atMs), ended: true });
  }

  function close(one: OpenExchange, end: ExchangeEnd | null): Exchange {
    const { id, origin, start } = sourceOf(one);
    const request = totalOf(one.request, end?.requestBytes);
    const response = totalOf(one.response, end?.responseBytes);
    return {
      id,
      origin,
      start,
      request,
      response: one.head && { ...response, ...one.head },
      end,
    };
  }

  function sourceOf({ run: life, seq, start: { id, ...start } }: OpenExchange): SocketSource {
    return { id, origin: { spool, run: life, seq }, start };
  }
}

const newAssembled = <Output>(): Assembled<Output> => ({
  exchanges: [],
  sockets: [],
  messages: { count: 0, bytes: 0 },
  feedback: [],
});

const newTotals = (): RunTotals => ({ accepted: 0, started: 0, dropped: {}, atRisk: 0 });

/** A carried exchange has what was read before its place: only what lies behind is added when the spool is read again from earlier. */
const isIn = (one: OpenExchange, from: SpoolPosition): boolean => one.carried === true && isBefore(from, one.from);

const heldBytes = ({ request, response }: OpenExchange): number => held(request) + held(response);

function parse(payload: Buffer): unknown {
  try {
    return JSON.parse(payload.toString("utf8"));
  } catch {
    return null;
  }
}
