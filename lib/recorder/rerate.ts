import { parseArgs } from "node:util";
import type { Sql } from "postgres";
import { bookVersion, readAdded } from "#db/price-book.ts";
import {
  type BilledCall,
  type BilledPage,
  billedCalls,
  bookAdjustments,
  finishRerate,
  RerateError,
  type RerateRange,
  unfinishedRerate,
} from "#db/rerate.ts";
import { recordersBehindSeconds } from "#db/spool-lease.ts";
import { isDay } from "#lib/price-term.ts";
import { newRerateReport } from "#lib/rerate-report.ts";
import { createUuid7 } from "#lib/uuid7.ts";
import { createBookKeeper } from "./book-keeper.ts";
import { type Looked, type RerateStore, rerateCalls } from "./rerate-calls.ts";
import { writeRerate } from "./rerate-text.ts";
import { withDatabase } from "./with-database.ts";

const USAGE = `Usage: npm run -s rerate -- --from 2026-10-01 --to 2026-11-01 [--model 'gpt-4o*'] [--dry-run]
Prices the calls that began on these UTC days (the last one excluded) again by the present price book. --model is what answered, or its
beginning and a *. Closed months stay as they are. --dry-run says what would change, and changes nothing.`;

const PROJECT = "default";
/** Priced in one transaction, for which whoever stores calls waits. */
const PAGE_CALLS = 500;
/** A multiple of them. */
const SAID_CALLS = 50_000;

interface Wanted {
  range: RerateRange;
  dryRun: boolean;
}

// An entry that lib/setup/run.mjs imports: it is never "main", and nobody else imports it.
const wanted = readArguments();
if (typeof wanted === "string") {
  console.error(wanted);
  process.exitCode = 1;
} else
  await withDatabase(async (sql) => {
    try {
      await rerate(sql, wanted);
    } catch (error) {
      if (!(error instanceof RerateError)) throw error;
      console.error(`${error.code}: ${error.message}`);
      process.exitCode = 1;
    }
  });

async function rerate(sql: Sql, { range, dryRun }: Wanted): Promise<void> {
  const prices = createBookKeeper({ version: () => bookVersion(sql), read: () => readAdded(sql) });
  await prices.first();
  const begun = dryRun ? null : await unfinishedRerate(sql, range);
  if (begun) console.log("Going on with what was begun before and not finished.");
  const { id, report } = begun ?? { id: createUuid7()(), report: newRerateReport(range.models) };
  const store: RerateStore<BilledCall, BilledPage> = {
    next: (after) => billedCalls(sql, range, after, PAGE_CALLS),
    book: (now, page, adjusted) => bookAdjustments(sql, { id, range, report: now }, page, adjusted),
    lagSeconds: () => recordersBehindSeconds(sql),
  };
  const looked = await rerateCalls(store, prices.book(), report, { dryRun, onPage });
  if (!dryRun) await finishRerate(sql, id);
  console.log(writeRerate(report, looked, dryRun));
}

/** So that nobody waits in the dark. */
function onPage({ calls }: Looked): void {
  if (calls % SAID_CALLS === 0) console.log(`${calls} calls were looked at …`);
}

/** A string says what is wrong. */
function readArguments(): Wanted | string {
  let values: { from?: string; to?: string; model?: string; "dry-run"?: boolean };
  try {
    ({ values } = parseArgs({
      options: {
        from: { type: "string" },
        to: { type: "string" },
        model: { type: "string" },
        "dry-run": { type: "boolean", default: false },
      },
    }));
  } catch {
    return USAGE;
  }
  const { from, to, model = null } = values;
  if (from === undefined || to === undefined) return USAGE;
  const bad = [from, to].find((day) => !isDay(day));
  if (bad !== undefined) return `bad_date: "${bad}" is no day; write it as 2026-10-01.`;
  if (from >= to) return `bad_date: ${to} is not after ${from}; the last day is excluded.`;
  if (model !== null && !/^(?=.)[^\s*]*\*?$/.test(model))
    return `bad_model: "${model}" is no model; write its name, or its beginning and a *.`;
  const range = { project: PROJECT, fromMs: Date.parse(from), toMs: Date.parse(to), models: model };
  return { range, dryRun: values["dry-run"] ?? false };
}
