import { PRICE_UNITS, type Price, type PriceTier, priceId, type Quoted } from "#lib/price.ts";
import { SOURCES } from "./sources.ts";

/** Prices by model; of rows for the same thing the newest that has begun is in force. */
export type PriceTable = Readonly<Record<string, readonly PriceRow[]>>;

type PriceRow = readonly [
  what: `${Price["direction"]} ${Price["modality"]}${"" | " read" | " write_30m" | " write_12h"}`,
  tier: PriceTier,
  amount: `${number} / ${Quoted}`,
  effectiveFrom: `${number}-${number}-${number}`,
  /** Keys of SOURCES. */
  sources: string,
  known: `${Price["dateBasis"]} ${Price["confidence"]}`,
  note?: string,
];

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
  const [usd, quoted] = amount.split(" / ") as [string, Quoted];
  const [dateBasis, confidence] = known.split(" ") as [Price["dateBasis"], Price["confidence"]];
  const { unit, per } = PRICE_UNITS[quoted];
  const price = {
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
    origin: "built_in" as const,
  };
  return { id: priceId(price), ...price };
}

function sourceOf(key: string): string {
  const source = SOURCES[key];
  if (source === undefined) throw new Error(`lib/pricing/sources.ts does not say what ${key} is.`);
  return source;
}
