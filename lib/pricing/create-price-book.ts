import type { Price } from "#lib/price.ts";
import type { PriceTerm } from "#lib/price-term.ts";
import { type DatedTerm, inOrder } from "./find-term.ts";
import { LONG_CONTEXT_UNKNOWN } from "./tables/long-context.ts";

/** Every price there is with what projects have agreed on, put in order once and never changed. */
export interface PriceBook {
  prices: readonly Price[];
  terms: readonly DatedTerm[];
  /** Rows for the same thing (`keyOf`), newest first. */
  newestFirst: ReadonlyMap<string, readonly DatedPrice[]>;
  /** Models that have another price list for long requests. */
  longContext: ReadonlySet<string>;
  /** Models that have prices of their own for pictures. */
  imagePriced: ReadonlySet<string>;
  /** Every model that has a row. */
  names: ReadonlySet<string>;
  /** A model's oldest row in a public list: when it was released, as far as anybody knows. */
  oldest: ReadonlyMap<string, Price>;
}

interface DatedPrice {
  fromMs: number;
  price: Price;
}

/** Of rows that begin on one day, a price of one's own comes first. */
const RANK: Record<Price["origin"], number> = { own: 0, imported: 1, built_in: 2 };

/** Where a row was added under the id of a built-in one, it is the one that lines were booked with. */
export function createPriceBook(
  builtIn: readonly Price[],
  added: readonly Price[] = [],
  terms: readonly PriceTerm[] = [],
): PriceBook {
  const taken = new Set(added.map(({ id }) => id));
  const prices = [...builtIn.filter(({ id }) => !taken.has(id)), ...added];
  const dated = prices
    .map((price) => ({ fromMs: Date.parse(price.effectiveFrom), price }))
    .sort((a, b) => b.fromMs - a.fromMs || RANK[a.price.origin] - RANK[b.price.origin]);
  const modelsOf = (which: (price: Price) => boolean) => new Set(prices.filter(which).map(({ model }) => model));
  return {
    prices,
    terms: inOrder(terms),
    newestFirst: Map.groupBy(dated, ({ price }) => keyOf(price, price.model)),
    longContext: new Set([...modelsOf(({ tier }) => tier.endsWith(">272k")), ...LONG_CONTEXT_UNKNOWN]),
    imagePriced: modelsOf(({ modality, direction }) => modality === "image" && direction === "input"),
    names: modelsOf(() => true),
    oldest: new Map(
      dated.filter(({ price }) => price.origin !== "own").map(({ price }) => [price.model, price] as const),
    ),
  };
}

type Priced = Pick<Price, "direction" | "modality" | "cache" | "unit"> & { tier: string };

export function keyOf(of: Priced, model: string): string {
  return `${model}/${of.direction}/${of.modality}/${of.cache}/${of.tier}/${of.unit}`;
}
