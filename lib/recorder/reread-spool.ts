import { existsSync } from "node:fs";
import type { Exchange } from "#lib/exchange.ts";
import type { Turn } from "#lib/session.ts";
import { type Assembled, createAssembler } from "#lib/spool/assembler.ts";
import { isAbandoned } from "#lib/spool/hold-spool.ts";
import { createSpoolReader, isBefore, type SpoolPosition } from "#lib/spool/reader.ts";
import { listSegments } from "#lib/spool/segment.ts";
import type { SocketStep } from "#lib/spool/socket-reader.ts";
import { keptDir } from "#lib/spool/spool-dir.ts";
import { uuid7Ms } from "#lib/uuid7.ts";
import type { SessionStretch, SocketReading } from "./read-sockets.ts";
import type { SessionStep } from "./store.ts";

/** A part of what is on disk: exchanges, and what came of sessions, in order. */
export interface Reread {
  exchanges: Exchange[];
  steps: SocketStep<SessionStretch>[];
  /** Sessions that are over, each with all of its turns. */
  sessions: SessionStep[];
}

interface Options {
  dir: string;
  spool: string;
  spoolKey: Buffer;
  /** Everything before it is stored, and is read; nothing behind it is. */
  high: SpoolPosition;
  /** Exchanges and sessions that began then, in milliseconds; the second excluded. */
  fromMs: number;
  toMs: number;
  sockets: SocketReading;
}

const EXCHANGES_MAX = 100;
const BYTES_MAX = 8 << 20;
/** A segment's number is the second in which it was begun, or a little more where several were begun in one. */
const NUMBER_MARGIN_S = 3600;

/** What is left on disk of the exchanges of a time that were stored, a few at a time. Takes nothing away and holds nobody up. */
export function* rereadSpool({ dir, spool, spoolKey, high, fromMs, toMs, sockets }: Options): Generator<Reread> {
  const dirs = [dir, keptDir(dir)].filter((one) => existsSync(one));
  const segments = dirs.flatMap(listSegments).sort((a, b) => a - b);
  const first = segments.findLast((number) => number < fromMs / 1000 - NUMBER_MARGIN_S) ?? segments[0];
  if (first === undefined) return;
  const reader = createSpoolReader(dirs, spoolKey, { segment: first, offset: 0 });
  const assembler = createAssembler(spool, { sockets });
  /** Of sessions that are being read. */
  const turns = new Map<string, Turn[]>();
  let some = nothing();
  let bytes = 0;
  try {
    for (let batch = reader.next(); batch; batch = reader.next()) {
      if (!isBefore(batch.from, high)) break;
      if (batch.from.segment > toMs / 1000 && !assembler.open().some(isWanted)) break;
      take(assembler.add(batch));
      if (sizeOf(some) < EXCHANGES_MAX && bytes < BYTES_MAX) continue;
      yield some;
      some = nothing();
      bytes = 0;
    }
    // What a dead worker had left open is stored as interrupted.
    if (isAbandoned(dir, "worker")) take(assembler.endRun());
    if (sizeOf(some) > 0) yield some;
  } finally {
    reader.close();
  }

  function take({ exchanges, sockets: steps, messages }: Assembled<SessionStretch>) {
    bytes += messages.bytes;
    for (const exchange of exchanges)
      if (isWanted({ start: exchange })) {
        some.exchanges.push(exchange);
        bytes += exchange.request.bytes + (exchange.response?.bytes ?? 0);
      }
    for (const step of steps) if (isWanted({ start: step.source })) takeStep(step);
  }

  function takeStep(step: SocketStep<SessionStretch>) {
    const { source, state, output, ended } = step;
    const all = turns.get(source.id) ?? [];
    if (output) some.steps.push(step);
    if (output) all.push(...output.turns);
    turns.set(source.id, all);
    if (!ended) return;
    turns.delete(source.id);
    some.sessions.push({ origin: source.origin, session: sockets.sessionOf(source, state), turns: all, ended });
  }

  function isWanted({ start: { id } }: { start: { id: string } }): boolean {
    const startedAt = uuid7Ms(id);
    return startedAt >= fromMs && startedAt < toMs;
  }
}

const nothing = (): Reread => ({ exchanges: [], steps: [], sessions: [] });
const sizeOf = ({ exchanges, steps, sessions }: Reread): number => exchanges.length + steps.length + sessions.length;
