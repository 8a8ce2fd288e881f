import type { Price } from "#lib/price.ts";
import type { PriceTerm } from "#lib/price-term.ts";
import { createPriceBook, type PriceBook } from "#lib/pricing/create-price-book.ts";
import { BUILT_IN, PRICES } from "#lib/pricing/price-book.ts";

/** What the store adds to the price book; `main` binds it to db/price-book.ts. */
export interface BookStore {
  /** Another text whenever a price or a term was added. Cheap. */
  version(): Promise<string>;
  read(): Promise<{ prices: Price[]; terms: PriceTerm[] }>;
}

export interface BookKeeper {
  /** As it was at the last look. */
  book(): PriceBook;
  /** Looks whether something was added since. @throws the database's error; the book stays as it was then. */
  look(): Promise<void>;
  /** Looks once, before anything is priced. @throws as `look` */
  first(): Promise<void>;
}

/** The price book that calls are priced by: what comes with Omnimeter, and what people have added to it. */
export function createBookKeeper(store: BookStore): BookKeeper {
  let book = BUILT_IN;
  let known: string | null = null;

  async function look() {
    // Read first: what is added between the two reads is noticed at the next look.
    const version = await store.version();
    if (version === known) return;
    const { prices, terms } = await store.read();
    book = createPriceBook(PRICES, prices, terms);
    known = version;
  }

  return {
    book: () => book,
    look,
    first: async () => {
      if (known === null) await look();
    },
  };
}
