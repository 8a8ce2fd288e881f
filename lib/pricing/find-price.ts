import type { Price } from "./price.ts";
import { PRICES } from "./price-book.ts";

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
export function findPrice(query: PriceQuery): Price | null {
  const rows = NEWEST_FIRST.get(keyOf(query, bookModel(query.model))) ?? [];
  return rows.find(({ fromMs }) => fromMs <= query.atMs)?.price ?? null;
}

/** `ft:base:org:suffix:id` is in the book as `ft:base`, every other model as itself. */
export function bookModel(model: string): string {
  return model.startsWith("ft:") ? model.split(":", 2).join(":") : model;
}

interface DatedPrice {
  fromMs: number;
  price: Price;
}

const NEWEST_FIRST = newestFirst(PRICES);

function newestFirst(prices: readonly Price[]): ReadonlyMap<string, readonly DatedPrice[]> {
  const dated = prices.map((price) => ({ fromMs: Date.parse(price.effectiveFrom), price }));
  dated.sort((a, b) => b.fromMs - a.fromMs);
  return Map.groupBy(dated, ({ price }) => keyOf(price, price.model));
}

function keyOf(of: Omit<PriceQuery, "model" | "atMs">, model: string): string {
  return `${model}/${of.direction}/${of.modality}/${of.cache}/${of.tier}/${of.unit}`;
}
