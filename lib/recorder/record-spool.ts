import { unlinkSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Exchange } from "#lib/exchange.ts";
import type { Feedback } from "#lib/feedback.ts";
import type { Observation } from "#lib/observation.ts";
import { redactText } from "#lib/privacy/redact.ts";
import { createAssembler, type RunTotals } from "#lib/spool/assembler.ts";
import { openOpenExchange, sealOpenExchange, sealWithSpoolKey } from "#lib/spool/carry.ts";
import { isAbandoned } from "#lib/spool/hold-spool.ts";
import { createSpoolReader, type SpoolPosition } from "#lib/spool/reader.ts";
import { listSegments, segmentName } from "#lib/spool/segment.ts";
import { type DecodedExchange, decodeExchange } from "./decode-exchange.ts";
import type { SpoolWatch } from "./figures.ts";
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
  /** Gets the calls of every stored batch. Must not throw; nobody waits for it. */
  onStored?: (observations: Observation[]) => void;
  stopping: () => boolean;
  log: (message: string) => void;
}

/** One transaction holds at most this much. */
const EXCHANGES_MAX = 500;
const BYTES_MAX = 16 << 20;
const IDLE_MS = 20;
/** Without anything to store, the watermark moves this often. */
const TOUCH_MS = 1000;
/** A call in flight for longer than this many segments is carried in the database, so that its segments can go. */
const CARRY_SEGMENTS = 2;
const RETRY_MS_MAX = 2000;
/** Longer than any batch takes, also on a busy database. */
const ANSWER_MS = 20_000;

/**
 * Follows one spool: reads, decodes, stores, deletes what is stored. Everything that ended up to `high` is stored, and
 * `high` moves in the transaction that stores it; calls still in flight keep `low`, where reading resumes after a
 * crash. Returns when the lease is lost or the recorder stops.
 */
export async function recordSpool(held: HeldSpool, options: RecordSpoolOptions): Promise<void> {
  const { dir, spool, lease, spoolKey, store } = options;
  const assembler = createAssembler(spool);
  const carried = held.carried.map((one) => openOpenExchange(spoolKey, one.sealed));
  assembler.restore(carried, held.run, { ...NO_TOTALS, ...(held.totals as Partial<RunTotals>) });
  const reader = createSpoolReader(dir, spoolKey, held.low);
  let high = held.high;
  let carriedNow = carried.length > 0;
  let touchedAt = 0;
  const knownInstructions = new Set<string>();

  try {
    for (;;) {
      const stretch = read();
      if (stretch.to !== null) {
        if (!(await storeStretch(stretch, stretch.to))) return;
        touchedAt = performance.now();
        continue;
      }
      options.watch?.storedUntil(stretch.untilMs);
      if (assembler.open().length > 0 && isAbandoned(dir, "worker")) {
        if (!(await storeAbandoned())) return;
        continue;
      }
      if (performance.now() - touchedAt > TOUCH_MS) {
        touchedAt = performance.now();
        if (!(await insist(() => store.touch(spool, lease)))) return;
      }
      if (options.stopping()) return;
      await sleep(IDLE_MS);
    }
  } finally {
    reader.close();
  }

  /** The worker is dead and has no successor: what it wrote last, then what it left open. */
  async function storeAbandoned(): Promise<boolean> {
    const last = read();
    if (last.to !== null) return storeStretch(last, last.to);
    const exchanges = assembler.endRun();
    const { run, totals } = assembler.current();
    return storeStretch({ ...last, exchanges, runs: new Map([[run, structuredClone(totals)]]) }, high);
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
    while (exchanges.length < EXCHANGES_MAX && bytes < BYTES_MAX) {
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
    return { exchanges, feedback, runs, run, to, untilMs };
  }

  async function storeStretch(stretch: ReturnType<typeof read>, to: SpoolPosition): Promise<boolean> {
    const calls: DecodedExchange[] = [];
    for (const exchange of stretch.exchanges)
      calls.push(
        await decodeExchange(exchange, {
          projectId: "default",
          contentKey: options.contentKey,
          knownInstructions,
          observes: options.observes,
        }),
      );
    const carry = carryIfLong(to);
    const low = assembler.open().reduce((least, one) => (isBefore(one.from, least) ? one.from : least), to);
    const before = performance.now();
    const stored = await insist(() =>
      store.record({
        spool,
        lease,
        from: high,
        low,
        high: to,
        run: stretch.run,
        runs: stretch.runs,
        calls,
        feedback: stretch.feedback.map(redactFeedback),
        ...(carry && { carried: carry }),
        sealForSetAside: (call) => sealWithSpoolKey(spoolKey, call),
      }),
    );
    if (!stored) return false;
    high = to;
    options.onStored?.(calls.flatMap(({ observation }) => observation ?? []));
    options.watch?.storedUntil(stretch.untilMs);
    await options.watch?.stored({
      run: stretch.run,
      high,
      calls,
      feedback: stretch.feedback.length,
      setAside: stored.setAside,
      seconds: (performance.now() - before) / 1000,
    });
    if (!options.keepSegments) deleteBelow(low.segment);
    return true;
  }

  /** The table row must stand for the very position of the commit, so whoever is carried is carried anew with it. */
  function carryIfLong(to: SpoolPosition) {
    const open = assembler.open();
    const segments = listSegments(dir).filter((number) => number <= to.segment);
    if (!open.some((one) => segments.filter((number) => number > one.from.segment).length >= CARRY_SEGMENTS)) {
      if (!carriedNow || open.some((one) => one.carried)) return undefined;
      carriedNow = false;
      return [];
    }
    carriedNow = true;
    for (const one of open) {
      one.from = to;
      one.carried = true;
    }
    return open.map((one) => ({ run: one.run, seq: one.seq, sealed: sealOpenExchange(spoolKey, one) }));
  }

  /** Postgres may be away for long: calls go on, the spool grows, and this goes on trying. Undefined: the lease is lost. */
  async function insist<T>(work: () => Promise<T>): Promise<T | undefined> {
    for (let wait = 50, said = false; ; wait = Math.min(wait * 2, RETRY_MS_MAX)) {
      try {
        options.watch?.asks();
        const answer = await inTime(work());
        options.watch?.database(true);
        return answer;
      } catch (error) {
        if ((error as { code?: string }).code === "lease_lost" || options.stopping()) return undefined;
        options.watch?.database(false);
        if (!said)
          options.log(
            `the database does not take a batch (${(error as Error).message}); calls wait in the spool, trying again`,
          );
        said = true;
        await sleep(wait);
      }
    }
  }

  function deleteBelow(segment: number) {
    // The newest one stays, whoever is still writing to it: its number must never be used again.
    for (const number of listSegments(dir).slice(0, -1))
      if (number < segment) unlinkSync(join(dir, segmentName(number)));
  }
}

/** A driver may lose an answer when its connection dies. Whether it had happened is asked of the position, not of the driver. */
function inTime<T>(work: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`no answer in ${ANSWER_MS / 1000} s`)), ANSWER_MS);
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
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
