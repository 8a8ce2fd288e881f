import type { ImageSize } from "./image-size.ts";

export interface TokenRange {
  readonly likely: number;
  readonly low: number;
  /** null: no bound known. */
  readonly high: number | null;
}

/**
 * Input tokens of one picture (https://platform.openai.com/docs/guides/images-vision#calculating-costs). OpenAI's text
 * leaves open whether small pictures are enlarged to 768 pixels; the range holds both, measurements favour not.
 */
export function imageTokens(model: string | null, size: ImageSize | null, detail: string | null): TokenRange {
  const rule = RULES.find(({ models }) => models.test(model ?? ""));
  if (rule === undefined) return { ...tiles(GPT_4O, size, detail), low: 0, high: null };
  return "perPatch" in rule ? patches(rule.perPatch, size) : tiles(rule, size, detail);
}

interface TileRule {
  readonly base: number;
  readonly perTile: number;
}

const GPT_4O: TileRule = { base: 85, perTile: 170 };

type Rule = { readonly models: RegExp } & (TileRule | { readonly perPatch: number });

/** First match wins. */
const RULES: readonly Rule[] = [
  { models: /gpt-4o-mini/, base: 2833, perTile: 5667 },
  { models: /gpt-(4\.1|5)-mini/, perPatch: 1.62 },
  { models: /gpt-(4\.1|5)-nano/, perPatch: 2.46 },
  { models: /\bo4-mini/, perPatch: 1.72 },
  { models: /gpt-(4o|4\.1|4\.5)/, ...GPT_4O },
  { models: /\bgpt-5(-|$)/, base: 70, perTile: 140 },
  { models: /\bo[13]\b/, base: 75, perTile: 150 },
  { models: /computer-use-preview/, base: 65, perTile: 129 },
];

function tiles({ base, perTile }: TileRule, size: ImageSize | null, detail: string | null): TokenRange {
  if (detail === "low") return { likely: base, low: base, high: base };
  if (size === null) return { likely: base + 4 * perTile, low: base, high: null };
  const asIs = base + perTile * tileCount(size, false);
  const enlarged = base + perTile * tileCount(size, true);
  return { likely: asIs, low: detail === "high" ? asIs : base, high: Math.max(asIs, enlarged) };
}

function tileCount({ width, height }: ImageSize, enlarge: boolean): number {
  const fit = Math.min(1, 2048 / Math.max(width, height, 1));
  const short = Math.min(width, height) * fit;
  const toShort = short > 768 || enlarge ? 768 / Math.max(short, 1) : 1;
  // Rounded before dividing: 1023.9999 must not become one tile more or less than 1024.
  const across = (length: number) => Math.ceil(Math.round(length * fit * toShort) / 512);
  return Math.max(1, across(width)) * Math.max(1, across(height));
}

const PATCHES_MAX = 1536;

function patches(perPatch: number, size: ImageSize | null): TokenRange {
  const most = Math.ceil(PATCHES_MAX * perPatch);
  if (size === null) return { likely: Math.ceil(most / 2), low: 1, high: most };
  const count = Math.min(PATCHES_MAX, Math.ceil(size.width / 32) * Math.ceil(size.height / 32));
  // Above the cap the picture is scaled to whole patches below it: a little less than the cap.
  return { likely: Math.ceil(count * perPatch), low: Math.floor(count * perPatch * 0.9), high: most };
}
