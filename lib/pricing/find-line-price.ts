import type { Call, UsageLine } from "#lib/call.ts";
import { bookModel, findPrice, type PriceQuery } from "./find-price.ts";
import type { Price } from "./price.ts";
import { PRICES } from "./price-book.ts";

export type PricedCall = Pick<Call, "model" | "serviceTier" | "region" | "startedAt"> & {
  /** Of the whole call, as the provider counts. null: not known. */
  inputTokens: number | null;
};

/** The price of a usage line by the model and tier that served it. null: not known, which is not "free". */
export function findLinePrice(line: UsageLine, call: PricedCall): Price | null {
  const entry = BOOK_ENTRY[line.unit] ?? {
    direction: line.direction as Price["direction"],
    unit: line.unit as Price["unit"],
  };
  const { startedAt: atMs } = call;
  // A tool is billed by a list of its own, whatever the tier of the answer.
  const model = line.product ?? call.model;
  const tier = line.product === null ? bookTier(call) : "standard";
  if (model === null || tier === null) return null;
  const modality = isPictureAsText(line, model) ? "text" : line.modality;
  const inState = (cache: Price["cache"]) => findPrice({ model, tier, ...entry, modality, cache, atMs });
  if (line.cache === "write") return writePrice(inState);
  const price = inState(line.cache);
  return price === null && line.cache === "read" && FULL_PRICE_CACHE.test(model) ? inState("none") : price;
}

/** How the book lists what tools cost. Units that are not here are in the book under their own name and the line's direction. */
const BOOK_ENTRY: Partial<Record<UsageLine["unit"], Pick<Price, "direction" | "unit">>> = {
  input_token: { direction: "input", unit: "token" },
  output_token: { direction: "output", unit: "token" },
  training_token: { direction: "training", unit: "token" },
  web_search_call: { direction: "tool", unit: "call" },
  web_search_preview_call: { direction: "tool", unit: "call" },
  web_search_call_low_context: { direction: "tool", unit: "call_low_context" },
  web_search_call_medium_context: { direction: "tool", unit: "call_medium_context" },
  web_search_call_high_context: { direction: "tool", unit: "call_high_context" },
  file_search_call: { direction: "tool", unit: "call" },
  container_session_1g: { direction: "session", unit: "session" },
  container_session_4g: { direction: "session", unit: "session" },
  container_session_16g: { direction: "session", unit: "session" },
  container_session_64g: { direction: "session", unit: "session" },
};

/** Served tiers that have a price list of their own. The others (`scale` is prepaid) are not billed by any row. */
const TIERS: ReadonlyMap<string | null, PriceQuery["tier"]> = new Map([
  [null, "standard"],
  ["default", "standard"],
  ["flex", "flex"],
  ["priority", "priority"],
  ["batch", "batch"],
]);

const LONG_CONTEXT_TOKENS = 272_000;
const LONG_CONTEXT_MODELS = new Set(PRICES.filter(({ tier }) => tier.endsWith(">272k")).map(({ model }) => model));

/**
 * Above the limit the whole request has another price list. Tiers whose long list nobody published are then unpriced, and so is a
 * call whose input is not known: either list might be the one.
 */
function bookTier({ model, serviceTier, inputTokens }: PricedCall): string | null {
  const tier = TIERS.get(serviceTier) ?? null;
  if (model === null || tier === null || !LONG_CONTEXT_MODELS.has(bookModel(model))) return tier;
  if (inputTokens === null) return null;
  return inputTokens > LONG_CONTEXT_TOKENS ? `${tier}>272k` : tier;
}

/**
 * Families for which the tokens of a picture sent in cost what text costs. Models with image prices of their own (realtime, image
 * models) and models without pictures (audio) do not match.
 */
const IMAGE_AS_TEXT =
  /^(chatgpt-4o-latest|(ft:)?gpt-(4o(-mini)?|4\.1(-mini|-nano)?|5(\.\d+)?(-(mini|nano|pro|sol|terra|luna))?)(-\d{4}-\d\d-\d\d)?)$/;

const IMAGE_PRICED_MODELS = new Set(PRICES.filter(({ modality }) => modality === "image").map(({ model }) => model));

function isPictureAsText({ direction, modality }: UsageLine, model: string): boolean {
  if (direction !== "input" || modality !== "image") return false;
  const name = bookModel(model);
  return IMAGE_AS_TEXT.test(name) && !IMAGE_PRICED_MODELS.has(name);
}

/** These publish no cached price: should they report cached tokens, they are billed like all others. */
const FULL_PRICE_CACHE = /^gpt-(audio|4o-(mini-)?audio-preview)(-|$)/;

/** Usage does not say for how long a write is kept. Where both lengths have a price, either might be meant. */
function writePrice(inState: (cache: Price["cache"]) => Price | null): Price | null {
  return inState("write_12h") === null ? inState("write_30m") : null;
}
