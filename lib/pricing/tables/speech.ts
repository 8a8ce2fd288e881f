import type { PriceTable } from "../price.ts";

const LAUNCH_PRICE = "launch price of audio input tokens";
const ONE_INPUT_PRICE =
  "the current model page lists one input price and the LiteLLM table followed on 2026-05-13; the true change day is unknown and the per-minute estimate did not move: calibrate against the invoice";
const ESTIMATE = "published estimate, not a billing unit";
const THREE_TIMES = "users measured about three times the per-minute estimate";
const LITELLM_WRONG = "LiteLLM shows 2.50, which is wrong";
const ESTIMATE_1250 = "published estimate, equals 1250 audio tokens";

/** Transcription and speech. */
export const SPEECH: PriceTable = {
  "gpt-transcribe": [["input audio", "standard", "0.0045 / minute", "2026-09-01", "OP-2026", "observed medium"]],
  "gpt-4o-transcribe": [
    ["input text", "standard", "2.5 / 1M tokens", "2025-03-20", "MP OP-2025 GP LL", "released high"],
    ["output text", "standard", "10 / 1M tokens", "2025-03-20", "MP OP-2025 GP LL", "released high"],
    ["input audio", "standard", "6 / 1M tokens", "2025-03-20", "OP-2025 GP", "released high", LAUNCH_PRICE],
    ["input audio", "standard", "2.5 / 1M tokens", "2026-05-13", "MP LL", "observed low", ONE_INPUT_PRICE],
    ["input audio", "estimate", "0.006 / minute", "2025-03-20", "OP-2025", "released medium", ESTIMATE],
  ],
  "gpt-4o-mini-transcribe": [
    ["input text", "standard", "1.25 / 1M tokens", "2025-03-20", "MP OP-2025 GP LL", "released high"],
    ["output text", "standard", "5 / 1M tokens", "2025-03-20", "MP OP-2025 GP LL", "released high"],
    ["input audio", "standard", "3 / 1M tokens", "2025-03-20", "OP-2025 GP", "released high", LAUNCH_PRICE],
    ["input audio", "standard", "1.25 / 1M tokens", "2026-05-13", "MP LL", "observed low", ONE_INPUT_PRICE],
    ["input audio", "estimate", "0.003 / minute", "2025-03-20", "OP-2025", "released medium", ESTIMATE],
  ],
  "gpt-4o-transcribe-diarize": [
    ["input text", "standard", "2.5 / 1M tokens", "2025-10-15", "OP-2026 GP LL", "observed medium"],
    ["output text", "standard", "10 / 1M tokens", "2025-10-15", "OP-2026 GP LL", "observed medium"],
    ["input audio", "standard", "6 / 1M tokens", "2025-10-15", "OP-2025", "observed low", THREE_TIMES],
    ["input audio", "standard", "2.5 / 1M tokens", "2026-05-13", "LL", "observed low", "see gpt-4o-transcribe"],
  ],
  "whisper-1": [["input audio", "standard", "0.006 / minute", "2023-03-01", "OP-2026", "released high"]],
  "gpt-4o-mini-tts": [
    ["input text", "standard", "0.6 / 1M tokens", "2025-03-20", "OP-2025 OP-2026 GP", "released high", LITELLM_WRONG],
    ["output audio", "standard", "12 / 1M tokens", "2025-03-20", "OP-2025 OP-2026 LL", "released high"],
    ["output audio", "estimate", "0.015 / minute", "2025-03-20", "OP-2025", "released medium", ESTIMATE_1250],
  ],
  "tts-1": [["input text", "standard", "15 / 1M characters", "2023-11-06", "OP-2026", "released high"]],
  "tts-1-hd": [["input text", "standard", "30 / 1M characters", "2023-11-06", "OP-2026", "released high"]],
};
