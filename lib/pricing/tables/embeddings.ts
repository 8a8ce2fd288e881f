import type { PriceTable } from "../price.ts";

/** Embeddings and moderation. */
export const EMBEDDINGS: PriceTable = {
  "omni-moderation-latest": [
    ["input text", "standard", "0 / 1M tokens", "2024-09-26", "OP-2026", "recalled high", "free"],
  ],
  "text-embedding-3-small": [
    ["input text", "standard", "0.02 / 1M tokens", "2024-01-25", "OP-2026 GP", "released high"],
    ["input text", "batch", "0.01 / 1M tokens", "2024-04-15", "OP-2026", "released high"],
  ],
  "text-embedding-3-large": [
    ["input text", "standard", "0.13 / 1M tokens", "2024-01-25", "OP-2026 GP", "released high"],
    ["input text", "batch", "0.065 / 1M tokens", "2024-04-15", "OP-2026", "released high"],
  ],
  "text-embedding-ada-002": [
    ["input text", "standard", "0.1 / 1M tokens", "2023-06-13", "OP-2026 GP", "released high"],
    ["input text", "batch", "0.05 / 1M tokens", "2024-04-15", "OP-2026", "released high"],
  ],
};
