import type { Price } from "#lib/price.ts";
import { createPriceBook } from "./create-price-book.ts";
import { type PriceTable, toPrices } from "./price.ts";
import { AUDIO_CHAT } from "./tables/audio-chat.ts";
import { EMBEDDINGS } from "./tables/embeddings.ts";
import { FINE_TUNED } from "./tables/fine-tuned.ts";
import { GPT_4 } from "./tables/gpt-4.ts";
import { GPT_4O } from "./tables/gpt-4o.ts";
import { GPT_5 } from "./tables/gpt-5.ts";
import { GPT_5_4 } from "./tables/gpt-5-4.ts";
import { GPT_6 } from "./tables/gpt-6.ts";
import { IMAGES } from "./tables/images.ts";
import { LONG_CONTEXT } from "./tables/long-context.ts";
import { REALTIME } from "./tables/realtime.ts";
import { REASONING } from "./tables/reasoning.ts";
import { SPEECH } from "./tables/speech.ts";
import { TOOLS } from "./tables/tools.ts";

const TABLES: readonly PriceTable[] = [
  GPT_4O,
  FINE_TUNED,
  AUDIO_CHAT,
  REALTIME,
  SPEECH,
  IMAGES,
  TOOLS,
  EMBEDDINGS,
  GPT_4,
  REASONING,
  GPT_5,
  GPT_5_4,
  GPT_6,
  LONG_CONTEXT,
];

/**
 * Every price that comes with Omnimeter, with the day it began and where that is known from. Rows are added, never changed: what was
 * charged keeps the id of its row.
 */
export const PRICES: readonly Price[] = TABLES.flatMap(toPrices);

/** Without what was imported or entered: what prices are found in where there is no store. */
export const BUILT_IN = createPriceBook(PRICES);
