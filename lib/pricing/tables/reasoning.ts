import type { PriceTable } from "../price.ts";

/** The o models. */
export const REASONING: PriceTable = {
  o3: [
    ["input text", "standard", "10 / 1M tokens", "2025-04-16", "GP", "released high"],
    ["input text read", "standard", "2.5 / 1M tokens", "2025-04-16", "GP", "released medium"],
    ["output text", "standard", "40 / 1M tokens", "2025-04-16", "GP", "released high"],
    ["input text", "standard", "2 / 1M tokens", "2025-06-10", "GP OP-2025 LL", "announced high"],
    ["input text read", "standard", "0.5 / 1M tokens", "2025-06-10", "GP OP-2025 LL", "announced high"],
    ["output text", "standard", "8 / 1M tokens", "2025-06-10", "GP OP-2025 LL", "announced high"],
  ],
  "o4-mini": [
    ["input text", "standard", "1.1 / 1M tokens", "2025-04-16", "OP-2025 GP LL", "released high"],
    ["input text read", "standard", "0.275 / 1M tokens", "2025-04-16", "OP-2025 GP LL", "released high"],
    ["output text", "standard", "4.4 / 1M tokens", "2025-04-16", "OP-2025 GP LL", "released high"],
  ],
};
