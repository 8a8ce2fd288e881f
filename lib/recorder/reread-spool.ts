import { existsSync } from "node:fs";
import type { Exchange } from "#lib/exchange.ts";
import { createAssembler } from "#lib/spool/assembler.ts";
import { isAbandoned } from "#lib/spool/hold-spool.ts";
import { createSpoolReader, type SpoolPosition } from "#lib/spool/reader.ts";
import { listSegments } from "#lib/spool/segment.ts";
import { keptDir } from "#lib/spool/spool-dir.ts";
import { uuid7Ms } from "#lib/uuid7.ts";

interface Options {
  dir: string;
  spool: string;
  spoolKey: Buffer;
  /** Everything before it is stored, and is read; nothing behind it is. */
  high: SpoolPosition;
  /** Calls that began then, in milliseconds; the second excluded. */
  fromMs: number;
  toMs: number;
}

const EXCHANGES_MAX = 100;
const BYTES_MAX = 8 << 20;
/** A segment's number is the second in which it was begun, or a little more where several were begun in one. */
const NUMBER_MARGIN_S = 3600;

/** What is left on disk of the exchanges of a time that were stored, a few at a time. Takes nothing away and holds nobody up. */
export function* rereadSpool({ dir, spool, spoolKey, high, fromMs, toMs }: Options): Generator<Exchange[]> {
  const dirs = [dir, keptDir(dir)].filter((one) => existsSync(one));
  const segments = dirs.flatMap(listSegments).sort((a, b) => a - b);
  const first = segments.findLast((number) => number < fromMs / 1000 - NUMBER_MARGIN_S) ?? segments[0];
  if (first === undefined) return;
  const reader = createSpoolReader(dirs, spoolKey, { segment: first, offset: 0 });
  const assembler = createAssembler(spool);
  let some: Exchange[] = [];
  let bytes = 0;
  try {
    for (let batch = reader.next(); batch; batch = reader.next()) {
      if (!isBefore(batch.from, high)) break;
      if (batch.from.segment > toMs / 1000 && !assembler.open().some(isWanted)) break;
      take(assembler.add(batch).exchanges);
      if (some.length < EXCHANGES_MAX && bytes < BYTES_MAX) continue;
      yield some;
      some = [];
      bytes = 0;
    }
    // What a dead worker had left open is stored as interrupted.
    if (isAbandoned(dir, "worker")) take(assembler.endRun());
    if (some.length) yield some;
  } finally {
    reader.close();
  }

  function take(exchanges: readonly Exchange[]) {
    for (const exchange of exchanges)
      if (isWanted({ start: exchange })) {
        some.push(exchange);
        bytes += exchange.request.bytes + (exchange.response?.bytes ?? 0);
      }
  }

  function isWanted({ start: { id } }: { start: { id: string } }): boolean {
    const startedAt = uuid7Ms(id);
    return startedAt >= fromMs && startedAt < toMs;
  }
}

const isBefore = (a: SpoolPosition, b: SpoolPosition): boolean =>
  a.segment < b.segment || (a.segment === b.segment && a.offset < b.offset);
