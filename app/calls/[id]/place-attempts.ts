import type { AttemptRow } from "#db/queries/call-page.ts";
import { addMoney } from "#lib/money.ts";
import { type Waste, wasteOf } from "#lib/waste.ts";

/** One of the calls of an operation, on the time axis of all of them. */
export interface PlacedAttempt {
  row: AttemptRow;
  /** Milliseconds since the first one began. */
  fromMs: number;
  /** null: its end was not seen. */
  toMs: number | null;
  /** Between the end of the one before and its own start; below 0: they overlapped. null: there is none before, or its end was not seen. */
  waitedMs: number | null;
  /** null: it was not paid for nothing. */
  waste: Waste | null;
}

export interface Attempts {
  placed: PlacedAttempt[];
  /** Where the axis ends. */
  endMs: number;
  /** Of the priced lines of all of them. null: none has a price. */
  costUsd: string | null;
  /** What was paid for those that were waste. null: no cost of theirs is known. */
  wasteUsd: string | null;
  /** How many of those have no known cost, or one without some of their usage. */
  wasteUnknown: number;
  /** Some usage has no price: the sums are at least this. */
  unpriced: boolean;
}

export function placeAttempts(rows: readonly AttemptRow[]): Attempts {
  const beganMs = Math.min(...rows.map(({ startedAt }) => startedAt.getTime()));
  const placed = rows.map((row): PlacedAttempt => {
    const fromMs = row.startedAt.getTime() - beganMs;
    const toMs = row.durationMs === null ? null : fromMs + row.durationMs;
    return { row, fromMs, toMs, waitedMs: null, waste: wasteOf(row, rows) };
  });
  placed.forEach((one, i) => {
    const before = placed[i - 1]?.toMs ?? null;
    one.waitedMs = before === null ? null : one.fromMs - before;
  });
  const wasted = placed.flatMap(({ row, waste }) => (waste === null ? [] : [row]));
  return {
    placed,
    endMs: Math.max(1, ...placed.map(({ fromMs, toMs }) => toMs ?? fromMs)),
    costUsd: sumOf(rows),
    wasteUsd: sumOf(wasted),
    wasteUnknown: wasted.filter((row) => row.costUsd === null || row.unpriced).length,
    unpriced: rows.some((row) => row.unpriced),
  };
}

function sumOf(rows: readonly AttemptRow[]): string | null {
  const costs = rows.flatMap(({ costUsd }) => costUsd ?? []);
  return costs.length > 0 ? costs.reduce(addMoney) : null;
}
