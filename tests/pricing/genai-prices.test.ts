import { calcPrice, type ModelPrice } from "@pydantic/genai-prices";
import { expect, test } from "vitest";
import { costOf } from "#lib/money.ts";
import { findPrice, type PriceQuery } from "#lib/pricing/find-price.ts";
import { PRICES } from "#lib/pricing/price-book.ts";

/** Both lists as of this moment. */
const AT = new Date("2026-11-20T12:00:00Z");

/** Their price keys for what the book calls a cell; theirs are per million tokens. */
const CELLS: Record<string, [key: string, of: Pick<PriceQuery, "direction" | "modality" | "cache">]> = {
  "input text": ["input_mtok", { direction: "input", modality: "text", cache: "none" }],
  "input text read": ["cache_read_mtok", { direction: "input", modality: "text", cache: "read" }],
  "input text write_30m": ["cache_write_mtok", { direction: "input", modality: "text", cache: "write_30m" }],
  "output text": ["output_mtok", { direction: "output", modality: "text", cache: "none" }],
  "input audio": ["input_audio_mtok", { direction: "input", modality: "audio", cache: "none" }],
  "input audio read": ["cache_audio_read_mtok", { direction: "input", modality: "audio", cache: "read" }],
  "output audio": ["output_audio_mtok", { direction: "output", modality: "audio", cache: "none" }],
  "input image": ["input_image_mtok", { direction: "input", modality: "image", cache: "none" }],
  "input image read": ["cache_image_read_mtok", { direction: "input", modality: "image", cache: "read" }],
  "output image": ["output_image_mtok", { direction: "output", modality: "image", cache: "none" }],
};

const ONE_SNAPSHOT =
  "they price every realtime preview as the newest; the announcement of 2024-10-01 said 100, 20 and 200";
const OPEN =
  "open: the model's page lists ours since May 2026, the published price of a minute fits theirs; ours is marked as of low confidence";

/** Where both have a price for the same cell and it is another one. */
const DIFFERENCES: [model: string, cell: string, ours: string, theirs: string, why: string][] = [
  ["gpt-4o-realtime-preview-2024-10-01", "input audio", "100", "40", ONE_SNAPSHOT],
  ["gpt-4o-realtime-preview-2024-10-01", "input audio read", "20", "2.5", ONE_SNAPSHOT],
  ["gpt-4o-realtime-preview-2024-10-01", "output audio", "200", "80", ONE_SNAPSHOT],
  ["gpt-4o-transcribe", "input audio", "2.5", "6", OPEN],
  ["gpt-4o-mini-transcribe", "input audio", "1.25", "3", OPEN],
  ["gpt-4o-transcribe-diarize", "input audio", "2.5", "6", OPEN],
];

const AS_MINI = "they match it as gpt-4o-mini; no list of OpenAI's has a cached price for search models";
const NO_CACHE =
  "they bill what a fine-tuned model read from the cache in full; OpenAI's announcement of caching halves it";
const NO_AUDIO = "they have no audio prices for audio in chat, and bill it as text";
const NO_PICTURES = "OpenAI's list has no picture prices for this model; it is unpriced here until somebody says so";
const AS_TEXT = "the same amount: they list what such a model gives out under text, we under what it is";
const FREE = "free, which is a price; they have none";

/** Where one list has a price for a model that both know, and the other has none. */
const MISSING: [model: string, cell: string, who: "ours" | "theirs", usd: string, why: string][] = [
  ["gpt-4o-mini-search-preview", "input text read", "theirs", "0.075", AS_MINI],
  ["ft:gpt-4o-2024-08-06", "input text read", "ours", "1.875", NO_CACHE],
  ["ft:gpt-4o-mini-2024-07-18", "input text read", "ours", "0.15", NO_CACHE],
  ["gpt-4o-audio-preview-2024-10-01", "input audio", "ours", "100", NO_AUDIO],
  ["gpt-4o-audio-preview-2024-10-01", "output audio", "ours", "200", NO_AUDIO],
  ["gpt-4o-audio-preview-2024-12-17", "input audio", "ours", "40", NO_AUDIO],
  ["gpt-4o-audio-preview-2024-12-17", "output audio", "ours", "80", NO_AUDIO],
  ["gpt-4o-audio-preview-2025-06-03", "input audio", "ours", "40", NO_AUDIO],
  ["gpt-4o-audio-preview-2025-06-03", "output audio", "ours", "80", NO_AUDIO],
  ["gpt-4o-audio-preview", "input audio", "ours", "40", NO_AUDIO],
  ["gpt-4o-audio-preview", "output audio", "ours", "80", NO_AUDIO],
  ["gpt-4o-mini-audio-preview-2024-12-17", "input audio", "ours", "10", NO_AUDIO],
  ["gpt-4o-mini-audio-preview-2024-12-17", "output audio", "ours", "20", NO_AUDIO],
  ["gpt-4o-mini-audio-preview", "input audio", "ours", "10", NO_AUDIO],
  ["gpt-4o-mini-audio-preview", "output audio", "ours", "20", NO_AUDIO],
  ["gpt-realtime-2.1-mini", "input image", "theirs", "0.8", NO_PICTURES],
  ["gpt-realtime-2.1-mini", "input image read", "theirs", "0.08", NO_PICTURES],
  ["gpt-4o-mini-tts", "output text", "theirs", "12", AS_TEXT],
  ["gpt-4o-mini-tts", "output audio", "ours", "12", AS_TEXT],
  ["gpt-image-1", "output text", "theirs", "40", AS_TEXT],
  ["gpt-image-1", "output image", "ours", "40", AS_TEXT],
  ["gpt-image-1-mini", "output text", "theirs", "8", AS_TEXT],
  ["gpt-image-1-mini", "output image", "ours", "8", AS_TEXT],
  ["gpt-image-2", "output text", "theirs", "30", AS_TEXT],
  ["gpt-image-2", "output image", "ours", "30", AS_TEXT],
  ["omni-moderation-latest", "input text", "ours", "0", FREE],
];

test("every price that genai-prices has too is the same, but for what is listed here", () => {
  const found = compared().flatMap(({ model, cell, ours, theirs }) =>
    ours !== null && theirs !== null && Number(ours) !== Number(theirs) ? [[model, cell, ours, theirs]] : [],
  );
  expect(found).toEqual(DIFFERENCES.map(([model, cell, ours, theirs]) => [model, cell, ours, theirs]));
});

test("what only one of both lists prices is listed here", () => {
  const found = compared().flatMap(({ model, cell, ours, theirs }) => {
    if ((ours === null) === (theirs === null)) return [];
    return ours === null ? [[model, cell, "theirs", theirs]] : [[model, cell, "ours", ours]];
  });
  expect(found).toEqual(MISSING.map(([model, cell, who, usd]) => [model, cell, who, usd]));
});

test("audio by the hour is sixty of our minutes", () => {
  const hours = [...new Set(PRICES.map(({ model }) => model))].flatMap((model) => {
    const list = theirsOf(model);
    const theirs = list?.input_audio_hours ?? list?.audio_hours;
    const of = { direction: "input", modality: "audio", cache: "none", unit: "second", tier: "standard" } as const;
    const ours = list && findPrice({ ...of, model, atMs: AT.getTime() });
    return theirs === undefined && ours === null
      ? []
      : [[model, ours && costOf(3600, ours.usd, ours.per), String(theirs)]];
  });
  expect(hours).toEqual([
    ["gpt-transcribe", "0.27", "0.27"],
    ["whisper-1", "0.36", "0.36"],
  ]);
});

test("searches cost what they cost there, whatever the model", () => {
  const lists = [...new Set(PRICES.map(({ model }) => model))].map(theirsOf).filter((list) => list !== null);
  const fee = (model: string) =>
    findPrice({
      model,
      direction: "tool",
      modality: "none",
      cache: "none",
      unit: "call",
      tier: "standard",
      atMs: AT.getTime(),
    })?.usd;
  expect(new Set(lists.flatMap((list) => list.web_searches_kcount ?? []))).toEqual(
    new Set([Number(fee("tool:web_search"))]),
  );
  expect(new Set(lists.flatMap((list) => list.storage_searches_kcount ?? []))).toEqual(
    new Set([Number(fee("tool:file_search"))]),
  );
});

test("the comparison is of most of the book", () => {
  const cells = compared().filter(({ ours, theirs }) => ours !== null && theirs !== null);
  expect(cells.length).toBeGreaterThan(240);
});

function compared() {
  return [...new Set(PRICES.map(({ model }) => model))].flatMap((model) => {
    const list = theirsOf(model);
    if (!list) return [];
    return ["standard", "standard>272k"].flatMap((tier) =>
      Object.entries(CELLS).map(([cell, [key, of]]) => ({
        model,
        cell: tier === "standard" ? cell : `${cell} >272k`,
        ours: findPrice({ ...of, model, tier, unit: "token", atMs: AT.getTime() })?.usd ?? null,
        theirs: priceOf(list, key, tier),
      })),
    );
  });
}

/** null: they do not know the model. */
function theirsOf(model: string): ModelPrice | null {
  const usage = { input_tokens: 1000, output_tokens: 1000 };
  return calcPrice(usage, model, { providerId: "openai", timestamp: AT })?.model_price ?? null;
}

function priceOf(list: ModelPrice, key: string, tier: string): string | null {
  const price = list[key];
  if (price === undefined) return null;
  if (typeof price === "number") return tier === "standard" ? String(price) : null;
  const [long] = price.tiers;
  const usd = tier === "standard" ? price.base : long?.price;
  return usd === undefined ? null : String(usd);
}
