import { createHash } from "node:crypto";
import type { Call } from "#lib/call.ts";
import { createTurns, type Given } from "./draw-turn.ts";
import { createIds } from "./ids.ts";
import { createJudge, type Judged, waitingFeedback } from "./judge.ts";
import { createCallMaker } from "./make-call.ts";
import { createDays, DAY_MS, type Day } from "./moments.ts";
import { plantedIn, spikeOf } from "./planted.ts";
import { createRandom } from "./random.ts";
import type { Turn } from "./turn.ts";

export interface CompanyOptions {
  /** The same seed, end, days and calls: the same company, to the last byte. */
  readonly seed: number;
  /** Milliseconds since the epoch; nothing happens from then on. */
  readonly untilMs: number;
  readonly days: number;
  /** At least CALLS_MIN. */
  readonly calls: number;
}

/** What is planted must be a small part of the whole. */
export const CALLS_MIN = 2000;

/** Two companies with one name are the same company. Its calls say that they were spooled there. */
export const companyName = ({ seed, untilMs, days, calls }: CompanyOptions): string =>
  `seed-${seed}-${calls}-${days}d-${new Date(untilMs).toISOString()}`;

/** Calls of one UTC day in the order of their start, each with what it was made of, and what was said about them. */
export interface Batch {
  readonly dayMs: number;
  readonly calls: readonly Call[];
  readonly turns: readonly Turn[];
  readonly feedback: readonly Judged[];
}

const BATCH_CALLS = 1000;

/** The calls of a company that does not exist, day after day. Holds one batch at a time. */
export async function* callsOfCompany(options: CompanyOptions): AsyncGenerator<Batch> {
  const { untilMs, days, calls } = options;
  const fromMs = untilMs - days * DAY_MS;
  // Of its whole name: companies of different sizes have no ids in common.
  const random = createRandom(createHash("sha256").update(companyName(options)).digest().readUInt32LE());
  const ids = createIds(random);
  const drawTurn = createTurns({ random, ids, fromMs, untilMs, spike: spikeOf(untilMs) });
  const judge = createJudge(random, ids);
  const maker = createCallMaker({ spool: companyName(options), run: "seed" });
  const planted = plantedIn({ fromMs, untilMs, calls });
  let seq = 0;
  let owed = 0;
  let waiting = waitingFeedback(ids, untilMs);

  for (const day of createDays({ fromMs, untilMs, calls })) {
    const ahead = planted.filter(({ ms }) => ms >= day.dayMs && ms < day.dayMs + DAY_MS);
    // What is planted takes the place of other calls: of this day, or of the next ones.
    const slots = Math.max(0, day.calls + owed - ahead.length);
    owed += day.calls - ahead.length - slots;
    let batch = emptyBatch(day.dayMs);
    for (const turn of turnsOf(day, slots, ahead)) {
      const made = maker.make(turn, ++seq);
      const call = made instanceof Promise ? await made : made;
      batch.calls.push(call);
      batch.turns.push(turn);
      const endMs = turn.startedAt + (call.timings.durationMs ?? 0);
      for (const judged of judge(turn, endMs)) if (judged.feedback.receivedAtMs < untilMs) batch.feedback.push(judged);
      if (batch.calls.length < BATCH_CALLS) continue;
      yield batch;
      batch = emptyBatch(day.dayMs);
    }
    batch.feedback.push(...waiting);
    waiting = [];
    if (batch.calls.length > 0 || batch.feedback.length > 0) yield batch;
  }

  /** Draws the calls of a day; what failed is often tried again, what was hedged always, in the place of the call after it. */
  function* turnsOf(day: Day, slots: number, ahead: readonly Given[]): Generator<Turn> {
    const rest = [...ahead];
    let failed: { turn: Turn; ms: number } | null = null;
    let lastMs = day.dayMs;
    for (let slot = 0; slot < slots; slot++) {
      const slotMs = Math.max(lastMs, day.at(slot, slots, random));
      const again = failed && failed.ms <= slotMs ? failed : null;
      const ms = Math.max(lastMs, again?.ms ?? slotMs);
      while (rest[0] && rest[0].ms <= ms) yield drawTurn(rest.shift() as Given);
      const turn = drawTurn(again ? { ms, again: again.turn } : { ms });
      lastMs = ms;
      if (again) failed = null;
      if (turn.operationId && turn.attempt === 0 && (turn.ending.kind === "completed" || random.chance(0.8)))
        failed ??= { turn, ms: ms + 600 + random.below(2000) };
      yield turn;
    }
    for (const given of rest) yield drawTurn(given);
  }
}

const emptyBatch = (dayMs: number) => ({
  dayMs,
  calls: [] as Call[],
  turns: [] as Turn[],
  feedback: [] as Judged[],
});
