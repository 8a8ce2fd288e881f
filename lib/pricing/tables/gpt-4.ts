import type { PriceTable } from "../price.ts";

/** gpt-4-turbo and gpt-4.1. */
export const GPT_4: PriceTable = {
  "gpt-4-turbo-2024-04-09": [
    ["input text", "standard", "10 / 1M tokens", "2024-04-09", "OP-2026 LL GP", "released high"],
    ["output text", "standard", "30 / 1M tokens", "2024-04-09", "OP-2026 LL GP", "released high"],
    ["input text", "batch", "5 / 1M tokens", "2024-04-15", "OP-2026", "released high"],
    ["output text", "batch", "15 / 1M tokens", "2024-04-15", "OP-2026", "released high"],
  ],
  "gpt-4.1": [
    ["input text", "standard", "2 / 1M tokens", "2025-04-14", "OP-2026 GP LL", "released high"],
    ["input text read", "standard", "0.5 / 1M tokens", "2025-04-14", "OP-2026 GP LL", "released high"],
    ["output text", "standard", "8 / 1M tokens", "2025-04-14", "OP-2026 GP LL", "released high"],
    ["input text", "batch", "1 / 1M tokens", "2025-04-14", "OP-2026 LL", "released high"],
    ["output text", "batch", "4 / 1M tokens", "2025-04-14", "OP-2026 LL", "released high"],
    ["input text", "priority", "3.5 / 1M tokens", "2025-06-15", "OP-2026 LL", "observed medium"],
    ["input text read", "priority", "0.875 / 1M tokens", "2025-06-15", "OP-2026 LL", "observed medium"],
    ["output text", "priority", "14 / 1M tokens", "2025-06-15", "OP-2026 LL", "observed medium"],
  ],
  "gpt-4.1-mini": [
    ["input text", "standard", "0.4 / 1M tokens", "2025-04-14", "OP-2026 GP LL", "released high"],
    ["input text read", "standard", "0.1 / 1M tokens", "2025-04-14", "OP-2026 GP LL", "released high"],
    ["output text", "standard", "1.6 / 1M tokens", "2025-04-14", "OP-2026 GP LL", "released high"],
    ["input text", "batch", "0.2 / 1M tokens", "2025-04-14", "OP-2026 LL", "released high"],
    ["output text", "batch", "0.8 / 1M tokens", "2025-04-14", "OP-2026 LL", "released high"],
    ["input text", "priority", "0.7 / 1M tokens", "2025-06-15", "OP-2026 LL", "observed medium"],
    ["input text read", "priority", "0.175 / 1M tokens", "2025-06-15", "OP-2026 LL", "observed medium"],
    ["output text", "priority", "2.8 / 1M tokens", "2025-06-15", "OP-2026 LL", "observed medium"],
  ],
  "gpt-4.1-nano": [
    ["input text", "standard", "0.1 / 1M tokens", "2025-04-14", "OP-2026 GP LL", "released high"],
    ["input text read", "standard", "0.025 / 1M tokens", "2025-04-14", "OP-2026 GP LL", "released high"],
    ["output text", "standard", "0.4 / 1M tokens", "2025-04-14", "OP-2026 GP LL", "released high"],
    ["input text", "batch", "0.05 / 1M tokens", "2025-04-14", "OP-2026 LL", "released high"],
    ["output text", "batch", "0.2 / 1M tokens", "2025-04-14", "OP-2026 LL", "released high"],
    ["input text", "priority", "0.2 / 1M tokens", "2025-06-15", "OP-2026 LL", "observed medium"],
    ["input text read", "priority", "0.05 / 1M tokens", "2025-06-15", "OP-2026 LL", "observed medium"],
    ["output text", "priority", "0.8 / 1M tokens", "2025-06-15", "OP-2026 LL", "observed medium"],
  ],
};
