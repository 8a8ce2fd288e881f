import type { PricedLine, UsageLine } from "#lib/call.ts";
import { costOf, subtractMoney } from "#lib/money.ts";
import type { PriceBook } from "./create-price-book.ts";
import { findLinePrice, type PricedCall } from "./find-line-price.ts";
import { BUILT_IN } from "./price-book.ts";

/**
 * Puts prices to the usage lines of a call. A line that no row of the price book fits has null for its price and its cost.
 * Throws a RangeError for a quantity that is negative or no number.
 */
export function priceLines(lines: readonly UsageLine[], call: PricedCall, book: PriceBook = BUILT_IN): PricedLine[] {
  return lines.map((line) => {
    const price = findLinePrice(line, call, book);
    if (price === null) return { ...line, price: null, costUsd: null, savedUsd: null };
    const costUsd = costOf(line.quantity, price.usd, price.per);
    return { ...line, price, costUsd, savedUsd: savedUsd(line, costUsd, call, book) };
  });
}

function savedUsd(line: UsageLine, costUsd: string, call: PricedCall, book: PriceBook): string | null {
  if (line.cache !== "read") return null;
  const full = findLinePrice({ ...line, cache: "none" }, call, book);
  return full && subtractMoney(costOf(line.quantity, full.usd, full.per), costUsd);
}
