import type { PriceTable } from "../price.ts";

const BATCH_IS_HALF = "batch is half; start day unknown";
const LOW = "1024x1024 low; derived from output image tokens, do not add to token rows";
const MEDIUM = "1024x1024 medium; derived from output image tokens, do not add to token rows";
const HIGH = "1024x1024 high; derived from output image tokens, do not add to token rows";

/** Image models. What an image costs is derived from its output tokens: never both. */
export const IMAGES: PriceTable = {
  "gpt-image-1": [
    ["input text", "standard", "5 / 1M tokens", "2025-04-23", "OP-2026 LL GP", "released high"],
    ["input text read", "standard", "1.25 / 1M tokens", "2025-04-23", "OP-2026 LL GP", "released high"],
    ["input image", "standard", "10 / 1M tokens", "2025-04-23", "OP-2026 LL GP", "released high"],
    ["input image read", "standard", "2.5 / 1M tokens", "2025-04-23", "OP-2026 LL GP", "released high"],
    ["output image", "standard", "40 / 1M tokens", "2025-04-23", "OP-2026 LL", "released high"],
    ["input text", "batch", "2.5 / 1M tokens", "2025-04-23", "OP-2026", "assumed low", BATCH_IS_HALF],
    ["input image", "batch", "5 / 1M tokens", "2025-04-23", "OP-2026", "assumed low", BATCH_IS_HALF],
    ["output image", "batch", "20 / 1M tokens", "2025-04-23", "OP-2026", "assumed low", BATCH_IS_HALF],
    ["output image", "standard", "0.011 / low 1024x1024 image", "2025-04-23", "OP-2025", "released medium", LOW],
    ["output image", "standard", "0.042 / medium 1024x1024 image", "2025-04-23", "OP-2025", "released medium", MEDIUM],
    ["output image", "standard", "0.167 / high 1024x1024 image", "2025-04-23", "OP-2025", "released medium", HIGH],
  ],
  "gpt-image-1-mini": [
    ["input text", "standard", "2 / 1M tokens", "2025-10-06", "OP-2026 LL GP", "released high"],
    ["input text read", "standard", "0.2 / 1M tokens", "2025-10-06", "OP-2026 LL GP", "released high"],
    ["input image", "standard", "2.5 / 1M tokens", "2025-10-06", "OP-2026 LL GP", "released high"],
    ["input image read", "standard", "0.25 / 1M tokens", "2025-10-06", "OP-2026 LL GP", "released high"],
    ["output image", "standard", "8 / 1M tokens", "2025-10-06", "OP-2026 LL", "released high"],
  ],
  "gpt-image-1.5": [
    ["input text", "standard", "5 / 1M tokens", "2025-12-16", "OP-2026 LL GP", "released high"],
    ["input text read", "standard", "1.25 / 1M tokens", "2025-12-16", "OP-2026 LL GP", "released high"],
    ["output text", "standard", "10 / 1M tokens", "2025-12-16", "OP-2026 LL GP", "released high"],
    ["input image", "standard", "8 / 1M tokens", "2025-12-16", "OP-2026 LL GP", "released high"],
    ["input image read", "standard", "2 / 1M tokens", "2025-12-16", "OP-2026 LL GP", "released high"],
    ["output image", "standard", "32 / 1M tokens", "2025-12-16", "OP-2026 LL GP", "released high"],
  ],
  "gpt-image-2": [
    ["input text", "standard", "5 / 1M tokens", "2026-04-21", "OP-2026 LL GP", "released high"],
    ["input text read", "standard", "1.25 / 1M tokens", "2026-04-21", "OP-2026 LL GP", "released high"],
    ["input image", "standard", "8 / 1M tokens", "2026-04-21", "OP-2026 LL GP", "released high"],
    ["input image read", "standard", "2 / 1M tokens", "2026-04-21", "OP-2026 LL GP", "released high"],
    ["output image", "standard", "30 / 1M tokens", "2026-04-21", "OP-2026 LL", "released high"],
  ],
};
