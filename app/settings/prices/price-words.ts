import { PRICE_UNITS, type Quoted } from "#lib/price.ts";

/** `1.25 USD / 1M tokens`: exact, as the list has it. */
export function priceText({ usd, unit }: { usd: string; unit: string }): string {
  const quoted = (Object.keys(PRICE_UNITS) as Quoted[]).find((one) => PRICE_UNITS[one].unit === unit);
  return `${usd} USD / ${quoted ?? unit}`;
}

/** What is priced, in words: `text in, read from cache`. */
export function whatText({
  direction,
  modality,
  cache,
}: {
  direction: string;
  modality: string;
  cache: string;
}): string {
  const way = WAYS[direction] ?? direction;
  const state = CACHES[cache] ?? "";
  return `${modality === "none" ? way : `${modality} ${way}`}${state}`;
}

const WAYS: Readonly<Record<string, string>> = { input: "in", output: "out", tool: "tool fee" };
const CACHES: Readonly<Record<string, string>> = {
  read: ", read from cache",
  write_30m: ", written to cache for 30 min",
  write_12h: ", written to cache for 12 h",
};

export const ORIGINS: Readonly<Record<string, string>> = {
  built_in: "came with Omnimeter",
  imported: "imported",
  own: "your own",
};
