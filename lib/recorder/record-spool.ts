import { mkdirSync, renameSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Call } from "#lib/call.ts";
import type { Exchange } from "#lib/exchange.ts";
import type { Feedback } from "#lib/feedback.ts";
import type { Observation } from "#lib/observation.ts";
import { redactText } from "#lib/privacy/redact.ts";
import { createAssembler, type OpenExchange, type RunTotals } from "#lib/spool/assembler.ts";
import { CARRY_BYTES_MAX, openOpenExchange, sealOpenExchange } from "#lib/spool/carry.ts";
import { isAbandoned } from "#lib/spool/hold-spool.ts";
import { createSpoolReader, type SpoolPosition } from "#lib/spool/reader.ts";
import { listSegments, segmentName } from "#lib/spool/segment.ts";
import { keptDir } from "#lib/spool/spool-dir.ts";
import { createCaution, STRETCH_EXCHANGES } from "./caution.ts";
import type { Decoder } from "./decode-exchange.ts";
import { createStretchDecoder, type DecodedStretch } from "./decode-stretch.ts";
import type { SpoolWatch } from "./figures.ts";
import { insist, isOurFault } from "./insist.ts";
import { sealCall, sealExchange } from "./kept-exchange.ts";
import type { Carried, HeldSpool, Store } from "./store.ts";

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
  /** Test seam: see decode-exchange.ts. */
  decoder?: Decoder;
  /** Gets the calls of every stored batch. Must not throw; nobody waits for it. */
  onStored?: (observations: Observation[]) => void;
  stopping: () => boolean;
  log: (message: string) => void;
}

/** One transaction holds at most this much, and STRETCH_EXCHANGES. */
const BYTES_MAX = 16 << 20;
const IDLE_MS = 20;
/** Without anything to store, the watermark moves this often. */
const TOUCH_MS = 1000;
/** A recorder that is told to stop still stores what has been waiting for so long; the rest stays in the spool for the next one. */
const LAST_MS = 10_000;
/** A call in flight for longer than this many segments is carried in the database, so that its segments can go. */
const CARRY_SEGMENTS = 2;

/**
 * Follows one spool: reads, decodes, stores, deletes what is stored. Everything that ended up to `high` is stored, and
 * `high` moves in the transaction that stores it; calls still in flight keep `low`, where reading resumes after a
 * crash. While a stretch is stored the next one is read and decoded, when there is more than one. Returns when the lease is lost or
 * the recorder stops.
 */
export async function recordSpool(held: HeldSpool, options: RecordSpoolOptions): Promise<void> {
  const { dir, spool, lease, spoolKey, store } = options;
  const assembler = createAssembler(spool);
  const carried = held.carried.map((one) => openOpenExchange(spoolKey, one.sealed));
  assembler.restore(carried, held.run, { ...NO_TOTALS, ...(held.totals as Partial<RunTotals>) });
  const reader = createSpoolReader(dir, spoolKey, held.low);
  /** Where the next stretch begins. */
  let high = held.high;
  /** Of the stretch before; false: it is not stored, and neither is anything behind it. */
  let storing: Promise<boolean> = Promise.resolve(true);
  let carriedNow = new Set(carried.map(({ seq }) => seq));
  let touchedAt = 0;
  let stopAt: number | null = null;
  let saidStuck = false;
  const knownInstructions = new Set<string>();
  const caution = createCaution(dir, high);
  const decoder = createStretchDecoder({ ...options, projectId: "default", knownInstructions, caution });

  try {
    for (;;) {
      const stretch = read();
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
    const last = read();
    if (last.to !== null) return storeStretch(await decodeStretch(last, last.to));
    const exchanges = assembler.endRun();
    const { run, totals } = assembler.current();
    const left = { ...last, exchanges, runs: new Map([[run, structuredClone(totals)]]) };
    return storeStretch(await decodeStretch(left, high));
  }

  /** Reads until there is enough for a transaction, or nothing more to read. */
  function read() {
    const exchanges: Exchange[] = [];
    const feedback: Feedback[] = [];
    const runs = new Map<string, RunTotals>();
    const begunAtMs = Date.now();
    let to: SpoolPosition | null = null;
    let isAll = false;
    let bytes = 0;
    while (exchanges.length < (caution.careful() ? 1 : STRETCH_EXCHANGES) && bytes < BYTES_MAX) {
      const batch = reader.next();
      if (!batch) {
        isAll = true;
        break;
      }
      const replayed = isBefore(batch.from, high);
      const before = assembler.current();
      const done = assembler.add(batch, replayed);
      if (before.run && before.run !== batch.run && !replayed) runs.set(before.run, before.totals);
      if (replayed) continue;
      exchanges.push(...done.exchanges);
      feedback.push(...(done.feedback as Feedback[]));
      bytes += done.exchanges.reduce((sum, one) => sum + one.request.bytes + (one.response?.bytes ?? 0), 0);
      to = batch.to;
    }
    const { run, totals } = assembler.current();
    if (run) runs.set(run, structuredClone(totals));
    // Written before then, and in here: everything, or what ended up to the last one.
    const untilMs = isAll ? begunAtMs : endedAtMs(exchanges.at(-1));
    return { exchanges, feedback, runs, run, to, isAll, untilMs };
  }

  /** Moves `high`: what is read next lies behind this stretch. */
  async function decodeStretch(stretch: ReturnType<typeof read>, to: SpoolPosition) {
    const decoded = await decoder.decode(stretch.exchanges);
    const carry = carryIfLong(to);
    const low = assembler.open().reduce((least, one) => (isBefore(one.from, least) ? one.from : least), to);
    const from = high;
    high = to;
    return { stretch, decoded, carry, from, low, to };
  }

  async function storeStretch(ready: Awaited<ReturnType<typeof decodeStretch>>): Promise<boolean> {
    const { stretch, decoded, carry, from, low, to } = ready;
    const before = performance.now();
    const write = (some: DecodedStretch) =>
      insist(
        () =>
          store.record({
            ...{ spool, lease, from, low, high: to, run: stretch.run, runs: stretch.runs, ...some },
            feedback: stretch.feedback.map(redactFeedback),
            sessions: [],
            ...(carry && { carried: carry }),
            sealForSetAside: (call) => sealRefused(call, stretch.exchanges),
          }),
        options,
      );
    const stored = await write(decoded).catch((error) => {
      if (!isOurFault(error)) throw error;
      // Whose fault it is shows when each of them is tried again by itself.
      return write({ calls: [], undecoded: stretch.exchanges.map((one) => decoder.keep(one, error)) });
    });
    if (!stored) return false;
    caution.stored(stretch.exchanges.length, to);
    // The words of a call that was set aside are not stored: whoever says them next must bring them again.
    if (stored.setAside > 0) knownInstructions.clear();
    const { calls } = decoded;
    options.onStored?.(calls.flatMap(({ observation }) => observation ?? []));
    options.watch?.storedUntil(stretch.untilMs);
    await options.watch?.stored({
      run: stretch.run,
      high: to,
      calls,
      feedback: stretch.feedback.length,
      setAside: stored.setAside,
      seconds: (performance.now() - before) / 1000,
    });
    clearBelow(low.segment);
    return true;
  }

  /** With what was said where that may be kept, so that a later version can store it all. */
  function sealRefused(call: Call, exchanges: readonly Exchange[]): Buffer {
    const exchange = options.contentKey && exchanges.find(({ id }) => id === call.id);
    return exchange ? sealExchange(spoolKey, exchange, true) : sealCall(spoolKey, call);
  }

  /**
   * What the table is to hold of calls in flight for long; undefined: what it does. A row stands for the position of its commit, from
   * which on the spool is read for that call. Those that wait longest go first, and no more at once than a message holds.
   */
  function carryIfLong(to: SpoolPosition): Carried[] | undefined {
    const open = assembler.open();
    const segments = listSegments(dir).filter((number) => number <= to.segment);
    const isLong = ({ from }: OpenExchange) =>
      segments.filter((number) => number > from.segment).length >= CARRY_SEGMENTS;
    const long = segments.length > CARRY_SEGMENTS ? open.filter(isLong) : [];
    const before = carriedNow;
    const carried = open.filter((one) => one.carried === true);
    carriedNow = new Set(carried.map(({ seq }) => seq));
    if (long.length === 0 && carriedNow.size === before.size) return undefined;
    const anew = new Map<number, Buffer>();
    let bytes = 0;
    for (const one of long.toSorted((a, b) => (isBefore(a.from, b.from) ? -1 : 1))) {
      bytes += one.request.keptBytes + one.response.keptBytes;
      if (anew.size > 0 && bytes > CARRY_BYTES_MAX) break;
      one.from = to;
      one.carried = true;
      anew.set(one.seq, sealOpenExchange(spoolKey, one));
      carriedNow.add(one.seq);
    }
    return open
      .filter(({ seq }) => carriedNow.has(seq))
      .map(({ run, seq }) => ({ run, seq, sealed: anew.get(seq) ?? null }));
  }

  /** What is stored goes, or is moved. When the disk or somebody's permissions do not let it, it stays, and that is said once. */
  function clearBelow(segment: number) {
    try {
      // The newest one stays, whoever is still writing to it: its number must never be used again.
      const stored = listSegments(dir)
        .slice(0, -1)
        .filter((number) => number < segment);
      if (options.keepSegments && stored.length) mkdirSync(keptDir(dir), { recursive: true, mode: 0o700 });
      for (const name of stored.map(segmentName))
        if (options.keepSegments) renameSync(join(dir, name), join(keptDir(dir), name));
        else unlinkSync(join(dir, name));
    } catch (error) {
      if (!saidStuck) options.log(`stored segments of the spool cannot be cleared: ${(error as Error).message}`);
      saidStuck = true;
    }
  }
}

const NO_TOTALS: RunTotals = { accepted: 0, started: 0, dropped: {}, atRisk: 0 };

const isBefore = (a: SpoolPosition, b: SpoolPosition): boolean =>
  a.segment < b.segment || (a.segment === b.segment && a.offset < b.offset);

const endedAtMs = (exchange: Exchange | undefined): number =>
  exchange ? exchange.start.startedAtMs + (exchange.end?.endAtMs ?? 0) : 0;

const redactFeedback = (feedback: Feedback): Feedback => ({
  ...feedback,
  comment: feedback.comment && redactText(feedback.comment),
  correction: feedback.correction && redactText(feedback.correction),
});
