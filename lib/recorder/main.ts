import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { ALERTS_JOB, checkAlerts } from "#db/alerts.ts";
import { open } from "#db/connect.ts";
import { countRun } from "#db/count-run.ts";
import { foldDays } from "#db/fold-days.ts";
import { matchFeedback } from "#db/match-feedback.ts";
import { ensurePartitions } from "#db/partitions.ts";
import { recordBatch } from "#db/record-batch.ts";
import { recordPrices } from "#db/record-prices.ts";
import { runJob } from "#db/run-job.ts";
import { leaseSpool, releaseSpool, touchSpool } from "#db/spool-lease.ts";
import { type Config, ConfigError, readConfig } from "#lib/config.ts";
import { ensureKey } from "#lib/keys.ts";
import { createLog, type Log } from "#lib/log.ts";
import { PRICES } from "#lib/pricing/price-book.ts";
import { readRecorderState } from "#lib/recorder-state.ts";
import { holdSpool, type SpoolHold } from "#lib/spool/hold-spool.ts";
import { contentKeyFile, listSpools, spoolKeyFile } from "#lib/spool/spool-dir.ts";
import { createFigures, type SpoolWatch } from "./figures.ts";
import { recordSpool } from "./record-spool.ts";
import { keepStateFile } from "./state-file.ts";
import type { Store } from "./store.ts";

const LOOK_MS = 500;
const FEEDBACK_MS = 1000;
const FEEDBACK_ALL_MS = 60_000;
const PARTITIONS_MS = 3_600_000;
const FOLD_MS = 600_000;
/** Looks which rules are due, so that a new one has its value soon; each is checked every 30 seconds. */
const ALERTS_MS = 5000;
const ALERTS_LEASE_MS = 60_000;
/** A driver may lose an answer when its connection dies: a count that does not come is not known. */
const COUNT_MS = 2000;
const DAY_MS = 86_400_000;

/** Follows every spool below the data directory, each in its own loop, and keeps the store's house in order. */
export async function startRecorder(): Promise<void> {
  const config = readConfig();
  if (!config.databaseUrl) throw new ConfigError("The recorder needs DATABASE_URL.");
  const spoolKey = ensureKey(spoolKeyFile(config.dataDir));
  const contentKey = config.capture === "full" ? ensureKey(contentKeyFile(config.dataDir)) : null;
  const sql = open(config.databaseUrl, 4);
  const store: Store = {
    lease: (spool, lease, evenIfHeld) => leaseSpool(sql, spool, lease, evenIfHeld),
    touch: (spool, lease) => touchSpool(sql, spool, lease),
    release: (spool, lease) => releaseSpool(sql, spool, lease),
    record: (batch) => recordBatch(sql, batch),
    matchFeedback: (recentOnly) => matchFeedback(sql, recentOnly),
  };
  const recorderLog = createLog("recorder");
  const { warn: log } = recorderLog;
  const telemetry = await startTelemetry(config, log);
  const figures = createFigures({
    earlier: readRecorderState(config.dataDir)?.spools ?? [],
    countRun: (spool, run) => Promise.race([countRun(sql, spool, run), sleep(COUNT_MS, null, { ref: false })]),
    ...(telemetry && { telemetry: () => telemetry.results() }),
  });
  const lease = `${process.pid}:${randomUUID()}`;
  const following = new Map<string, Promise<void>>();
  let stopping = false;

  const stop = () => {
    stopping = true;
  };
  process.on("disconnect", stop);
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, stop);
  keepStateFile(config.dataDir, figures, recorderLog);
  process.send?.({ type: "ready" });

  // Lines name their price; a page that cannot show it yet says so.
  recordPrices(sql, PRICES).catch((error: Error) => log(`the price book could not be stored: ${error.message}`));
  every(FEEDBACK_MS, () => store.matchFeedback(true));
  every(FEEDBACK_ALL_MS, () => store.matchFeedback(false));
  const alerts = { name: ALERTS_JOB, holder: lease, leaseMs: ALERTS_LEASE_MS };
  every(ALERTS_MS, () => runJob(sql, alerts, (fence) => checkAlerts(sql, Date.now(), fence)));
  // One at a time is enough; what one folds the other finds folded.
  every(FOLD_MS, () => foldDays(sql, Date.now()));
  every(PARTITIONS_MS, () => ensurePartitions(sql, Date.now() - 7 * DAY_MS, Date.now() + 28 * DAY_MS));
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
  await Promise.all([sql.end({ timeout: 2 }), telemetry?.shutdown()]);
  process.exit(0);

  async function follow(dir: string, spool: string) {
    let hold: SpoolHold | null = null;
    let watch: SpoolWatch | null = null;
    try {
      hold = holdSpool(dir, "recorder");
      if (!hold) return;
      const held = await leaseWatched(spool, hold.previousIsDead);
      if (!held) return;
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
        ...(telemetry && { observes: telemetry.observes, onStored: telemetry.record }),
        stopping: () => stopping,
        log,
      });
      await store.release(spool, lease);
    } catch (error) {
      log(`${(error as Error).message}; trying again`);
      await sleep(LOOK_MS);
    } finally {
      watch?.letGo();
      hold?.release();
    }
  }

  async function leaseWatched(spool: string, evenIfHeld: boolean) {
    let answers = false;
    try {
      const held = await store.lease(spool, lease, evenIfHeld);
      answers = true;
      return held;
    } finally {
      figures.database(answers);
    }
  }

  /** A job that fails is tried again at its next time. */
  function every(ms: number, work: () => Promise<unknown>) {
    let running = false;
    setInterval(() => {
      if (running || stopping) return;
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
