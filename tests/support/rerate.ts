import { bookVersion, readAdded } from "#db/price-book.ts";
import {
  type BilledCall,
  type BilledPage,
  billedCalls,
  bookAdjustments,
  finishRerate,
  type RerateRange,
  unfinishedRerate,
} from "#db/rerate.ts";
import type { Price } from "#lib/price.ts";
import { readPrice } from "#lib/read-price.ts";
import { createBookKeeper } from "#lib/recorder/book-keeper.ts";
import { rerateCalls } from "#lib/recorder/rerate-calls.ts";
import { newRerateReport } from "#lib/rerate-report.ts";
import { createUuid7 } from "#lib/uuid7.ts";
import type { TestDatabase } from "#tests/support/postgres.ts";

export interface RerateOptions {
  dryRun?: boolean;
  page?: number;
  /** What happens after the first page was read, before anything is booked. */
  between?: () => Promise<void>;
}

/** As the command does it. */
export async function rerateIn(
  db: TestDatabase,
  of: RerateRange,
  { dryRun = false, page = 500, between = async () => {} }: RerateOptions = {},
) {
  const keeper = createBookKeeper({ version: () => bookVersion(db.sql), read: () => readAdded(db.sql) });
  await keeper.first();
  const begun = await unfinishedRerate(db.sql, of);
  const id = begun?.id ?? createUuid7()();
  const report = begun?.report ?? newRerateReport(of.models);
  let met = false;
  const looked = await rerateCalls<BilledCall, BilledPage>(
    {
      next: (after) => billedCalls(db.sql, of, after, page),
      book: async (now, of500, adjusted) => {
        if (!met) await between();
        met = true;
        return bookAdjustments(db.sql, { id, range: of, report: now }, of500, adjusted);
      },
      lagSeconds: async () => 0,
    },
    keeper.book(),
    report,
    { dryRun },
  );
  if (!dryRun) await finishRerate(db.sql, id);
  return { report, looked };
}

/** The last day is excluded. */
export function rerateRange(from: string, to: string, models: string | null = null): RerateRange {
  return { project: "default", fromMs: Date.parse(from), toMs: Date.parse(to), models };
}

/** Per million text tokens. */
export const ownPrice = (model: string, usd: string, direction: string, from = "2026-01-01") =>
  readPrice(
    {
      model,
      unit: "1M_tokens",
      direction,
      modality: "text",
      cached: "no",
      tier: "standard",
      usd,
      effective_from: from,
    },
    "own",
  ) as Price;
