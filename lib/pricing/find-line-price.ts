import type { Call, LinePrice, UsageLine } from "#lib/call.ts";
import { multiplyMoney } from "#lib/money.ts";
import type { Price } from "#lib/price.ts";
import type { PriceBook } from "./create-price-book.ts";
import { findListed, type PriceQuery } from "./find-price.ts";
import { findTerm } from "./find-term.ts";
import { listedModel } from "./listed-model.ts";
import { BUILT_IN } from "./price-book.ts";
import { regionalFactor } from "./regional-factor.ts";

export type PricedCall = Pick<Call, "projectId" | "upstream" | "model" | "serviceTier" | "region" | "startedAt"> & {
  /** Of the whole call, as the provider counts. null: not known. */
  inputTokens: number | null;
  /** That is of many requests together, as a batch has them. */
  isSum?: boolean;
};

/**
 * The price of a usage line by the model and tier that served it: the list's, with what its region adds and what the project has agreed
 * on. null: not known, which is not "free".
 */
export function findLinePrice(line: UsageLine, call: PricedCall, book: PriceBook = BUILT_IN): LinePrice | null {
  const price = findListPrice(line, call, book);
  const regional = price && inRegion(price, call, book);
  return regional && agreed(regional, price.model, call, book);
}

function inRegion(price: Price, { region }: PricedCall, book: PriceBook): LinePrice | null {
  const factor = region === null ? "1" : regionalFactor(price, book);
  if (factor === null) return null;
  const { id, usd, per } = price;
  return factor === "1" ? { id, usd, per } : { id: `${id}#region:${region}`, usd: multiplyMoney(usd, factor), per };
}

function agreed(price: LinePrice, model: string, call: PricedCall, { terms }: PriceBook): LinePrice {
  if (terms.length === 0) return price;
  const { projectId, upstream, startedAt: atMs } = call;
  const term = findTerm(terms, { projectId, upstream, model, atMs });
  return term ? { ...price, id: `${price.id}#${term.id}`, usd: multiplyMoney(price.usd, term.factor) } : price;
}

function findListPrice(line: UsageLine, call: PricedCall, book: PriceBook): Price | null {
  // A tool is billed by a list of its own, whatever the tier of the answer.
  const model = line.product ?? call.model;
  if (model === null) return null;
  const name = listedModel(model, book);
  const tier = line.product === null ? bookTier(call, name, book) : "standard";
  if (tier === null) return null;
  const entry = BOOK_ENTRY[line.unit];
  const direction = entry?.direction ?? (line.direction as Price["direction"]);
  const unit = entry?.unit ?? (line.unit as Price["unit"]);
  const modality = isPictureAsText(line, name, book) ? "text" : line.modality;
  const { startedAt: atMs } = call;
  const inState = (cache: Price["cache"]) => findListed({ tier, direction, unit, modality, cache, atMs }, name, book);
  if (line.cache === "write") return writePrice(inState);
  const price = inState(line.cache);
  return price === null && line.cache === "read" && isCacheFullPrice(model, tier) ? inState("none") : price;
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
  // The project's own tier, which nobody told: the reader says so (`service_tier_not_stated`).
  ["auto", "standard"],
  ["flex", "flex"],
  ["priority", "priority"],
  ["batch", "batch"],
]);

const LONG_CONTEXT_TOKENS = 272_000;

/**
 * Above the limit the whole request has another price list. Tiers whose long list nobody published are then unpriced, and so is a
 * call whose input is not known, or is that of many requests: either list might be the one.
 */
function bookTier(
  { serviceTier, inputTokens, isSum = false }: PricedCall,
  name: string,
  book: PriceBook,
): string | null {
  const tier = TIERS.get(serviceTier) ?? null;
  if (tier === null || !book.longContext.has(name)) return tier;
  if (inputTokens === null) return null;
  if (inputTokens <= LONG_CONTEXT_TOKENS) return tier;
  return isSum ? null : `${tier}>272k`;
}

/**
 * Families for which the tokens of a picture sent in cost what text costs. Models with image prices of their own (realtime, image
 * models) and models without pictures (audio) do not match.
 */
const IMAGE_AS_TEXT =
  /^(chatgpt-4o-latest|(ft:)?gpt-(4o(-mini)?|4\.1(-mini|-nano)?|5(\.\d+)?(-(mini|nano|pro|sol|terra|luna))?)(-\d{4}-\d\d-\d\d)?)$/;

function isPictureAsText({ direction, modality }: UsageLine, name: string, book: PriceBook): boolean {
  if (direction !== "input" || modality !== "image") return false;
  return IMAGE_AS_TEXT.test(name) && !book.imagePriced.has(name);
}

/** These publish no cached price: should they report cached tokens, they are billed like all others. So are those of gpt-4o in a batch. */
const isCacheFullPrice = (model: string, tier: string): boolean =>
  /^gpt-(audio|4o-(mini-)?audio-preview)(-|$)/.test(model) ||
  (tier === "batch" && /^gpt-4o(-mini)?(-\d{4}|$)/.test(model));

/** Usage does not say for how long a write is kept. Where both lengths have a price, either might be meant. */
function writePrice(inState: (cache: Price["cache"]) => Price | null): Price | null {
  return inState("write_12h") === null ? inState("write_30m") : null;
}
