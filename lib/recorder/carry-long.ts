import type { OpenExchange } from "#lib/spool/assembler.ts";
import { CARRY_BYTES_MAX, sealOpenExchange } from "#lib/spool/carry.ts";
import { isBefore, type SpoolPosition } from "#lib/spool/reader.ts";
import { listSegments } from "#lib/spool/segment.ts";
import type { Carried } from "./store.ts";

interface Options {
  dir: string;
  spoolKey: Buffer;
  /** Numbers of those that the table has. */
  carried: readonly number[];
  /** To be carried at once, however short. */
  isUrgent: (open: OpenExchange) => boolean;
}

/** A call in flight for longer than this many segments is carried in the database, so that its segments can go. */
const CARRY_SEGMENTS = 2;

/**
 * Says what the table is to hold of calls in flight for long; undefined: what it does. A row stands for the position of its commit, from
 * which on the spool is read for that call. Those that wait longest go first, and no more at once than a message holds.
 */
export function createCarrier({ dir, spoolKey, carried, isUrgent }: Options) {
  let carriedNow = new Set(carried);

  return (open: readonly OpenExchange[], to: SpoolPosition): Carried[] | undefined => {
    const due = dueAt(open, to);
    const before = carriedNow;
    carriedNow = new Set(open.filter((one) => one.carried === true).map(({ seq }) => seq));
    if (due.length === 0 && carriedNow.size === before.size) return undefined;
    const anew = new Map<number, Buffer>();
    let bytes = 0;
    for (const one of due.toSorted((a, b) => (isBefore(a.from, b.from) ? -1 : 1))) {
      bytes += one.request.keptBytes + one.response.keptBytes;
      if (anew.size > 0 && bytes > CARRY_BYTES_MAX) break;
      one.from = to;
      one.carried = true;
      const sealed = sealOpenExchange(spoolKey, one);
      // What a socket's reader knows has no length before it is written out.
      if (one.socket) bytes += sealed.length;
      anew.set(one.seq, sealed);
      carriedNow.add(one.seq);
    }
    return open
      .filter(({ seq }) => carriedNow.has(seq))
      .map(({ run, seq }) => ({ run, seq, sealed: anew.get(seq) ?? null }));
  };

  function dueAt(open: readonly OpenExchange[], to: SpoolPosition): OpenExchange[] {
    const segments = listSegments(dir).filter((number) => number <= to.segment);
    const isLong = ({ from }: OpenExchange) =>
      segments.filter((number) => number > from.segment).length >= CARRY_SEGMENTS;
    return open.filter((one) => isUrgent(one) || (segments.length > CARRY_SEGMENTS && isLong(one)));
  }
}
