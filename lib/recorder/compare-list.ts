import type { Price } from "#lib/price.ts";
import type { PriceBook } from "#lib/pricing/create-price-book.ts";
import { findPrice } from "#lib/pricing/find-price.ts";
import { quotedAs } from "#lib/read-price.ts";
import type { ListedPrice } from "./price-list.ts";

/** A list beside the price book. */
export interface Compared {
  /** What the book does not have, and what is in force there on its first day. */
  added: { line: number; price: Price; instead: Price | null }[];
  same: number;
  /** Rows under the id of another one that asks for another amount. */
  conflicting: { line: number; price: Price; known: Price }[];
}

export function compareList(rows: readonly ListedPrice[], book: PriceBook): Compared {
  const known = new Map(book.prices.map((price) => [price.id, price]));
  const compared: Compared = { added: [], same: 0, conflicting: [] };
  for (const { line, price } of rows) {
    const other = known.get(price.id);
    if (!other) {
      compared.added.push({
        line,
        price,
        instead: findPrice({ ...price, atMs: Date.parse(price.effectiveFrom) }, book),
      });
      known.set(price.id, price);
    } else if (other.usd === price.usd && other.per === price.per) compared.same++;
    else compared.conflicting.push({ line, price, known: other });
  }
  return compared;
}

/** For people, a line for each row that is not in the book as it is. */
export function writeCompared({ added, same, conflicting }: Compared): string {
  const lines = [
    ...added.map(({ line, price, instead }) => {
      const before = instead ? `${instead.usd} since ${instead.effectiveFrom}` : "not priced before";
      return { line, text: `new: ${nameOf(price)}: ${amountOf(price)} from ${price.effectiveFrom} (${before})` };
    }),
    ...conflicting.map(({ line, price, known }) => ({
      line,
      text: `price_conflict: ${nameOf(price)} from ${price.effectiveFrom}: ${amountOf(price)} here, ${known.usd} in the book; what changed begins on another day`,
    })),
  ];
  return [
    ...lines.toSorted((a, b) => a.line - b.line).map(({ line, text }) => `line ${line}: ${text}`),
    `${added.length} new, ${same} known already, ${conflicting.length} conflicting.`,
  ].join("\n");
}

const nameOf = ({ model, direction, modality, cache, tier }: Price): string =>
  [
    model,
    direction,
    modality === "none" ? "" : modality,
    cache === "none" ? "" : cache,
    tier === "standard" ? "" : tier,
  ]
    .filter((word) => word !== "")
    .join(" ");

const amountOf = (price: Price): string => `${price.usd} USD per ${quotedAs(price)}`;
