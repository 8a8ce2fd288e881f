import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { ALERTS_JOB, checkAlerts } from "#db/alerts.ts";
import { assertMigrated } from "#db/assert-migrated.ts";
import { open } from "#db/connect.ts";
import { countRun } from "#db/count-run.ts";
import { foldDays } from "#db/fold-days.ts";
import { foldRatings } from "#db/fold-ratings.ts";
import { matchFeedback } from "#db/match-feedback.ts";
import { ensureIndexes } from "#db/online-indexes.ts";
import { ensurePartitions } from "#db/partitions.ts";
import { prepareCalls } from "#db/prepare-calls.ts";
import { bookVersion, readAdded } from "#db/price-book.ts";
import { REBUILD_JOB, rebuildDue } from "#db/rebuild-rollups.ts";
import { LeaseLost, recordBatch } from "#db/record-batch.ts";
import { recordPrices } from "#db/record-prices.ts";
import { RETENTION_JOB, retire } from "#db/retention.ts";
import { runJob } from "#db/run-job.ts";
import { keptSince } from "#db/sealed.ts";
import { beginRetry, keepSetAside, nextAsked, nextOldAside, resealAside, storeSetAside } from "#db/set-aside.ts";
import { leaseSpool, releaseSpool, touchSpool } from "#db/spool-lease.ts";
import { StoreError } from "#db/store-error.ts";
import { type Config, ConfigError, readConfig } from "#lib/config.ts";
import { ensureKey } from "#lib/keys.ts";
import { createLog, type Log } from "#lib/log.ts";
import { PRICES } from "#lib/pricing/price-book.ts";
import { readRecorderState } from "#lib/recorder-state.ts";
import { holdSpool, type SpoolHold } from "#lib/spool/hold-spool.ts";
import { contentKeyFile, listSpools, spoolKeyFile } from "#lib/spool/spool-dir.ts";
import { createBookKeeper } from "./book-keeper.ts";
import { dropSaid } from "./drop-said.ts";
import { createFigures, type SpoolWatch } from "./figures.ts";
import { joinThroughProxy } from "./join-through-proxy.ts";
import { recordSpool } from "./record-spool.ts";
import { type AsideStore, retrySetAside } from "./retry-set-aside.ts";
import { keepStateFile } from "./state-file.ts";
import type { Store } from "./store.ts";
import { startWatchdog } from "./watchdog.ts";

const LOOK_MS = 500;
/** A price or a term that was added is used after so long at most. */
const BOOK_MS = 30_000;
const FEEDBACK_MS = 1000;
const FEEDBACK_ALL_MS = 60_000;
const PARTITIONS_MS = 3_600_000;
const FOLD_MS = 600_000;
/** A day that is counted again is followed by such a pause. */
const REBUILD_MS = 10_000;
const REBUILD_LEASE_MS = 600_000;
const RETENTION_MS = 600_000;
const RETENTION_LEASE_MS = 3_600_000;
/** Looks which rules are due, so that a new one has its value soon; each is checked every 30 seconds. */
const ALERTS_MS = 5000;
const ALERTS_LEASE_MS = 60_000;
/** New indexes are made in turns of at least one partition, which may take minutes where calls are many. */
const INDEXES_MS = 10_000;
const INDEXES_LEASE_MS = 1_800_000;
/** A driver may lose an answer when its connection dies: a count that does not come is not known. */
const COUNT_MS = 2000;
const RETRY_MS = 2000;
/** One call is decoded and stored at a time: this is how long one may take. */
const RETRY_LEASE_MS = 60_000;
/** Another process may migrate while this one runs. */
const SCHEMA_MS = 2000;
const DAY_MS = 86_400_000;

/** Follows every spool below the data directory, each in its own loop, and keeps the store's house in order. */
export async function startRecorder(): Promise<void> {
  const config = readConfig();
  if (!config.databaseUrl) throw new ConfigError("The recorder needs DATABASE_URL.");
  const spoolKey = ensureKey(spoolKeyFile(config.dataDir));
  const contentKey = config.capture === "full" ? ensureKey(contentKeyFile(config.dataDir)) : null;
  const sql = open(config.databaseUrl, 4);
  /** For what may take minutes: storing calls never waits for it. */
  const upkeep = open(config.databaseUrl, 4);
  /** The schema is another version's: nothing is read or written until it fits, and the spool keeps the calls. */
  let misfit = false;
  const store: Store = {
    lease: (spool, lease, evenIfHeld) => leaseSpool(sql, spool, lease, evenIfHeld),
    touch: (spool, lease) => touchSpool(sql, spool, lease),
    release: (spool, lease) => releaseSpool(sql, spool, lease),
    prepare: prepareCalls,
    // Not even to the end of what is spooled.
    record: async (batch) => {
      if (misfit) throw new LeaseLost("the schema is another version's");
      return recordBatch(sql, batch);
    },
  };
  const recorderLog = createLog("recorder");
  const { warn: log } = recorderLog;
  const telemetry = await startTelemetry(config, log);
  const joiner = joinThroughProxy(config, recorderLog);
  const figures = createFigures({
    earlier: readRecorderState(config.dataDir)?.spools ?? [],
    countRun: (spool, run) => Promise.race([countRun(sql, spool, run), sleep(COUNT_MS, null, { ref: false })]),
    ...(telemetry && { telemetry: () => telemetry.results() }),
    ...(joiner && { joins: joiner.counts }),
  });
  const prices = createBookKeeper({ version: () => bookVersion(upkeep), read: () => readAdded(upkeep) });
  const lease = `${process.pid}:${randomUUID()}`;
  const following = new Map<string, Promise<void>>();
  let stopping = false;
  /** Until when this host has dropped what was said, in milliseconds. */
  let saidDropped: number | null = null;

  const stop = () => {
    stopping = true;
    joiner?.stop();
  };
  process.on("disconnect", stop);
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, stop);
  keepStateFile(config.dataDir, figures, recorderLog);
  startWatchdog();
  process.send?.({ type: "ready" });

  // Lines name their price; a page that cannot show it yet says so.
  recordPrices(upkeep, PRICES).catch((error: Error) => log(`the price book could not be stored: ${error.message}`));
  every(BOOK_MS, prices.look);
  every(FEEDBACK_MS, () => matchFeedback(upkeep, true));
  every(FEEDBACK_ALL_MS, () => matchFeedback(upkeep, false));
  const alerts = { name: ALERTS_JOB, holder: lease, leaseMs: ALERTS_LEASE_MS };
  every(ALERTS_MS, () => runJob(upkeep, alerts, (fence) => checkAlerts(upkeep, Date.now(), fence)));
  const indexes = { name: "indexes", holder: lease, leaseMs: INDEXES_LEASE_MS };
  every(INDEXES_MS, () => runJob(upkeep, indexes, () => ensureIndexes(upkeep, Date.now() + INDEXES_MS)));
  // One at a time is enough; what one folds the other finds folded.
  every(FOLD_MS, () => foldDays(upkeep, Date.now()));
  every(FOLD_MS, () => foldRatings(upkeep, Date.now()));
  every(PARTITIONS_MS, () => ensurePartitions(upkeep, Date.now() - 7 * DAY_MS, Date.now() + 28 * DAY_MS));
  const rebuild = { name: REBUILD_JOB, holder: lease, leaseMs: REBUILD_LEASE_MS };
  every(REBUILD_MS, () => runJob(upkeep, rebuild, () => rebuildDue(upkeep)));
  const retention = { name: RETENTION_JOB, holder: lease, leaseMs: RETENTION_LEASE_MS };
  every(RETENTION_MS, () => runJob(upkeep, retention, dropOld));
  every(RETENTION_MS, dropSaidHere);
  const retry = { name: "set-aside", holder: lease, leaseMs: RETRY_LEASE_MS };
  every(RETRY_MS, () => runJob(upkeep, retry, retrySome));
  assertFits().catch(() => {});
  setInterval(() => assertFits().catch(() => {}), SCHEMA_MS).unref();
  while (!stopping) {
    for (const { dir, spool } of listSpools(config.dataDir))
      if (!following.has(spool))
        following.set(
          spool,
          follow(dir, spool).finally(() => following.delete(spool)),
        );
    await sleep(LOOK_MS);
  }
  await Promise.all(following.values());
  await Promise.all([sql.end({ timeout: 2 }), upkeep.end({ timeout: 2 }), telemetry?.shutdown()]);
  process.exit(0);

  async function follow(dir: string, spool: string) {
    let hold: SpoolHold | null = null;
    let watch: SpoolWatch | null = null;
    try {
      hold = holdSpool(dir, "recorder");
      if (!hold) return;
      const held = await leaseWatched(spool, hold.previousIsDead);
      if (!held) return;
      await prices.first();
      watch = await figures.follow(spool, held);
      await recordSpool(held, {
        dir,
        spool,
        lease,
        spoolKey,
        contentKey,
        keepSegments: config.keepSpool,
        store,
        watch,
        book: prices.book,
        keepAudio: config.keepAudio,
        deployments: config.deployments,
        ...(telemetry && { observes: telemetry.observes, onStored: telemetry.record }),
        onExchanges: joiner?.join,
        stopping: () => stopping || misfit,
        log,
      });
      await store.release(spool, lease);
    } catch (error) {
      if (!misfit) log(`${(error as Error).message}; trying again`);
      await sleep(misfit ? SCHEMA_MS : LOOK_MS);
    } finally {
      watch?.letGo();
      hold?.release();
    }
  }

  async function retrySome() {
    await prices.first();
    const ours = new Set(listSpools(config.dataDir).map(({ spool }) => spool));
    const aside: AsideStore = {
      next: (skip) => nextAsked(upkeep, skip),
      begin: (id) => beginRetry(upkeep, id),
      store: (id, decoded, derived) => storeSetAside(upkeep, id, decoded, derived),
      keep: (id, reason) => keepSetAside(upkeep, id, reason),
    };
    return retrySetAside({
      projectId: "default",
      contentKey,
      knownInstructions: new Set(),
      book: prices.book,
      keepAudio: config.keepAudio,
      deployments: config.deployments,
      spoolKey,
      isOurs: (spool) => ours.has(spool),
      store: aside,
      stopping: () => stopping,
    });
  }

  async function leaseWatched(spool: string, evenIfHeld: boolean) {
    let answers = false;
    try {
      await assertFits();
      const held = await store.lease(spool, lease, evenIfHeld);
      answers = true;
      return held;
    } finally {
      figures.database(answers);
    }
  }

  async function assertFits() {
    try {
      await assertMigrated(sql);
      misfit = false;
    } catch (error) {
      if (error instanceof StoreError && !misfit) log(error.message);
      misfit = error instanceof StoreError;
      throw error;
    }
  }

  async function dropOld() {
    const { dropped, waits } = await retire(upkeep, config, Date.now());
    if (dropped.length) recorderLog.info("dropped what is no longer kept", { partitions: dropped.join(" ") });
    if (waits) recorderLog.warnOnce(waits, waits);
  }

  /** As far as retention has gone in the database. */
  async function dropSaidHere() {
    const { contentFromMs: beforeMs } = await keptSince(upkeep);
    if (beforeMs === null || beforeMs === saidDropped) return;
    const spools = listSpools(config.dataDir);
    const ours = spools.map(({ spool }) => spool);
    const store = {
      next: (after: string | null) => nextOldAside(upkeep, ours, beforeMs, after),
      reseal: (id: string, sealed: Buffer) => resealAside(upkeep, id, sealed),
    };
    await dropSaid({ dirs: spools.map(({ dir }) => dir), beforeMs, spoolKey, store });
    saidDropped = beforeMs;
  }

  /** A job that fails is tried again at its next time. */
  function every(ms: number, work: () => Promise<unknown>) {
    let running = false;
    setInterval(() => {
      if (running || stopping || misfit) return;
      running = true;
      work()
        .catch((error: Error) => log(error.message))
        .finally(() => {
          running = false;
        });
    }, ms).unref();
  }
}

/** null: nobody is told, and the SDK's 45 MB are not loaded. */
async function startTelemetry({ telemetry: { traces, metrics, content }, upstreams }: Config, log: Log["warn"]) {
  if (!traces && !metrics) return null;
  const { createCallTelemetry } = await import("#lib/telemetry/call-telemetry.ts");
  const { record, counts, shutdown } = createCallTelemetry({ traces, metrics, upstreams, log });
  return {
    observes: content ? ("content" as const) : ("facts" as const),
    record,
    results: () => ({ exported: counts().exported, ...counts().dropped }),
    shutdown,
  };
}

if (import.meta.main) {
  try {
    await startRecorder();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.exitCode = 1;
    if (process.send) process.send({ type: "failed", message: error.message });
    else console.error(error.message);
  }
}
