import { dayOf } from "./booking.ts";
import { type BookedCall, insertCalls, type RecordedCall } from "./stored-calls.ts";

interface Prepared {
  calls: readonly BookedCall[];
  statements: string[];
  atMs: number;
}

/** What is older is written anew: which days may be summed already, and when a call was recorded, is as of then. */
const FRESH_MS = 60_000;
/** By the array that they were handed over in. */
const prepared = new WeakMap<readonly RecordedCall[], Prepared>();

/**
 * Writes the SQL that stores calls before it is known what is stored already, which the batch before must have told by then: while the database is at work on that
 * one, this one can be written. As nearly all are, they are taken for new, and for calls that count on their own day.
 */
export function prepareCalls(calls: readonly RecordedCall[]): void {
  if (calls.length === 0) return;
  try {
    const booked = calls.map((one) => ({ ...one, bookedOn: null, linesOn: dayOf(one.call.startedAt) }));
    prepared.set(calls, { calls: booked, statements: insertCalls(booked, []), atMs: Date.now() });
  } catch {
    // What cannot be written is met again by whoever stores it, who knows what to do.
  }
}

/** What was prepared for calls that came in this array, if it is what storing `fresh` takes; null: it has to be written. */
export function preparedFor(given: readonly RecordedCall[], fresh: readonly BookedCall[]): string[] | null {
  const found = prepared.get(given);
  const holds =
    found !== undefined &&
    Date.now() - found.atMs < FRESH_MS &&
    found.calls.length === fresh.length &&
    found.calls.every((one, i) => isSame(one, fresh[i] as BookedCall));
  return holds ? found.statements : null;
}

const isSame = (a: BookedCall, b: BookedCall): boolean =>
  a.call === b.call &&
  a.payload === b.payload &&
  a.words === b.words &&
  a.media === b.media &&
  a.bookedOn === b.bookedOn &&
  a.linesOn === b.linesOn;
