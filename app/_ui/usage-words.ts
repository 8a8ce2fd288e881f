import type { LINE_UNITS } from "#lib/call.ts";
import { MODALITIES } from "#lib/modalities.ts";
import { formatExactPrice, UNKNOWN } from "./format.ts";

type Unit = (typeof LINE_UNITS)[number];

interface UnitWords {
  one: string;
  many: string;
  /** What a line of it is called, where direction and modality do not say it. */
  line?: string;
}

/** In whose words a quantity and its price are told. */
const UNITS: Record<Unit, UnitWords> = {
  token: { one: "token", many: "tokens" },
  second: { one: "second", many: "seconds" },
  character: { one: "character", many: "characters" },
  image: { one: "image", many: "images" },
  input_token: { one: "token", many: "tokens", line: "input" },
  output_token: { one: "token", many: "tokens", line: "output" },
  web_search_call: { one: "search", many: "searches", line: "Web search" },
  web_search_preview_call: { one: "search", many: "searches", line: "Web search (preview)" },
  web_search_call_low_context: { one: "search", many: "searches", line: "Web search, low context" },
  web_search_call_medium_context: { one: "search", many: "searches", line: "Web search, medium context" },
  web_search_call_high_context: { one: "search", many: "searches", line: "Web search, high context" },
  file_search_call: { one: "search", many: "searches", line: "File search" },
  container_session_1g: { one: "session", many: "sessions", line: "Container of 1 GB" },
  container_session_4g: { one: "session", many: "sessions", line: "Container of 4 GB" },
  container_session_16g: { one: "session", many: "sessions", line: "Container of 16 GB" },
  container_session_64g: { one: "session", many: "sessions", line: "Container of 64 GB" },
  training_token: { one: "token", many: "tokens", line: "Training" },
};

export interface LineWords {
  direction: string;
  modality: string;
  cache: string;
  unit: string;
  product: string | null;
}

const CACHES: Readonly<Record<string, string>> = {
  read: "cached input",
  write: "cache write",
  write_30m: "cache write, 30 min",
  write_12h: "cache write, 12 h",
};

/** "Audio cached input", "Web search", "Image input of gpt-image-1" */
export function lineName({ direction, modality, cache, unit, product }: LineWords): string {
  const named = wordsOf(unit).line;
  const kind = MODALITIES.find(({ name }) => name === modality)?.label ?? (modality === "none" ? "" : modality);
  if (direction !== "tool") return `${kind} ${CACHES[cache] ?? direction}`.trim();
  // A tool with a model of its own: its tokens are named by that.
  if (named === "input" || named === "output") {
    const cached = cache === "none" ? named : (CACHES[cache] ?? cache);
    return `${kind || "Tool"} ${cached}${product === null ? "" : ` of ${productName(product)}`}`;
  }
  return named ?? `Tool, ${unit.replaceAll("_", " ")}`;
}

/** "tool:web_search" → "web search"; a model is called by its name. */
export const productName = (product: string): string =>
  product.startsWith("tool:") ? product.slice("tool:".length).replaceAll("_", " ") : product;

const quantities = new Intl.NumberFormat("en-US", { maximumFractionDigits: 3 });

/** "1,234", and for what is no token its unit: "12.5 seconds", "1 image" */
export function lineQuantity({ unit, quantity }: { unit: string; quantity: number }): string {
  const { one, many } = wordsOf(unit);
  const text = quantities.format(quantity);
  return many === "tokens" ? text : `${text} ${quantity === 1 ? one : many}`;
}

/** "$2.50 / 1M tokens", "$0.006 / minute", "$10.00 / 1,000 searches", "$0.04 / image" */
export function unitPriceInWords(unit: string, priceUsd: string | null, pricePer: number | null): string {
  if (priceUsd === null || pricePer === null) return UNKNOWN;
  return `${formatExactPrice(priceUsd)} / ${perInWords(wordsOf(unit), unit, pricePer)}`;
}

function perInWords({ one, many }: UnitWords, unit: string, per: number): string {
  if (unit === "second" && per === 60) return "minute";
  if (unit === "second" && per === 3600) return "hour";
  if (per === 1) return one;
  return `${per === 1_000_000 ? "1M" : quantities.format(per)} ${many}`;
}

/** A unit that this version does not know is told as the store has it. */
const wordsOf = (unit: string): UnitWords =>
  Object.hasOwn(UNITS, unit) ? UNITS[unit as Unit] : { one: unit, many: unit };
