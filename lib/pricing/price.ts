import type { LinePrice } from "#lib/call.ts";
import type { Modality } from "#lib/modalities.ts";
import { SOURCES } from "./sources.ts";

/** `usd` per `per` units, from the start of a UTC day until a newer row for the same thing. */
export interface Price extends LinePrice {
  /** An alias, a snapshot, `ft:` and a base, or `tool:` and a name. */
  model: string;
  unit: Unit;
  direction: "input" | "output" | "training" | "tool" | "session" | "storage";
  modality: Modality | "none";
  /** Writes are kept for 30 minutes or 12 hours, at different prices. */
  cache: "none" | "read" | "write_30m" | "write_12h";
  tier: Tier;
  /** A UTC day, YYYY-MM-DD. */
  effectiveFrom: string;
  source: string;
  /** Where `effectiveFrom` comes from, from best to worst: the release itself … a guess. */
  dateBasis: DateBasis;
  confidence: Confidence;
  note: string | null;
}

/** `standard>272k` replaces `standard` for requests of more than 272,000 input tokens; nothing is billed by `estimate`. */
type Tier = "standard" | "batch" | "flex" | "priority" | "standard>272k" | "estimate";
type DateBasis = "released" | "announced" | "observed" | "recalled" | "assumed";
type Confidence = "high" | "medium" | "low";

/** Prices by model; of rows for the same thing the newest that has begun is in force. */
export type PriceTable = Readonly<Record<string, readonly PriceRow[]>>;

type PriceRow = readonly [
  what: `${Price["direction"]} ${Price["modality"]}${"" | " read" | " write_30m" | " write_12h"}`,
  tier: Tier,
  amount: `${number} / ${keyof typeof UNITS}`,
  effectiveFrom: `${number}-${number}-${number}`,
  /** Keys of SOURCES. */
  sources: string,
  known: `${DateBasis} ${Confidence}`,
  note?: string,
];

/** How prices are quoted, and what is counted. What differs in price is a unit of its own. */
const UNITS = {
  "1M tokens": { unit: "token", per: 1_000_000 },
  "1M characters": { unit: "character", per: 1_000_000 },
  "1k calls": { unit: "call", per: 1000 },
  "1k low-context calls": { unit: "call_low_context", per: 1000 },
  "1k medium-context calls": { unit: "call_medium_context", per: 1000 },
  "1k high-context calls": { unit: "call_high_context", per: 1000 },
  minute: { unit: "second", per: 60 },
  session: { unit: "session", per: 1 },
  "GB day": { unit: "gb_day", per: 1 },
  "low 1024x1024 image": { unit: "image_1024x1024_low", per: 1 },
  "medium 1024x1024 image": { unit: "image_1024x1024_medium", per: 1 },
  "high 1024x1024 image": { unit: "image_1024x1024_high", per: 1 },
} as const;

type Unit = (typeof UNITS)[keyof typeof UNITS]["unit"];

export function toPrices(table: PriceTable): Price[] {
  return Object.entries(table).flatMap(([model, rows]) => rows.map((row) => toPrice(model, row)));
}

// The casts only undo what the row's template types have put together.
function toPrice(model: string, [what, tier, amount, effectiveFrom, sources, known, note]: PriceRow): Price {
  const [direction, modality, cache = "none"] = what.split(" ") as [
    Price["direction"],
    Price["modality"],
    Price["cache"]?,
  ];
  const [usd, quoted] = amount.split(" / ") as [string, keyof typeof UNITS];
  const [dateBasis, confidence] = known.split(" ") as [DateBasis, Confidence];
  const { unit, per } = UNITS[quoted];
  return {
    id: `${model}/${direction}/${modality}/${cache}/${tier}/${unit}@${effectiveFrom}`,
    model,
    unit,
    direction,
    modality,
    cache,
    tier,
    usd,
    per,
    effectiveFrom,
    source: sources.split(" ").map(sourceOf).join("; "),
    dateBasis,
    confidence,
    note: note ?? null,
  };
}

function sourceOf(key: string): string {
  const source = SOURCES[key];
  if (source === undefined) throw new Error(`lib/pricing/sources.ts does not say what ${key} is.`);
  return source;
}
