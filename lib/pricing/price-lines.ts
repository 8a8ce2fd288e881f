import type { PricedLine, UsageLine } from "#lib/call.ts";
import { costOf, subtractMoney } from "#lib/money.ts";
import { findLinePrice, type PricedCall } from "./find-line-price.ts";

/**
 * Puts prices to the usage lines of a call. A line that no row of the price book fits has null for its price and its cost.
 * Throws a RangeError for a quantity that is negative or no number.
 */
export function priceLines(lines: readonly UsageLine[], call: PricedCall): PricedLine[] {
  return lines.map((line) => {
    const price = findLinePrice(line, call);
    if (price === null) return { ...line, price: null, costUsd: null, savedUsd: null };
    const { id, usd, per } = price;
    const costUsd = costOf(line.quantity, usd, per);
    return { ...line, price: { id, usd, per }, costUsd, savedUsd: savedUsd(line, costUsd, call) };
  });
}

function savedUsd(line: UsageLine, costUsd: string, call: PricedCall): string | null {
  if (line.cache !== "read") return null;
  const full = findLinePrice({ ...line, cache: "none" }, call);
  return full && subtractMoney(costOf(line.quantity, full.usd, full.per), costUsd);
}
