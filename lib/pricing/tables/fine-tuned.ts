import type { PriceTable } from "../price.ts";

const OPENED_IN_AUGUST = "GPT-4o fine-tuning opened August 2024; day not re-verified";
const NOT_HALF = "as listed on copies of the pricing page; not half of standard";

/** Fine-tuned models, under `ft:` and their base. */
export const FINE_TUNED: PriceTable = {
  "ft:gpt-4o-2024-08-06": [
    ["training text", "standard", "25 / 1M tokens", "2024-08-20", "OP-2026", "recalled medium", OPENED_IN_AUGUST],
    ["input text", "standard", "3.75 / 1M tokens", "2024-08-20", "AN-caching OP-2026 GP", "recalled medium"],
    ["input text read", "standard", "1.875 / 1M tokens", "2024-10-01", "AN-caching", "announced medium"],
    ["output text", "standard", "15 / 1M tokens", "2024-08-20", "AN-caching OP-2026 GP", "recalled medium"],
    ["input text", "batch", "2.225 / 1M tokens", "2025-01-01", "OP-2026", "observed low", NOT_HALF],
    ["input text read", "batch", "0.9 / 1M tokens", "2025-01-01", "OP-2026", "observed low", NOT_HALF],
    ["output text", "batch", "12.5 / 1M tokens", "2025-01-01", "OP-2026", "observed low", NOT_HALF],
  ],
  "ft:gpt-4o-mini-2024-07-18": [
    ["training text", "standard", "3 / 1M tokens", "2024-07-23", "OP-2026", "recalled medium"],
    ["input text", "standard", "0.3 / 1M tokens", "2024-07-23", "AN-caching OP-2026 GP", "recalled medium"],
    ["input text read", "standard", "0.15 / 1M tokens", "2024-10-01", "AN-caching", "announced medium"],
    ["output text", "standard", "1.2 / 1M tokens", "2024-07-23", "AN-caching OP-2026 GP", "recalled medium"],
    ["input text", "batch", "0.15 / 1M tokens", "2025-01-01", "OP-2026", "observed medium"],
    ["input text read", "batch", "0.075 / 1M tokens", "2025-01-01", "OP-2026", "observed medium"],
    ["output text", "batch", "0.6 / 1M tokens", "2025-01-01", "OP-2026", "observed medium"],
  ],
  "ft:gpt-4.1-2025-04-14": [
    ["training text", "standard", "25 / 1M tokens", "2025-04-14", "OP-2026", "observed medium"],
    ["input text", "standard", "3 / 1M tokens", "2025-04-14", "OP-2026", "observed medium"],
    ["input text read", "standard", "0.75 / 1M tokens", "2025-04-14", "OP-2026", "observed medium"],
    ["output text", "standard", "12 / 1M tokens", "2025-04-14", "OP-2026", "observed medium"],
  ],
  "ft:gpt-4.1-mini-2025-04-14": [
    ["training text", "standard", "5 / 1M tokens", "2025-04-14", "OP-2026", "observed medium"],
    ["input text", "standard", "0.8 / 1M tokens", "2025-04-14", "OP-2026", "observed medium"],
    ["input text read", "standard", "0.2 / 1M tokens", "2025-04-14", "OP-2026", "observed medium"],
    ["output text", "standard", "3.2 / 1M tokens", "2025-04-14", "OP-2026", "observed medium"],
  ],
};
