import type { PriceTable } from "../price.ts";

const ANY_MODEL =
  "GA tool, any model; search content tokens billed at the model rate; gpt-4o-mini and gpt-4.1-mini are billed a fixed 8000 input tokens per call";
const CONTENT_FREE = "search content tokens free";
const CONTENT_BILLED = "search content tokens billed at the model rate";
const ONE_GB = "per session of 20 minutes, 1 GB";
const METERED = "20-minute session; metered per minute with a five-minute minimum";

/** Hosted tools, and the model behind one of them. */
export const TOOLS: PriceTable = {
  "computer-use-preview": [
    ["input text", "standard", "3 / 1M tokens", "2025-03-11", "OP-2025 OP-2026 GP", "released high"],
    ["output text", "standard", "12 / 1M tokens", "2025-03-11", "OP-2025 OP-2026 GP", "released high"],
    ["input text", "batch", "1.5 / 1M tokens", "2025-03-11", "OP-2025", "released high"],
    ["output text", "batch", "6 / 1M tokens", "2025-03-11", "OP-2025", "released high"],
  ],
  "tool:web_search": [
    ["tool none", "standard", "10 / 1k calls", "2025-09-01", "OP-2026", "observed medium", ANY_MODEL],
  ],
  "tool:web_search_preview:non_reasoning": [
    ["tool none", "standard", "25 / 1k calls", "2025-09-01", "OP-2026", "observed medium", CONTENT_FREE],
  ],
  "tool:web_search_preview:reasoning": [
    ["tool none", "standard", "10 / 1k calls", "2025-09-01", "OP-2026", "observed medium", CONTENT_BILLED],
  ],
  "tool:file_search": [
    ["tool none", "standard", "2.5 / 1k calls", "2025-03-11", "OP-2026", "released high", "Responses API only"],
  ],
  "tool:vector_store": [
    ["storage none", "standard", "0.1 / GB day", "2024-04-17", "OP-2026", "recalled medium", "first GB free"],
  ],
  "tool:code_interpreter": [
    ["session none", "standard", "0.03 / session", "2024-01-01", "OP-2025", "observed medium", ONE_GB],
  ],
  "tool:container:1g": [
    ["session none", "standard", "0.03 / session", "2026-03-31", "OP-2026", "announced medium", METERED],
  ],
  "tool:container:4g": [
    ["session none", "standard", "0.12 / session", "2026-03-31", "OP-2026", "announced medium", METERED],
  ],
  "tool:container:16g": [
    ["session none", "standard", "0.48 / session", "2026-03-31", "OP-2026", "announced medium", METERED],
  ],
  "tool:container:64g": [
    ["session none", "standard", "1.92 / session", "2026-03-31", "OP-2026", "announced medium", METERED],
  ],
};
