import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import type { Sql } from "postgres";
import { addPrices, addTerm, bookVersion, readAdded, TERMS_MAX } from "#db/price-book.ts";
import { readTerm, TERM_PROBLEMS, type TermWish } from "#lib/price-term.ts";
import type { PriceBook } from "#lib/pricing/create-price-book.ts";
import { createUuid7 } from "#lib/uuid7.ts";
import { createBookKeeper } from "./book-keeper.ts";
import { compareList, writeCompared } from "./compare-list.ts";
import { type ListedPrice, readPriceList, writePriceList } from "./price-list.ts";
import { withDatabase } from "./with-database.ts";

const USAGE = `Usage: npm run -s prices -- [--model 'gpt-4o*']                    prints the price book as CSV
       npm run -s prices -- --terms                               prints discounts and markups as JSON lines
       npm run -s prices -- --import FILE.csv [--own] [--dry-run] adds the rows of a list that the book does not have; --own: prices of your own
       npm run -s prices -- --discount 'gpt-4o*=0.9' --from 2026-12-01 [--upstream NAME] [--note TEXT]   a factor on list prices`;
const PROJECT = "default";
const AFTERWARDS =
  "The recorder prices by it within 30 seconds. Calls that are stored keep their price; npm run -s rerate -- --from … --to … prices them again.";

type Wanted =
  | { do: "print"; models: string | null }
  | { do: "terms" }
  | { do: "import"; rows: ListedPrice[]; dryRun: boolean }
  | { do: "discount"; wish: TermWish };

// An entry that lib/setup/run.mjs imports: it is never "main", and nobody else imports it.
const wanted = readArguments();
if (typeof wanted === "string") fail(wanted);
else
  await withDatabase(async (sql) => {
    const keeper = createBookKeeper({ version: () => bookVersion(sql), read: () => readAdded(sql) });
    await keeper.first();
    if (wanted.do === "print") print(keeper.book(), wanted.models);
    else if (wanted.do === "terms") for (const { term } of keeper.book().terms) console.log(JSON.stringify(term));
    else if (wanted.do === "import") await importRows(sql, keeper.book(), wanted.rows, wanted.dryRun);
    else await discount(sql, wanted.wish);
  });

function print({ prices }: PriceBook, models: string | null): void {
  const isAsked = (model: string) =>
    models === null || (models.endsWith("*") ? model.startsWith(models.slice(0, -1)) : model === models);
  console.log(writePriceList(prices.filter(({ model }) => isAsked(model))));
}

async function importRows(sql: Sql, book: PriceBook, rows: readonly ListedPrice[], dryRun: boolean): Promise<void> {
  const compared = compareList(rows, book);
  const { added, conflicting } = compared;
  console.log(writeCompared(compared));
  if (conflicting.length) return fail("price_conflict: nothing was stored: a price in the book is never changed.");
  if (dryRun || added.length === 0)
    return console.log(dryRun ? "Nothing was written (--dry-run)." : "There is nothing to add.");
  const stored = await addPrices(
    sql,
    added.map(({ price }) => price),
  );
  if (!stored)
    return fail("price_known: somebody has added one of these prices meanwhile. Nothing was stored; run it again.");
  console.log(`Added. ${AFTERWARDS}`);
}

async function discount(sql: Sql, wish: TermWish): Promise<void> {
  if (!(await addTerm(sql, PROJECT, createUuid7()(), wish)))
    return fail(`term_too_many: there are ${TERMS_MAX} terms, which is the most.`);
  const where = wish.upstream === null ? "" : ` through ${wish.upstream}`;
  console.log(
    `From ${wish.effectiveFrom} on, ${wish.models}${where} costs ${wish.factor} times the list price. ${AFTERWARDS}`,
  );
}

/** A string says what is wrong. */
function readArguments(): Wanted | string {
  try {
    const { values } = parseArgs({
      options: {
        model: { type: "string" },
        terms: { type: "boolean" },
        import: { type: "string" },
        own: { type: "boolean" },
        "dry-run": { type: "boolean" },
        discount: { type: "string" },
        from: { type: "string" },
        upstream: { type: "string" },
        note: { type: "string" },
      },
    });
    const { model, terms, import: file, own = false, "dry-run": dryRun = false, discount: factor, ...term } = values;
    const asked = [model, terms, file, factor].filter((one) => one !== undefined).length;
    const strays = Object.keys(term).length > 0 && factor === undefined;
    if (asked > 1 || strays || ((own || dryRun) && file === undefined)) return USAGE;
    if (file !== undefined) return readList(file, own, dryRun);
    if (factor !== undefined) return readDiscount(factor, term);
    return terms ? { do: "terms" } : { do: "print", models: model ?? null };
  } catch {
    return USAGE;
  }
}

function readList(file: string, own: boolean, dryRun: boolean): Wanted | string {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    return `list_unreadable: ${(error as Error).message}`;
  }
  const rows = readPriceList(text, own ? "own" : "imported");
  const problems = rows.filter((row) => typeof row === "string");
  if (problems.length) return [...problems, "Nothing was stored."].join("\n");
  return { do: "import", rows: rows.filter((row) => typeof row !== "string"), dryRun };
}

function readDiscount(
  text: string,
  { from = "", upstream = "", note = "" }: { from?: string; upstream?: string; note?: string },
): Wanted | string {
  const at = text.lastIndexOf("=");
  const wish = readTerm({ models: text.slice(0, Math.max(at, 0)), factor: text.slice(at + 1), from, upstream, note });
  if (!Array.isArray(wish)) return { do: "discount", wish };
  return wish.map((code) => `${code}: ${TERM_PROBLEMS[code]}`).join("\n");
}

function fail(says: string): void {
  console.error(says);
  process.exitCode = 1;
}
