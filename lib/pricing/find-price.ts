import type { Price } from "#lib/price.ts";
import { keyOf, type PriceBook } from "./create-price-book.ts";
import { listedModel } from "./listed-model.ts";
import { BUILT_IN } from "./price-book.ts";

export type PriceQuery = Pick<Price, "direction" | "modality" | "cache" | "unit"> & {
  /** As the response names it. */
  model: string;
  /** As the price book names it. Text, because a tier that nobody has priced is asked for too. */
  tier: string;
  /** Milliseconds since the epoch. */
  atMs: number;
};

/**
 * The price in force for exactly this model, tier, direction, modality, cache state and unit: its newest row that had begun
 * on the UTC day of `atMs`. null: there is none. Another model's price is never an answer.
 */
export function findPrice(query: PriceQuery, book: PriceBook = BUILT_IN): Price | null {
  return findListed(query, listedModel(query.model, book), book);
}

/** The same for a model by the name that the book has for it. */
export function findListed(query: Omit<PriceQuery, "model">, name: string, book: PriceBook): Price | null {
  const rows = book.newestFirst.get(keyOf(query, name));
  return rows?.find(({ fromMs }) => fromMs <= query.atMs)?.price ?? null;
}
