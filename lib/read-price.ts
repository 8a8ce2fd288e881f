import { MODALITIES } from "./modalities.ts";
import {
  CONFIDENCES,
  DATE_BASES,
  PRICE_CACHES,
  PRICE_DIRECTIONS,
  PRICE_TIERS,
  PRICE_UNITS,
  type Price,
  type PriceOrigin,
  priceId,
  type Quoted,
} from "./price.ts";
import { isDay, plainDecimal } from "./price-term.ts";

/** The columns of a price list; people's forms have the same fields. */
export const PRICE_COLUMNS = [
  "model",
  "unit",
  "direction",
  "modality",
  "cached",
  "tier",
  "usd",
  "effective_from",
  "source",
  "date_basis",
  "confidence",
  "note",
] as const;
export type PriceColumn = (typeof PRICE_COLUMNS)[number];

const listed = (values: readonly string[]) => `${values.slice(0, -1).join(", ")} or ${values.at(-1)}`;

/** What can be wrong with a price: the column it is about, and a sentence that says what to write. */
export const PRICE_PROBLEMS = {
  price_bad_model: { column: "model", sentence: "A model has 1 to 128 characters, without spaces, # or a first own:." },
  price_bad_unit: { column: "unit", sentence: `A unit is ${listed(Object.keys(PRICE_UNITS).map(columnOf))}.` },
  price_bad_direction: { column: "direction", sentence: `A direction is ${listed(PRICE_DIRECTIONS)}.` },
  price_bad_modality: { column: "modality", sentence: "A modality is text, image, audio, or none for a fee." },
  price_bad_cached: { column: "cached", sentence: `cached is no, ${listed(PRICE_CACHES.slice(1))}.` },
  price_bad_tier: { column: "tier", sentence: `A tier is ${listed(PRICE_TIERS)}.` },
  price_bad_usd: {
    column: "usd",
    sentence: "A price is a decimal in US dollars, 0 or more, with at most 9 digits and 6 decimals.",
  },
  price_bad_day: {
    column: "effective_from",
    sentence: "A price begins on a day of the calendar, written as 2026-12-01.",
  },
  price_no_source: { column: "source", sentence: "A price says where it is from, in at most 500 characters." },
  price_bad_basis: { column: "date_basis", sentence: `date_basis is ${listed(DATE_BASES)}.` },
  price_bad_confidence: { column: "confidence", sentence: `confidence is ${listed(CONFIDENCES)}.` },
  price_long_note: { column: "note", sentence: "A note has at most 500 characters." },
  price_never_found: {
    column: "unit",
    sentence:
      "Nothing is counted so: calls are of tools, GB days of storage, cached tokens are input, and a fee has no modality.",
  },
} as const satisfies Record<string, { column: PriceColumn; sentence: string }>;
export type PriceProblem = keyof typeof PRICE_PROBLEMS;

/** A row as it stands in a list or was typed, or everything that is wrong with it. */
export function readPrice(
  typed: Readonly<Partial<Record<PriceColumn, string>>>,
  origin: PriceOrigin,
): Price | PriceProblem[] {
  const of = (column: PriceColumn) => typed[column]?.trim() ?? "";
  const own = origin === "own";
  const quoted = quotedOf(of("unit"), of("note"));
  const direction = oneOf(PRICE_DIRECTIONS, of("direction"));
  const modality = oneOf([...MODALITIES.map(({ name }) => name), "none" as const], of("modality"));
  const cache = oneOf(PRICE_CACHES, of("cached") === "no" ? "none" : of("cached"));
  const tier = oneOf(PRICE_TIERS, of("tier"));
  // Who enters a price of their own knows where it is from and that it is right.
  const dateBasis = oneOf(DATE_BASES, own ? of("date_basis") || "announced" : of("date_basis"));
  const confidence = oneOf(CONFIDENCES, own ? of("confidence") || "high" : of("confidence"));
  const source = own ? of("source") || "entered here" : of("source");
  const problems: PriceProblem[] = [];
  if (!/^(?!own:)[^\s#]{1,128}$/.test(of("model"))) problems.push("price_bad_model");
  if (!quoted) problems.push("price_bad_unit");
  if (!direction) problems.push("price_bad_direction");
  if (!modality) problems.push("price_bad_modality");
  if (!cache) problems.push("price_bad_cached");
  if (!tier) problems.push("price_bad_tier");
  if (!/^(0|[1-9]\d{0,8})(\.\d{1,6})?$/.test(of("usd"))) problems.push("price_bad_usd");
  if (!isDay(of("effective_from"))) problems.push("price_bad_day");
  if (source === "" || source.length > TEXT_MAX) problems.push("price_no_source");
  if (!dateBasis) problems.push("price_bad_basis");
  if (!confidence) problems.push("price_bad_confidence");
  if (of("note").length > TEXT_MAX) problems.push("price_long_note");
  if (!quoted || !direction || !modality || !cache || !tier || !dateBasis || !confidence) return problems;
  if (!isCounted(quoted, direction, modality, cache)) problems.push("price_never_found");
  if (problems.length) return problems;
  const row = {
    model: of("model"),
    direction,
    modality,
    cache,
    tier,
    unit: PRICE_UNITS[quoted].unit,
    effectiveFrom: of("effective_from"),
    source,
    dateBasis,
    confidence,
    note: of("note") || null,
    origin,
  };
  return { ...row, id: priceId(row), usd: plainDecimal(of("usd")), per: PRICE_UNITS[quoted].per };
}

/** How a list spells a unit: `1M_tokens`. */
export function columnOf(quoted: string): string {
  return quoted.replaceAll(" ", "_");
}

/** How the price of a row is quoted. */
export const quotedAs = ({ unit }: Pick<Price, "unit">): Quoted =>
  QUOTED.find((quoted) => PRICE_UNITS[quoted].unit === unit) as Quoted;

const QUOTED = Object.keys(PRICE_UNITS) as Quoted[];
const TEXT_MAX = 500;

/** Public lists say the size of a search's context and the quality of an image in the note, where both differ in price. */
function quotedOf(unit: string, note: string): Quoted | null {
  const context = unit === "1k_calls" && /\bsearch_context_size=(low|medium|high)\b/.exec(note)?.[1];
  const quality = unit === "image" && /^1024x1024 (low|medium|high)\b/.exec(note)?.[1];
  const spelled = context ? `1k_${context}-context_calls` : quality ? `${quality}_1024x1024_image` : unit;
  return QUOTED.find((quoted) => columnOf(quoted) === spelled) ?? null;
}

function isCounted(
  quoted: Quoted,
  direction: Price["direction"],
  modality: Price["modality"],
  cache: Price["cache"],
): boolean {
  if (cache !== "none" && (direction !== "input" || quoted !== "1M tokens")) return false;
  if (direction === "tool") return quoted.endsWith("calls") && modality === "none";
  if (direction === "storage") return quoted === "GB day" && modality === "none";
  if (direction === "session") return quoted === "minute" || (quoted === "session" && modality === "none");
  if (direction === "training") return quoted === "1M tokens" && modality !== "none";
  return modality !== "none" && /^(1M tokens|1M characters|minute|image|.* image)$/.test(quoted);
}

const oneOf = <T extends string>(values: readonly T[], text: string): T | null =>
  values.find((value) => value === text) ?? null;
