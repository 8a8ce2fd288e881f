import type { Turn } from "#lib/session.ts";

/** What of a turn is drawn. Milliseconds count from the end of the user's input: the wait begins there. */
export interface PlacedTurn {
  turn: Turn;
  /** Milliseconds since the session's start at which it stands; null: no moment of it is known. */
  zeroMs: number | null;
  bars: Bar[];
  /** The user began to speak into the answer. */
  bargeInMs: number | null;
}

export interface Bar {
  kind: BarKind;
  fromMs: number;
  toMs: number;
}

export const BAR_KINDS = ["speech", "wait", "tool", "heard", "generated", "wasted", "text"] as const;
/** `generated`: nobody said how much of it was heard. */
export type BarKind = (typeof BAR_KINDS)[number];

/**
 *   user speaks │ wait [ tool ] │ heard ▒ wasted
 *  ─────────────0───────────────┴────────────────► ms
 *
 * Audio is drawn as it plays, from its first piece on: it is generated faster than that. A moment that is not known leaves its bar out.
 */
export function placeTurn(turn: Turn): PlacedTurn {
  const { inputStartMs, inputEndMs, createdMs, firstTextMs, firstAudioMs, doneMs } = turn;
  const zeroMs = inputEndMs ?? createdMs ?? inputStartMs ?? firstAudioMs ?? firstTextMs ?? doneMs;
  if (zeroMs === null) return { turn, zeroMs, bars: [], bargeInMs: null };
  const bars: Bar[] = [];
  const add = (kind: BarKind, fromMs: number | null, toMs: number | null) => {
    if (fromMs !== null && toMs !== null && toMs > fromMs)
      bars.push({ kind, fromMs: fromMs - zeroMs, toMs: toMs - zeroMs });
  };
  const answersAtMs = firstAudioMs ?? firstTextMs;
  add("speech", inputStartMs, inputEndMs);
  add("wait", inputEndMs, answersAtMs ?? doneMs);
  const toolFromMs =
    turn.toolMs === null || turn.modelMs === null || createdMs === null ? null : createdMs + turn.modelMs;
  add("tool", toolFromMs, toolFromMs === null ? null : toolFromMs + (turn.toolMs as number));
  if (firstAudioMs === null) add("text", firstTextMs, doneMs);
  else {
    const heardMs = turn.heardMs ?? turn.audioMs;
    const cutMs = heardMs === null ? null : firstAudioMs + heardMs;
    add(turn.heardMs === null ? "generated" : "heard", firstAudioMs, cutMs);
    add("wasted", cutMs, cutMs === null ? null : cutMs + (turn.wastedMs ?? 0));
  }
  return { turn, zeroMs, bars, bargeInMs: turn.bargeInMs === null ? null : turn.bargeInMs - zeroMs };
}

/** The axis that all turns share. What is beyond it is cut off at its edge, and said. */
export interface TurnAxis {
  fromMs: number;
  toMs: number;
  /** Percent from the left, from 0 to 100. */
  at(ms: number): number;
  /** Round moments on it. */
  ticks: number[];
}

const BEFORE_MAX_MS = 15_000;
const AFTER_MAX_MS = 45_000;
const STEPS_MS = [100, 200, 500, 1000, 2000, 5000, 10_000];
const TICKS_MAX = 10;

export function turnAxis(placed: readonly PlacedTurn[]): TurnAxis {
  const bars = placed.flatMap(({ bars }) => bars);
  const earliest = Math.min(0, ...bars.map(({ fromMs }) => fromMs));
  const latest = Math.max(100, ...bars.map(({ toMs }) => toMs));
  const fromMs = Math.max(earliest, -BEFORE_MAX_MS);
  const toMs = Math.min(latest, AFTER_MAX_MS);
  const step = STEPS_MS.find((ms) => (toMs - fromMs) / ms <= TICKS_MAX) ?? (STEPS_MS.at(-1) as number);
  const ticks: number[] = [];
  for (let ms = Math.ceil(fromMs / step) * step; ms <= toMs; ms += step) ticks.push(ms === 0 ? 0 : ms);
  return { fromMs, toMs, ticks, at: (ms) => (100 * (Math.min(toMs, Math.max(fromMs, ms)) - fromMs)) / (toMs - fromMs) };
}
