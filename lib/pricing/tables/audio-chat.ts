import type { PriceTable } from "../price.ts";

const NEVER_LOWERED = "never lowered for this snapshot; LiteLLM rewrote it to 40/80";
const ALIAS_MOVED =
  "alias; default snapshot moved 2024-10-01 -> 2024-12-17 -> 2025-06-03 on unknown days: price by the snapshot in the response";
const ALIAS_THEN = "alias while it meant 2024-10-01";
const ALIAS_DAY = "alias switch day unknown";
const ONE_COPY = "one Sept-Oct 2025 copy of the page showed 40/80";
const NO_DAY = "day of the change (if there was one) unknown";

/** Chat models that hear and speak. */
export const AUDIO_CHAT: PriceTable = {
  "gpt-4o-audio-preview-2024-10-01": [
    ["input text", "standard", "2.5 / 1M tokens", "2024-10-17", "OP-2025 MP GP", "released high"],
    ["output text", "standard", "10 / 1M tokens", "2024-10-17", "OP-2025 MP GP", "released high"],
    ["input audio", "standard", "100 / 1M tokens", "2024-10-17", "OP-2025 HF-calc", "released high", NEVER_LOWERED],
    ["output audio", "standard", "200 / 1M tokens", "2024-10-17", "OP-2025 HF-calc", "released high", NEVER_LOWERED],
  ],
  "gpt-4o-audio-preview-2024-12-17": [
    ["input text", "standard", "2.5 / 1M tokens", "2024-12-17", "MP OP-2025 GP LL", "released high"],
    ["output text", "standard", "10 / 1M tokens", "2024-12-17", "MP OP-2025 GP LL", "released high"],
    ["input audio", "standard", "40 / 1M tokens", "2024-12-17", "MP OP-2025 LL", "released high"],
    ["output audio", "standard", "80 / 1M tokens", "2024-12-17", "MP OP-2025 LL", "released high"],
  ],
  "gpt-4o-audio-preview-2025-06-03": [
    ["input text", "standard", "2.5 / 1M tokens", "2025-06-03", "MP OP-2025 GP LL", "released high"],
    ["output text", "standard", "10 / 1M tokens", "2025-06-03", "MP OP-2025 GP LL", "released high"],
    ["input audio", "standard", "40 / 1M tokens", "2025-06-03", "MP OP-2025 LL", "released high"],
    ["output audio", "standard", "80 / 1M tokens", "2025-06-03", "MP OP-2025 LL", "released high"],
  ],
  "gpt-4o-audio-preview": [
    ["input text", "standard", "2.5 / 1M tokens", "2024-10-17", "MP GP LL", "released high", ALIAS_MOVED],
    ["output text", "standard", "10 / 1M tokens", "2024-10-17", "MP GP LL", "released high", ALIAS_MOVED],
    ["input audio", "standard", "100 / 1M tokens", "2024-10-17", "OP-2025", "released medium", ALIAS_THEN],
    ["output audio", "standard", "200 / 1M tokens", "2024-10-17", "OP-2025", "released medium", ALIAS_THEN],
    ["input audio", "standard", "40 / 1M tokens", "2024-12-17", "MP LL", "assumed low", ALIAS_DAY],
    ["output audio", "standard", "80 / 1M tokens", "2024-12-17", "MP LL", "assumed low", ALIAS_DAY],
  ],
  "gpt-4o-mini-audio-preview-2024-12-17": [
    ["input text", "standard", "0.15 / 1M tokens", "2024-12-17", "MP OP-2025 GP LL", "released high"],
    ["output text", "standard", "0.6 / 1M tokens", "2024-12-17", "MP OP-2025 GP LL", "released high"],
    ["input audio", "standard", "10 / 1M tokens", "2024-12-17", "MP OP-2025 LL", "released high"],
    ["output audio", "standard", "20 / 1M tokens", "2024-12-17", "MP OP-2025 LL", "released high"],
  ],
  "gpt-4o-mini-audio-preview": [
    ["input text", "standard", "0.15 / 1M tokens", "2024-12-17", "MP OP-2025 GP LL", "released high"],
    ["output text", "standard", "0.6 / 1M tokens", "2024-12-17", "MP OP-2025 GP LL", "released high"],
    ["input audio", "standard", "10 / 1M tokens", "2024-12-17", "MP OP-2025 LL", "released high"],
    ["output audio", "standard", "20 / 1M tokens", "2024-12-17", "MP OP-2025 LL", "released high"],
  ],
  "gpt-audio-2025-08-28": [
    ["input text", "standard", "2.5 / 1M tokens", "2025-08-28", "MP OP-2026 GP LL", "released high"],
    ["output text", "standard", "10 / 1M tokens", "2025-08-28", "MP OP-2026 GP LL", "released high"],
    ["input audio", "standard", "40 / 1M tokens", "2025-08-28", "OP-2025", "observed low", ONE_COPY],
    ["output audio", "standard", "80 / 1M tokens", "2025-08-28", "OP-2025", "observed low", ONE_COPY],
    ["input audio", "standard", "32 / 1M tokens", "2025-11-01", "MP OP-2026 GP LL", "assumed medium", NO_DAY],
    ["output audio", "standard", "64 / 1M tokens", "2025-11-01", "MP OP-2026 GP LL", "assumed medium", NO_DAY],
  ],
  "gpt-audio-1.5": [
    ["input text", "standard", "2.5 / 1M tokens", "2026-05-07", "MP GP LL", "observed medium"],
    ["output text", "standard", "10 / 1M tokens", "2026-05-07", "MP GP LL", "observed medium"],
    ["input audio", "standard", "32 / 1M tokens", "2026-05-07", "MP GP LL", "observed medium"],
    ["output audio", "standard", "64 / 1M tokens", "2026-05-07", "MP GP LL", "observed medium"],
  ],
  "gpt-audio-mini-2025-10-06": [
    ["input text", "standard", "0.6 / 1M tokens", "2025-10-06", "MP OP-2026 GP LL", "released high"],
    ["output text", "standard", "2.4 / 1M tokens", "2025-10-06", "MP OP-2026 GP LL", "released high"],
    ["input audio", "standard", "10 / 1M tokens", "2025-10-06", "MP OP-2026 GP LL", "released high"],
    ["output audio", "standard", "20 / 1M tokens", "2025-10-06", "MP OP-2026 GP LL", "released high"],
  ],
  "gpt-audio-mini": [
    ["input text", "standard", "0.6 / 1M tokens", "2025-10-06", "MP OP-2026 GP LL", "released high"],
    ["output text", "standard", "2.4 / 1M tokens", "2025-10-06", "MP OP-2026 GP LL", "released high"],
    ["input audio", "standard", "10 / 1M tokens", "2025-10-06", "MP OP-2026 GP LL", "released high"],
    ["output audio", "standard", "20 / 1M tokens", "2025-10-06", "MP OP-2026 GP LL", "released high"],
  ],
};
