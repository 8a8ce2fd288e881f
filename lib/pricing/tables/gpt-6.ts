import type { PriceTable } from "../price.ts";

/** gpt-6 and gpt-6.1. */
export const GPT_6: PriceTable = {
  "gpt-6-astra": [
    ["input text", "standard", "10 / 1M tokens", "2026-09-03", "MP OP-2026 GP", "released high"],
    ["input text read", "standard", "1 / 1M tokens", "2026-09-03", "MP OP-2026 GP", "released high"],
    ["input text write_30m", "standard", "12.5 / 1M tokens", "2026-09-03", "MP OP-2026", "released high"],
    ["output text", "standard", "50 / 1M tokens", "2026-09-03", "MP OP-2026 GP", "released high"],
  ],
  "gpt-6-sol": [
    ["input text", "standard", "2 / 1M tokens", "2026-09-22", "OP-2026 GP", "released medium"],
    ["input text read", "standard", "0.2 / 1M tokens", "2026-09-22", "OP-2026 GP", "released medium"],
    ["input text write_30m", "standard", "2.5 / 1M tokens", "2026-09-22", "OP-2026", "released medium"],
    ["output text", "standard", "10 / 1M tokens", "2026-09-22", "OP-2026 GP", "released medium"],
  ],
  "gpt-6-luna": [
    ["input text", "standard", "0.1 / 1M tokens", "2026-09-22", "OP-2026 GP", "released medium"],
    ["input text read", "standard", "0.01 / 1M tokens", "2026-09-22", "OP-2026 GP", "released medium"],
    ["input text write_30m", "standard", "0.125 / 1M tokens", "2026-09-22", "OP-2026", "released medium"],
    ["output text", "standard", "0.5 / 1M tokens", "2026-09-22", "OP-2026 GP", "released medium"],
  ],
  "gpt-6.1-sol": [
    ["input text", "standard", "2 / 1M tokens", "2026-09-29", "OP-2026", "released medium"],
    ["input text read", "standard", "0.1 / 1M tokens", "2026-09-29", "OP-2026", "released medium"],
    ["input text write_30m", "standard", "2.5 / 1M tokens", "2026-09-29", "OP-2026", "released medium"],
    ["output text", "standard", "10 / 1M tokens", "2026-09-29", "OP-2026", "released medium"],
  ],
  "gpt-6.1-terra": [
    ["input text", "standard", "1 / 1M tokens", "2026-10-26", "OP-2026", "released medium"],
    ["input text read", "standard", "0.05 / 1M tokens", "2026-10-26", "OP-2026", "released medium"],
    ["input text write_30m", "standard", "1.25 / 1M tokens", "2026-10-26", "OP-2026", "released medium"],
    ["input text write_12h", "standard", "2.5 / 1M tokens", "2026-10-26", "OP-2026", "released medium"],
    ["output text", "standard", "5 / 1M tokens", "2026-10-26", "OP-2026", "released medium"],
  ],
};
