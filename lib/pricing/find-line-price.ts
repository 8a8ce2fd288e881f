import type { Call, UsageLine } from "#lib/call.ts";
import { bookModel, findPrice, type PriceQuery } from "./find-price.ts";
import type { Price } from "./price.ts";
import { PRICES } from "./price-book.ts";

export type PricedCall = Pick<Call, "model" | "serviceTier" | "startedAt"> & {
  /** Of the whole call, as the provider counts. null: not known. */
  inputTokens: number | null;
};

/** The price of a usage line by the model and tier that served it. null: not known, which is not "free". */
export function findLinePrice(line: UsageLine, call: PricedCall): Price | null {
  const { model, startedAt: atMs } = call;
  const tier = bookTier(call);
  if (model === null || tier === null) return null;
  const { direction, unit } = line;
  const modality = isPictureAsText(line, model) ? "text" : line.modality;
  const inState = (cache: Price["cache"]) => findPrice({ model, tier, direction, modality, cache, unit, atMs });
  if (line.cache === "write") return writePrice(inState);
  const price = inState(line.cache);
  return price === null && line.cache === "read" && FULL_PRICE_CACHE.test(model) ? inState("none") : price;
}

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
