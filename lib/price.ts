import type { LinePrice } from "./call.ts";
import type { Modality } from "./modalities.ts";

/** A row of the price book: `usd` per `per` units, from the start of a UTC day until a newer row for the same thing. */
export interface Price extends LinePrice {
  /** An alias, a snapshot, `ft:` and a base, `tool:` and a name, or whatever somebody calls a model of their own. */
  model: string;
  unit: (typeof PRICE_UNITS)[keyof typeof PRICE_UNITS]["unit"];
  direction: (typeof PRICE_DIRECTIONS)[number];
  modality: Modality | "none";
  /** Writes are kept for 30 minutes or 12 hours, at different prices. */
  cache: (typeof PRICE_CACHES)[number];
  tier: PriceTier;
  /** A UTC day, YYYY-MM-DD. */
  effectiveFrom: string;
  source: string;
  /** Where `effectiveFrom` comes from. */
  dateBasis: (typeof DATE_BASES)[number];
  confidence: (typeof CONFIDENCES)[number];
  note: string | null;
  origin: PriceOrigin;
}

/** `built_in` comes with Omnimeter, `imported` is a newer list, `own` is what somebody entered for a model or a price of their own. */
export const PRICE_ORIGINS = ["built_in", "imported", "own"] as const;
export type PriceOrigin = (typeof PRICE_ORIGINS)[number];

export const PRICE_DIRECTIONS = ["input", "output", "training", "tool", "session", "storage"] as const;
export const PRICE_CACHES = ["none", "read", "write_30m", "write_12h"] as const;

const SERVED_TIERS = ["standard", "batch", "flex", "priority"] as const;
type ServedTier = (typeof SERVED_TIERS)[number];
/** `standard>272k` replaces `standard` for requests of more than 272,000 input tokens; nothing is billed by `estimate`. */
export type PriceTier = ServedTier | `${ServedTier}>272k` | "estimate";
export const PRICE_TIERS: readonly PriceTier[] = [
  ...SERVED_TIERS,
  ...SERVED_TIERS.map((tier) => `${tier}>272k` as const),
  "estimate",
];

/** From best to worst: the release itself … a guess. */
export const DATE_BASES = ["released", "announced", "observed", "recalled", "assumed"] as const;
export const CONFIDENCES = ["high", "medium", "low"] as const;

/** How prices are quoted, and what is counted. What differs in price is a unit of its own. */
export const PRICE_UNITS = {
  "1M tokens": { unit: "token", per: 1_000_000 },
  "1M characters": { unit: "character", per: 1_000_000 },
  "1k calls": { unit: "call", per: 1000 },
  "1k low-context calls": { unit: "call_low_context", per: 1000 },
  "1k medium-context calls": { unit: "call_medium_context", per: 1000 },
  "1k high-context calls": { unit: "call_high_context", per: 1000 },
  minute: { unit: "second", per: 60 },
  session: { unit: "session", per: 1 },
  "GB day": { unit: "gb_day", per: 1 },
  image: { unit: "image", per: 1 },
  "low 1024x1024 image": { unit: "image_1024x1024_low", per: 1 },
  "medium 1024x1024 image": { unit: "image_1024x1024_medium", per: 1 },
  "high 1024x1024 image": { unit: "image_1024x1024_high", per: 1 },
} as const;
export type Quoted = keyof typeof PRICE_UNITS;

/** What a row is known by: it says what is priced, and from when. A price of one's own can stand beside a list's of the same day. */
export function priceId(price: Omit<Price, "id" | "usd" | "per">): string {
  const { model, direction, modality, cache, tier, unit, effectiveFrom, origin } = price;
  return `${origin === "own" ? "own:" : ""}${model}/${direction}/${modality}/${cache}/${tier}/${unit}@${effectiveFrom}`;
}
