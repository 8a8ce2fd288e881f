import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it, test } from "vitest";
import { createPriceBook } from "#lib/pricing/create-price-book.ts";
import { BUILT_IN, PRICES } from "#lib/pricing/price-book.ts";
import { compareList, writeCompared } from "#lib/recorder/compare-list.ts";
import { type ListedPrice, readPriceList, writePriceList } from "#lib/recorder/price-list.ts";
import { seeded } from "#tests/support/split.ts";

const HEAD = "model,unit,direction,modality,cached,tier,usd,effective_from,source,date_basis,confidence,note";
const ROW = "gpt-9,1M_tokens,input,text,no,standard,2.50,2026-12-01,our contract,announced,high,";

const read = (text: string, origin: "imported" | "own" = "imported") => readPriceList(text, origin);
const prices = (text: string, origin: "imported" | "own" = "imported") => {
  const rows = read(text, origin);
  if (rows.some((row) => typeof row === "string")) throw new Error(rows.join());
  return rows as ListedPrice[];
};

describe("a price list", () => {
  it("is rows of the book, with the line that each begins on", () => {
    const text = `\ufeff${HEAD}\r\n${ROW}"one, ""two""\nand three"\r\n\r\n${ROW.replace("input", "output")}x\r\n`;
    const [first, second, ...rest] = prices(text);
    expect(rest).toEqual([]);
    expect(first).toEqual({
      line: 2,
      price: {
        id: "gpt-9/input/text/none/standard/token@2026-12-01",
        model: "gpt-9",
        unit: "token",
        direction: "input",
        modality: "text",
        cache: "none",
        tier: "standard",
        usd: "2.5",
        per: 1_000_000,
        effectiveFrom: "2026-12-01",
        source: "our contract",
        dateBasis: "announced",
        confidence: "high",
        note: 'one, "two"\nand three',
        origin: "imported",
      },
    });
    expect(second).toMatchObject({ line: 5, price: { direction: "output", note: "x" } });
  });

  it("of one's own needs no source, and its rows have ids of their own", () => {
    const text =
      "model,usd,unit,direction,modality,cached,tier,effective_from\nllama,0.2,1M_tokens,input,text,no,standard,2026-01-01";
    expect(prices(text, "own")[0]?.price).toMatchObject({
      id: "own:llama/input/text/none/standard/token@2026-01-01",
      origin: "own",
      source: "entered here",
    });
    expect(read(text)).toEqual([expect.stringContaining("source, date_basis, confidence is missing")]);
  });

  test.each([
    ["a model with a space", "gpt-9", "gpt 9", "price_bad_model"],
    ["no model", "gpt-9", "", "price_bad_model"],
    ["a model that would pass for one's own price", "gpt-9", "own:gpt-9", "price_bad_model"],
    ["another unit", "1M_tokens", "1K_tokens", "price_bad_unit"],
    ["another direction", "input", "sideways", "price_bad_direction"],
    ["another modality", "text", "video", "price_bad_modality"],
    ["another cache state", ",no,", ",maybe,", "price_bad_cached"],
    ["another tier", "standard", "gold", "price_bad_tier"],
    ["a negative price", "2.50", "-2.5", "price_bad_usd"],
    ["a price with a comma", "2.50", '"2,5"', "price_bad_usd"],
    ["a price with a sign", "2.50", "$2.5", "price_bad_usd"],
    ["an exponent", "2.50", "1e3", "price_bad_usd"],
    ["no price", "2.50", "", "price_bad_usd"],
    ["a price finer than any list's", "2.50", "2.5000001", "price_bad_usd"],
    ["no day of the calendar", "2026-12-01", "2026-02-30", "price_bad_day"],
    ["a moment", "2026-12-01", "2026-12-01T00:00:00Z", "price_bad_day"],
    ["no source", "our contract", "", "price_no_source"],
    ["another basis", "announced", "hoped", "price_bad_basis"],
    ["another confidence", "high", "total", "price_bad_confidence"],
    ["a long note", "high,", `high,${"x".repeat(501)}`, "price_long_note"],
    ["calls of a model's input", "1M_tokens", "1k_calls", "price_never_found"],
    ["cached output", "input,text,no", "output,text,read", "price_never_found"],
    ["input without a modality", "text", "none", "price_never_found"],
    ["too few cells", ",standard", "", "list_bad_row"],
  ])("with %s is refused with its line", (_what, from, to, code) => {
    const [says, ...rest] = read(`${HEAD}\n${ROW}\n${ROW.replace(from, to)}`) as string[];
    expect(rest).toEqual([]);
    expect(says).toMatch(new RegExp(`^line 3: ${code}: .{20,}`));
  });

  test.each([
    ["no column at all", "", "list_bad_columns"],
    ["a column too few", HEAD.replace("usd,", ""), "usd is missing"],
    ["a column that nobody knows", `${HEAD},euro`, "euro"],
    ["a quote that is not closed", `${HEAD}\n"gpt-9,1M`, "line 2: list_bad_csv"],
    ["a quote inside of a cell", `${HEAD}\n${ROW}\ngp"t-9,1M`, "line 3: list_bad_csv"],
    ["more rows than anybody has", `${HEAD}\n${`${ROW}\n`.repeat(50_001)}`, "list_too_long"],
  ])("with %s is refused", (_what, text, says) => {
    expect(read(text)).toEqual([expect.stringContaining(says)]);
  });

  it("says the first twenty faults and counts the rest", () => {
    const faults = read(`${HEAD}\n${`${ROW.replace("2.50", "x")}\n`.repeat(25)}`);
    expect(faults).toHaveLength(21);
    expect(faults.at(-1)).toBe("… and 5 more.");
  });

  it("of any bytes is read or refused, and never throws", () => {
    const random = seeded(11);
    const signs = [...'",\n\r a1.-', "gpt", HEAD, ROW];
    for (let i = 0; i < 2000; i++) {
      const text = Array.from(
        { length: Math.floor(random() * 12) },
        () => signs[Math.floor(random() * signs.length)],
      ).join("");
      expect(Array.isArray(read(text))).toBe(true);
    }
  });

  it("that was printed is the book again", () => {
    const text = writePriceList(PRICES);
    const again = prices(text);
    expect(again.map(({ price }) => ({ ...price, origin: "built_in" }))).toEqual(PRICES);
    expect(compareList(again, BUILT_IN)).toEqual({ added: [], same: PRICES.length, conflicting: [] });
  });
});

const REFERENCE = new URL("../../../shared/reference/prices.csv", import.meta.url);

test("the reference's list can be imported, and has nothing that the book has not", ({ skip }) => {
  skip(!existsSync(REFERENCE), "../shared/reference/prices.csv is not there");
  const compared = compareList(prices(readFileSync(REFERENCE, "utf8")), BUILT_IN);
  expect(compared.added).toEqual([]);
  expect(compared.conflicting).toEqual([]);
  expect(compared.same).toBeGreaterThanOrEqual(485);
});

describe("a list beside the book", () => {
  it("is what is new with what it replaces, what is known, and what conflicts", () => {
    const mini = "gpt-4o-mini,1M_tokens,output,text,no,standard,0.60,2024-07-18,OP,released,high,";
    const rows = [
      ROW,
      ROW.replace("gpt-9", "gpt-4o-2024-08-06"),
      mini,
      mini.replace("0.60", "0.61"),
      // Twice the same row is one; with another amount it is two, and one of them is wrong.
      ROW,
      ROW.replace("2.50", "3"),
    ];
    const compared = compareList(prices([HEAD, ...rows].join("\n")), createPriceBook(PRICES));
    expect(writeCompared(compared).split("\n")).toEqual([
      "line 2: new: gpt-9 input text: 2.5 USD per 1M tokens from 2026-12-01 (not priced before)",
      "line 3: new: gpt-4o-2024-08-06 input text: 2.5 USD per 1M tokens from 2026-12-01 (2.5 since 2024-08-06)",
      "line 5: price_conflict: gpt-4o-mini output text from 2024-07-18: 0.61 USD per 1M tokens here, 0.6 in the book; what changed begins on another day",
      "line 7: price_conflict: gpt-9 input text from 2026-12-01: 3 USD per 1M tokens here, 2.5 in the book; what changed begins on another day",
      "2 new, 2 known already, 2 conflicting.",
    ]);
  });
});
