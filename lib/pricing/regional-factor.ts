import type { Price } from "#lib/price.ts";
import type { PriceBook } from "./create-price-book.ts";
import { REGIONAL_UPLIFT } from "./tables/regional.ts";

/**
 * What a price is multiplied with because of a region; null: whether it is at all is not known, so neither is the price. A price of
 * one's own is what somebody says it is, and fees of tools are the same everywhere.
 */
export function regionalFactor({ model, origin }: Price, { oldest }: PriceBook): string | null {
  const first = oldest.get(model);
  if (origin === "own" || model.startsWith("tool:") || !first) return "1";
  // On whatever day a model was first seen, it had been released by then.
  if (first.effectiveFrom < REGIONAL_UPLIFT.releasedFrom) return "1";
  return first.dateBasis === "released" || first.dateBasis === "announced" ? REGIONAL_UPLIFT.factor : null;
}
