import { createHash } from "node:crypto";
import type { Call } from "#lib/call.ts";
import type { DecodedExchange, DecodeOptions } from "#lib/recorder/decode-exchange.ts";
import { createTurns, type Given } from "./draw-turn.ts";
import { createIds } from "./ids.ts";
import { createJudge, type Judged, waitingFeedback } from "./judge.ts";
import { createCallMaker } from "./make-call.ts";
import { createDays, DAY_MS, type Day } from "./moments.ts";
import { makeOthers } from "./others/other-calls.ts";
import { plantedIn, spikeOf } from "./planted.ts";
import { createRandom } from "./random.ts";
import type { Turn } from "./turn.ts";
import type { MadeSession } from "./voice/voice-calls.ts";

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
  /** null: no chat completion, but one of `contents`. */
  readonly turns: readonly (Turn | null)[];
  /** Of the calls that are no chat completions. */
  readonly contents: readonly DecodedExchange[];
  /** That began on this day. */
  readonly sessions: readonly MadeSession[];
  readonly feedback: readonly Judged[];
}

type Sealing = Pick<DecodeOptions, "contentKey" | "knownInstructions">;

const BATCH_CALLS = 1000;

/**
 * The calls of a company that does not exist, day after day. Holds one batch at a time, and all calls of other kinds than chat completions
 * (lib/demo/others), which are few.
 */
export async function* callsOfCompany(
  options: CompanyOptions,
  sealing: Sealing = { contentKey: null, knownInstructions: new Set() },
): AsyncGenerator<Batch> {
  const { untilMs, days, calls } = options;
  const fromMs = untilMs - days * DAY_MS;
  const name = companyName(options);
  // Of its whole name: companies of different sizes have no ids in common.
  const random = createRandom(createHash("sha256").update(name).digest().readUInt32LE());
  const ids = createIds(random);
  const drawTurn = createTurns({ random, ids, fromMs, untilMs, spike: spikeOf(untilMs) });
  const judge = createJudge(random, ids);
  const maker = createCallMaker({ spool: name, run: "seed" });
  const planted = plantedIn({ fromMs, untilMs, calls });
  const others = await makeOthers({ name, fromMs, untilMs, calls, decoding: { projectId: "default", ...sealing } });
  let other = 0;
  let seq = 0;
  let owed = 0;
  let waiting = waitingFeedback(ids, untilMs);

  // What is of another kind takes the place of chat completions.
  for (const day of createDays({ fromMs, untilMs, calls: calls - others.calls.length })) {
    const isOfDay = (ms: number) => ms >= day.dayMs && ms < day.dayMs + DAY_MS;
    const ahead = planted.filter(({ ms }) => isOfDay(ms));
    // What is planted does too: of this day, or of the next ones.
    const slots = Math.max(0, day.calls + owed - ahead.length);
    owed += day.calls - ahead.length - slots;
    let batch = emptyBatch(day.dayMs);
    batch.sessions.push(...others.sessions.filter(({ session }) => isOfDay(session.startedAt)));
    for (const turn of turnsOf(day, slots, ahead)) {
      for (const one of othersWhile(({ id }) => id < turn.id)) if (addOther(one)) yield renew();
      const made = maker.make(turn, ++seq);
      const call = made instanceof Promise ? await made : made;
      const endMs = turn.startedAt + (call.timings.durationMs ?? 0);
      for (const judged of judge(turn, endMs)) if (judged.feedback.receivedAtMs < untilMs) batch.feedback.push(judged);
      if (add(call, turn)) yield renew();
    }
    for (const one of othersWhile(({ startedAt }) => isOfDay(startedAt))) if (addOther(one)) yield renew();
    batch.feedback.push(...waiting);
    waiting = [];
    if (batch.calls.length > 0 || batch.feedback.length > 0) yield batch;

    /** true: the batch is full. */
    function add(call: Call, turn: Turn | null): boolean {
      batch.calls.push(call);
      batch.turns.push(turn);
      return batch.calls.length >= BATCH_CALLS;
    }

    function addOther(one: DecodedExchange): boolean {
      batch.contents.push(one);
      return add({ ...one.call, origin: { ...one.call.origin, seq: ++seq } }, null);
    }

    function renew(): Batch {
      const full = batch;
      batch = emptyBatch(day.dayMs);
      return full;
    }
  }

  function* othersWhile(isDue: (call: Call) => boolean): Generator<DecodedExchange> {
    for (let one = others.calls[other]; one && isDue(one.call); one = others.calls[++other]) yield one;
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
  turns: [] as (Turn | null)[],
  contents: [] as DecodedExchange[],
  sessions: [] as MadeSession[],
  feedback: [] as Judged[],
});
