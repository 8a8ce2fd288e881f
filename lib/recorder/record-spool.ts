import { setTimeout as sleep, setImmediate as turn } from "node:timers/promises";
import type { Call } from "#lib/call.ts";
import type { Exchange } from "#lib/exchange.ts";
import type { Feedback } from "#lib/feedback.ts";
import type { Observation } from "#lib/observation.ts";
import { redactText } from "#lib/privacy/redact.ts";
import { createAssembler, type RunTotals } from "#lib/spool/assembler.ts";
import { openOpenExchange } from "#lib/spool/carry.ts";
import { isAbandoned } from "#lib/spool/hold-spool.ts";
import { createSpoolReader, isBefore, type SpoolPosition } from "#lib/spool/reader.ts";
import type { SocketStep } from "#lib/spool/socket-reader.ts";
import { createCarrier } from "./carry-long.ts";
import { createCaution, STRETCH_EXCHANGES, weightOf } from "./caution.ts";
import { createClearing } from "./clear-spool.ts";
import type { DecodeOptions, Decoder } from "./decode-exchange.ts";
import { createStretchDecoder, type DecodedStretch } from "./decode-stretch.ts";
import type { Deployments } from "./deployed-model.ts";
import type { SpoolWatch } from "./figures.ts";
import { insist, isOurFault } from "./insist.ts";
import { keepAll } from "./keep-all.ts";
import { sealCall, sealExchange } from "./kept-exchange.ts";
import { createSocketReading, type SessionStretch, type SocketReadingOptions } from "./read-sockets.ts";
import type { HeldSpool, Store } from "./store.ts";

export interface RecordSpoolOptions {
  dir: string;
  spool: string;
  lease: string;
  spoolKey: Buffer;
  contentKey: Buffer | null;
  keepSegments: boolean;
  store: Store;
  watch?: SpoolWatch;
  observes?: "facts" | "content" | undefined;
  /** See decode-exchange.ts. */
  book?: DecodeOptions["book"];
  keepAudio?: boolean;
  deployments?: Deployments;
  /** Test seams: see decode-exchange.ts and read-sockets.ts. */
  decoder?: Decoder;
  readerOf?: SocketReadingOptions["readerOf"];
  /** Gets the calls of every stored batch. Must not throw; nobody waits for it. */
  onStored?: (observations: Observation[]) => void;
  /** Gets the exchanges of every stored batch. Must not throw; nobody waits for it. */
  onExchanges?: ((exchanges: readonly Exchange[]) => void) | undefined;
  stopping: () => boolean;
  log: (message: string) => void;
}

/** One transaction holds at most this much, and STRETCH_EXCHANGES. */
const BYTES_MAX = 16 << 20;
const IDLE_MS = 20;
/** After so long the loop turns once: the stretch before is stored meanwhile, and what the database answers is heard only then. */
const TURN_MS = 2;
/** Without anything to store, the watermark moves this often. */
const TOUCH_MS = 1000;
/** A recorder that is told to stop still stores what has been waiting for so long; the rest stays in the spool for the next one. */
const LAST_MS = 10_000;
const PROJECT = "default";

/**
 * Follows one spool: reads, decodes, stores, deletes what is stored. Everything that ended up to `high` is stored, and
 * `high` moves in the transaction that stores it; calls still in flight keep `low`, where reading resumes after a
 * crash. While a stretch is stored the next one is read and decoded, when there is more than one. Returns when the lease is lost or
 * the recorder stops.
 */
export async function recordSpool(held: HeldSpool, options: RecordSpoolOptions): Promise<void> {
  const { dir, spool, lease, spoolKey, store } = options;
  const caution = createCaution(dir, held.high);
  const sockets = createSocketReading({ ...options, projectId: PROJECT, caution });
  const assembler = createAssembler(spool, { sockets });
  const carried = held.carried.map((one) => openOpenExchange(spoolKey, one.sealed));
  assembler.restore(carried, held.run, { ...NO_TOTALS, ...(held.totals as Partial<RunTotals>) });
  const reader = createSpoolReader(dir, spoolKey, held.low);
  /** Where the next stretch begins. */
  let high = held.high;
  /** What the store has beside the position. */
  let storedAt = {
    low: held.low,
    run: held.run,
    runs: new Map([[held.run, structuredClone(assembler.current().totals)]]),
  };
  /** Of the stretch before; false: it is not stored, and neither is anything behind it. */
  let storing: Promise<boolean> = Promise.resolve(true);
  const carryIfLong = createCarrier({
    ...{ dir, spoolKey, carried: carried.map(({ seq }) => seq) },
    // Read again from its start it would bring this process down again.
    isUrgent: ({ socket, carried: isCarried }) => !isCarried && socket !== undefined && sockets.hasFailed(socket.state),
  });
  let touchedAt = 0;
  let stopAt: number | null = null;
  const clearBelow = createClearing(options);
  const knownInstructions = new Set<string>();
  const decoder = createStretchDecoder({
    ...options,
    ...{ projectId: PROJECT, knownInstructions, caution, reading: sockets },
  });

  try {
    for (;;) {
      const stretch = await read();
      if (stretch.to !== null) {
        const decoded = await decodeStretch(stretch, stretch.to);
        if (!(await storing)) return;
        storing = storeStretch(decoded);
        // Its failure is met where it is awaited.
        storing.catch(() => {});
        if ((stretch.isAll || caution.careful()) && !(await storing)) return;
        if (options.stopping()) stopAt ??= performance.now() + LAST_MS;
        if (stopAt !== null && performance.now() > stopAt) return;
        touchedAt = performance.now();
        continue;
      }
      if (!(await storing)) return;
      options.watch?.storedUntil(stretch.untilMs);
      if (assembler.open().length > 0 && isAbandoned(dir, "worker")) {
        if (!(await storeAbandoned())) return;
        continue;
      }
      if (performance.now() - touchedAt > TOUCH_MS) {
        touchedAt = performance.now();
        if (!(await insist(() => store.touch(spool, lease), options))) return;
      }
      if (options.stopping()) return;
      await sleep(IDLE_MS);
    }
  } finally {
    await storing.catch(() => {});
    caution.over();
    reader.close();
  }

  /** The worker is dead and has no successor: what it wrote last, then what it left open. */
  async function storeAbandoned(): Promise<boolean> {
    const last = await read();
    if (last.to !== null) return storeStretch(await decodeStretch(last, last.to));
    const { exchanges, sockets: closed } = assembler.endRun();
    const { run, totals } = assembler.current();
    const left = { ...last, exchanges, sockets: closed, runs: new Map([[run, structuredClone(totals)]]) };
    return storeStretch(await decodeStretch(left, high));
  }

  /** Reads until there is enough for a transaction, or nothing more to read. */
  async function read() {
    const exchanges: Exchange[] = [];
    const steps: SocketStep<SessionStretch>[] = [];
    const feedback: Feedback[] = [];
    let messages = 0;
    const runs = new Map<string, RunTotals>();
    const begunAtMs = Date.now();
    let turnedAt = performance.now();
    let to: SpoolPosition | null = null;
    let isAll = false;
    let bytes = 0;
    const weightMax = caution.careful() ? weightOf(0, 1) : STRETCH_EXCHANGES;
    while (weightOf(exchanges.length, messages) < weightMax && bytes < BYTES_MAX) {
      const batch = reader.next();
      if (!batch) {
        isAll = true;
        break;
      }
      if (performance.now() - turnedAt > TURN_MS) {
        await turn();
        turnedAt = performance.now();
      }
      const replayed = isBefore(batch.from, high);
      const before = assembler.current();
      const done = assembler.add(batch, replayed);
      if (before.run && before.run !== batch.run && !replayed) runs.set(before.run, before.totals);
      if (replayed) continue;
      exchanges.push(...done.exchanges);
      steps.push(...done.sockets);
      messages += done.messages.count;
      feedback.push(...(done.feedback as Feedback[]));
      bytes += done.exchanges.reduce((sum, one) => sum + one.request.bytes + (one.response?.bytes ?? 0), 0);
      bytes += done.messages.bytes;
      to = batch.to;
    }
    const { run, totals } = assembler.current();
    if (run) runs.set(run, structuredClone(totals));
    // Written before then, and in here: everything, or what ended up to the last one.
    const untilMs = isAll ? begunAtMs : endedAtMs(exchanges.at(-1));
    return { exchanges, sockets: steps, messages, feedback, runs, run, to, isAll, untilMs };
  }

  /** Moves `high`: what is read next lies behind this stretch. */
  async function decodeStretch(stretch: Awaited<ReturnType<typeof read>>, to: SpoolPosition) {
    const decoded = await decoder.decode(stretch.exchanges, stretch.sockets);
    store.prepare(decoded.calls);
    const carry = carryIfLong(assembler.open(), to);
    const low = assembler.open().reduce((least, one) => (isBefore(one.from, least) ? one.from : least), to);
    const from = high;
    high = to;
    return { stretch, decoded, carry, from, low, to };
  }

  async function storeStretch(ready: Awaited<ReturnType<typeof decodeStretch>>): Promise<boolean> {
    const { stretch, carry, from, low, to } = ready;
    const before = performance.now();
    // One that cannot be written down is met again, with the rest.
    const decoded = await storeDerived(ready.decoded, from).catch((error) => {
      if (!isOurFault(error)) throw error;
      return ready.decoded;
    });
    if (!decoded) return false;
    const write = (some: DecodedStretch) =>
      insist(
        () =>
          store.record({
            ...{ spool, lease, from, low, high: to, run: stretch.run, runs: stretch.runs, ...some },
            feedback: stretch.feedback.map(redactFeedback),
            ...(carry && { carried: carry }),
            sealForSetAside: (call) => sealRefused(call, stretch.exchanges),
          }),
        options,
      );
    const stored = await write(decoded).catch((error) => {
      if (!isOurFault(error)) throw error;
      // Whose fault it is shows when each of them is tried again by itself.
      return write(keepAll(decoded, stretch.exchanges, error, { spoolKey, keep: decoder.keep }));
    });
    if (!stored) return false;
    storedAt = { low, run: stretch.run, runs: stretch.runs };
    caution.stored(weightOf(stretch.exchanges.length, stretch.messages), to);
    // The words of a call that was set aside are not stored: whoever says them next must bring them again.
    if (stored.setAside > 0) knownInstructions.clear();
    const { calls, sessions } = ready.decoded;
    options.onStored?.(calls.flatMap(({ observation }) => observation ?? []));
    options.onExchanges?.(stretch.exchanges);
    options.watch?.storedUntil(stretch.untilMs);
    await options.watch?.stored({
      run: stretch.run,
      high: to,
      calls,
      sessions,
      messages: stretch.messages,
      feedback: stretch.feedback.length,
      setAside: stored.setAside,
      seconds: (performance.now() - before) / 1000,
    });
    clearBelow(low.segment);
    return true;
  }

  /**
   * A file with a batch's answers is thousands of calls. They are no exchanges, and known by their ids when they are read again: what is
   * more than a transaction should hold of them is stored before the position moves. Returns the rest; null: the lease is lost.
   */
  async function storeDerived(decoded: DecodedStretch, from: SpoolPosition): Promise<DecodedStretch | null> {
    const derived = decoded.calls.filter(({ call }) => call.parentId !== null);
    const early = derived.slice(STRETCH_EXCHANGES);
    for (let i = 0; i < early.length; i += STRETCH_EXCHANGES) {
      const calls = early.slice(i, i + STRETCH_EXCHANGES);
      const some = { spool, lease, from, high: from, ...storedAt, calls, sessions: [], undecoded: [], feedback: [] };
      const sealForSetAside = (call: Call) => sealCall(spoolKey, call);
      const stored = await insist(() => store.record({ ...some, sealForSetAside }), options);
      if (!stored) return null;
      if (stored.setAside > 0) knownInstructions.clear();
    }
    const isEarly = new Set(early);
    return early.length > 0 ? { ...decoded, calls: decoded.calls.filter((one) => !isEarly.has(one)) } : decoded;
  }

  /** With what was said where that may be kept, so that a later version can store it all. */
  function sealRefused(call: Call, exchanges: readonly Exchange[]): Buffer {
    const exchange = options.contentKey && exchanges.find(({ id }) => id === call.id);
    return exchange ? sealExchange(spoolKey, exchange, true) : sealCall(spoolKey, call);
  }
}

const NO_TOTALS: RunTotals = { accepted: 0, started: 0, dropped: {}, atRisk: 0 };

const endedAtMs = (exchange: Exchange | undefined): number =>
  exchange ? exchange.start.startedAtMs + (exchange.end?.endAtMs ?? 0) : 0;

const redactFeedback = (feedback: Feedback): Feedback => ({
  ...feedback,
  comment: feedback.comment && redactText(feedback.comment),
  correction: feedback.correction && redactText(feedback.correction),
});
