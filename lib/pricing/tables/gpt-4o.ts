import type { PriceTable } from "../price.ts";

const BATCH_OLDER = "Batch API existed before the model (2024-04-15)";
const SEEN_LATE = "tier launch day unknown; first seen mid-2025";
const ALIAS_OF_MAY = "alias resolved to 2024-05-13";
const ALIAS_MOVED =
  "alias moved to 2024-08-06; switch day not re-verified; price on the snapshot in the response instead";
const DAY_IN_AUGUST = "day in August 2024 not re-verified; shut down 2026-02-17";
const NO_DAY = "tier launch day unknown";
const SEARCH_FEE = "plus a web-search fee per call";
const LOW = "web search by search_context_size=low; later replaced by the flat preview fee on an unknown day";
const MEDIUM = "web search by search_context_size=medium; later replaced by the flat preview fee on an unknown day";
const HIGH = "web search by search_context_size=high; later replaced by the flat preview fee on an unknown day";

/** The gpt-4o family for text and images, its aliases and its search models. */
export const GPT_4O: PriceTable = {
  "gpt-4o-2024-05-13": [
    ["input text", "standard", "5 / 1M tokens", "2024-05-13", "OP-2026 GP LL", "released high"],
    ["output text", "standard", "15 / 1M tokens", "2024-05-13", "OP-2026 GP LL", "released high"],
    ["input text", "batch", "2.5 / 1M tokens", "2024-05-13", "OP-2026 LL", "released high", BATCH_OLDER],
    ["output text", "batch", "7.5 / 1M tokens", "2024-05-13", "OP-2026 LL", "released high", BATCH_OLDER],
    ["input text", "priority", "8.75 / 1M tokens", "2025-06-15", "OP-2025 OP-2026 LL", "observed medium", SEEN_LATE],
    ["output text", "priority", "26.25 / 1M tokens", "2025-06-15", "OP-2025 OP-2026 LL", "observed medium", SEEN_LATE],
  ],
  "gpt-4o-2024-08-06": [
    ["input text", "standard", "2.5 / 1M tokens", "2024-08-06", "AN-structured OP-2026 GP LL", "released high"],
    ["input text read", "standard", "1.25 / 1M tokens", "2024-10-01", "AN-caching GP LL", "announced high"],
    ["output text", "standard", "10 / 1M tokens", "2024-08-06", "AN-structured OP-2026 GP LL", "released high"],
    ["input text", "batch", "1.25 / 1M tokens", "2024-08-06", "OP-2026 LL", "released high"],
    ["output text", "batch", "5 / 1M tokens", "2024-08-06", "OP-2026 LL", "released high"],
    ["input text", "priority", "4.25 / 1M tokens", "2025-06-15", "OP-2025 OP-2026", "observed medium", SEEN_LATE],
    ["input text read", "priority", "2.125 / 1M tokens", "2025-06-15", "OP-2025 OP-2026", "observed medium", SEEN_LATE],
    ["output text", "priority", "17 / 1M tokens", "2025-06-15", "OP-2025 OP-2026", "observed medium", SEEN_LATE],
  ],
  "gpt-4o-2024-11-20": [
    ["input text", "standard", "2.5 / 1M tokens", "2024-11-20", "OP-2026 GP LL", "released high"],
    ["input text read", "standard", "1.25 / 1M tokens", "2024-11-20", "OP-2026 GP LL", "released high"],
    ["output text", "standard", "10 / 1M tokens", "2024-11-20", "OP-2026 GP LL", "released high"],
    ["input text", "batch", "1.25 / 1M tokens", "2024-11-20", "OP-2026 LL", "released high"],
    ["output text", "batch", "5 / 1M tokens", "2024-11-20", "OP-2026 LL", "released high"],
    ["input text", "priority", "4.25 / 1M tokens", "2025-06-15", "OP-2025 OP-2026", "observed medium", SEEN_LATE],
    ["input text read", "priority", "2.125 / 1M tokens", "2025-06-15", "OP-2025 OP-2026", "observed medium", SEEN_LATE],
    ["output text", "priority", "17 / 1M tokens", "2025-06-15", "OP-2025 OP-2026", "observed medium", SEEN_LATE],
  ],
  "gpt-4o": [
    ["input text", "standard", "5 / 1M tokens", "2024-05-13", "OP-2026", "released high", ALIAS_OF_MAY],
    ["output text", "standard", "15 / 1M tokens", "2024-05-13", "OP-2026", "released high", ALIAS_OF_MAY],
    ["input text", "standard", "2.5 / 1M tokens", "2024-10-02", "OP-2026 GP LL", "recalled medium", ALIAS_MOVED],
    ["input text read", "standard", "1.25 / 1M tokens", "2024-10-02", "OP-2026 GP LL", "recalled medium", ALIAS_MOVED],
    ["output text", "standard", "10 / 1M tokens", "2024-10-02", "OP-2026 GP LL", "recalled medium", ALIAS_MOVED],
    ["input text", "batch", "1.25 / 1M tokens", "2024-10-02", "OP-2026 LL", "recalled medium"],
    ["output text", "batch", "5 / 1M tokens", "2024-10-02", "OP-2026 LL", "recalled medium"],
    ["input text", "priority", "4.25 / 1M tokens", "2025-06-15", "OP-2025 OP-2026 LL", "observed medium"],
    ["input text read", "priority", "2.125 / 1M tokens", "2025-06-15", "OP-2025 OP-2026 LL", "observed medium"],
    ["output text", "priority", "17 / 1M tokens", "2025-06-15", "OP-2025 OP-2026 LL", "observed medium"],
  ],
  "chatgpt-4o-latest": [
    ["input text", "standard", "5 / 1M tokens", "2024-08-15", "OP-2025 GP", "recalled medium", DAY_IN_AUGUST],
    ["output text", "standard", "15 / 1M tokens", "2024-08-15", "OP-2025 GP", "recalled medium", DAY_IN_AUGUST],
  ],
  "gpt-4o-mini-2024-07-18": [
    ["input text", "standard", "0.15 / 1M tokens", "2024-07-18", "OP-2026 GP LL", "released high"],
    ["input text read", "standard", "0.075 / 1M tokens", "2024-10-01", "AN-caching GP LL", "announced high"],
    ["output text", "standard", "0.6 / 1M tokens", "2024-07-18", "OP-2026 GP LL", "released high"],
    ["input text", "batch", "0.075 / 1M tokens", "2024-07-18", "OP-2026 LL", "released high"],
    ["output text", "batch", "0.3 / 1M tokens", "2024-07-18", "OP-2026 LL", "released high"],
    ["input text", "priority", "0.25 / 1M tokens", "2025-06-15", "OP-2025 OP-2026", "observed medium", NO_DAY],
    ["input text read", "priority", "0.125 / 1M tokens", "2025-06-15", "OP-2025 OP-2026", "observed medium", NO_DAY],
    ["output text", "priority", "1 / 1M tokens", "2025-06-15", "OP-2025 OP-2026", "observed medium", NO_DAY],
  ],
  "gpt-4o-mini": [
    ["input text", "standard", "0.15 / 1M tokens", "2024-07-18", "OP-2026 GP LL", "released high"],
    ["input text read", "standard", "0.075 / 1M tokens", "2024-10-01", "AN-caching GP LL", "announced high"],
    ["output text", "standard", "0.6 / 1M tokens", "2024-07-18", "OP-2026 GP LL", "released high"],
    ["input text", "batch", "0.075 / 1M tokens", "2024-07-18", "OP-2026 LL", "released high"],
    ["output text", "batch", "0.3 / 1M tokens", "2024-07-18", "OP-2026 LL", "released high"],
    ["input text", "priority", "0.25 / 1M tokens", "2025-06-15", "OP-2025 OP-2026 LL", "observed medium", NO_DAY],
    ["input text read", "priority", "0.125 / 1M tokens", "2025-06-15", "OP-2025 OP-2026 LL", "observed medium", NO_DAY],
    ["output text", "priority", "1 / 1M tokens", "2025-06-15", "OP-2025 OP-2026 LL", "observed medium", NO_DAY],
  ],
  "gpt-4o-search-preview": [
    ["input text", "standard", "2.5 / 1M tokens", "2025-03-11", "OP-2026 LL GP", "released high", SEARCH_FEE],
    ["output text", "standard", "10 / 1M tokens", "2025-03-11", "OP-2026 LL GP", "released high", SEARCH_FEE],
    ["tool none", "standard", "30 / 1k low-context calls", "2025-03-11", "LL OP-2025", "released medium", LOW],
    ["tool none", "standard", "35 / 1k medium-context calls", "2025-03-11", "LL OP-2025", "released medium", MEDIUM],
    ["tool none", "standard", "50 / 1k high-context calls", "2025-03-11", "LL OP-2025", "released medium", HIGH],
  ],
  "gpt-4o-mini-search-preview": [
    ["input text", "standard", "0.15 / 1M tokens", "2025-03-11", "OP-2026 LL GP", "released high", SEARCH_FEE],
    ["output text", "standard", "0.6 / 1M tokens", "2025-03-11", "OP-2026 LL GP", "released high", SEARCH_FEE],
    ["tool none", "standard", "25 / 1k low-context calls", "2025-03-11", "LL OP-2025", "released medium", LOW],
    ["tool none", "standard", "27.5 / 1k medium-context calls", "2025-03-11", "LL OP-2025", "released medium", MEDIUM],
    ["tool none", "standard", "30 / 1k high-context calls", "2025-03-11", "LL OP-2025", "released medium", HIGH],
  ],
};
