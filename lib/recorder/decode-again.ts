import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { compareCalls, replaceStale } from "#db/decoded-again.ts";
import { bookVersion, readAdded } from "#db/price-book.ts";
import { replaceSessions } from "#db/replace-sessions.ts";
import { type Fence, runJob } from "#db/run-job.ts";
import { sealedUntil } from "#db/sealed.ts";
import { recordersBehindSeconds, spoolHigh } from "#db/spool-lease.ts";
import { readConfig } from "#lib/config.ts";
import { readKey } from "#lib/keys.ts";
import { contentKeyFile, listSpools, spoolKeyFile } from "#lib/spool/spool-dir.ts";
import { newReport, writeReport } from "./again-report.ts";
import { createBookKeeper } from "./book-keeper.ts";
import { decodeAgain } from "./decode-spool-again.ts";
import { createSocketReading } from "./read-sockets.ts";
import { rereadSpool } from "./reread-spool.ts";
import { withDatabase } from "./with-database.ts";

// `npm run decode-again -- [--from 2026-10-01] [--to 2026-11-01] [--dry-run]`: reads what the spools still hold (OMNIMETER_KEEP_SPOOL)
// with the present decoder, replaces what an older one had read, and reports the difference. The recorder may run meanwhile.
// An entry that lib/setup/run.mjs imports: it is never "main", and nobody else imports it.
const USAGE = `Usage: npm run decode-again -- [--from 2026-10-01] [--to 2026-11-01] [--dry-run]
Calls that began on these UTC days (the second one excluded); --dry-run writes nothing.`;
const LEASE_MS = 120_000;
const BUSY_MS = 500;

const wanted = readArguments();
if (wanted)
  await withDatabase(async (sql) => {
    const { dataDir, keepSpool, deployments } = readConfig();
    const spools = listSpools(dataDir);
    if (!keepSpool)
      console.log(
        "OMNIMETER_KEEP_SPOOL is off: what is stored is deleted from the spools, so that little is left to be read.",
      );
    if (spools.length === 0) {
      console.log(`There is no spool in ${dataDir}.`);
      return;
    }
    const spoolKey = readKey(spoolKeyFile(dataDir));
    // What is stored with its content keeps it, also where only facts are kept by now.
    const contentKey = existsSync(contentKeyFile(dataDir)) ? readKey(contentKeyFile(dataDir)) : null;
    const expiredBeforeMs = await sealedUntil(sql);
    const prices = createBookKeeper({ version: () => bookVersion(sql), read: () => readAdded(sql) });
    await prices.first();
    const report = newReport();
    const job = { name: "decode-again", holder: `${process.pid}:${randomUUID()}`, leaseMs: LEASE_MS };
    for (const { dir, spool } of spools) {
      const high = await spoolHigh(sql, spool);
      if (!high) continue;
      const common = { projectId: "default", deployments, book: prices.book };
      const sockets = createSocketReading({ ...common, caution: { isDeadly: () => false, begins() {} } });
      for (const reread of rereadSpool({ dir, spool, spoolKey, high, sockets, ...wanted.range })) {
        const again = (fence: Fence) =>
          decodeAgain(reread, report, {
            ...common,
            // A spool holds audio only where somebody asked to keep it.
            keepAudio: true,
            contentKey,
            knownInstructions: new Set(),
            expiredBeforeMs,
            dryRun: wanted.dryRun,
            store: {
              compare: (calls) => compareCalls(sql, calls),
              replace: (calls) => replaceStale(sql, fence, calls),
              replaceSessions: (sessions, dryRun) => replaceSessions(sql, fence, sessions, dryRun),
              lagSeconds: () => recordersBehindSeconds(sql),
            },
          });
        // A few calls at a time: another one of these commands goes on beside it, batch by batch.
        while (!(await runJob(sql, job, again))) await sleep(BUSY_MS);
      }
    }
    console.log(writeReport(report, wanted.dryRun));
  });
else {
  console.error(USAGE);
  process.exitCode = 1;
}

function readArguments() {
  try {
    const { values } = parseArgs({
      options: { from: { type: "string" }, to: { type: "string" }, "dry-run": { type: "boolean", default: false } },
    });
    const fromMs = values.from === undefined ? 0 : dayMs(values.from);
    const toMs = values.to === undefined ? Number.POSITIVE_INFINITY : dayMs(values.to);
    return fromMs < toMs ? { range: { fromMs, toMs }, dryRun: values["dry-run"] } : null;
  } catch {
    return null;
  }
}

/** NaN where it is no day: no range holds it. */
function dayMs(day: string): number {
  return /^\d{4}-\d\d-\d\d$/.test(day) ? Date.parse(`${day}T00:00:00Z`) : Number.NaN;
}
