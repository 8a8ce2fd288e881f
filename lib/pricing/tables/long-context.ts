import type { PriceTable } from "../price.ts";

const ONE_LIST = "whole request when input exceeds 272k tokens; one public list has it";

/** What requests of more than 272,000 input tokens cost on models whose own table does not have it. */
export const LONG_CONTEXT: PriceTable = {
  "gpt-5.4-pro": [
    ["input text", "standard>272k", "60 / 1M tokens", "2026-03-05", "GP", "released medium", ONE_LIST],
    ["output text", "standard>272k", "270 / 1M tokens", "2026-03-05", "GP", "released medium", ONE_LIST],
  ],
  "gpt-5.5": [
    ["input text", "standard>272k", "10 / 1M tokens", "2026-04-23", "GP", "released medium", ONE_LIST],
    ["input text read", "standard>272k", "1 / 1M tokens", "2026-04-23", "GP", "released medium", ONE_LIST],
    ["output text", "standard>272k", "45 / 1M tokens", "2026-04-23", "GP", "released medium", ONE_LIST],
  ],
  "gpt-5.5-pro": [
    ["input text", "standard>272k", "60 / 1M tokens", "2026-04-23", "GP", "observed medium", ONE_LIST],
    ["output text", "standard>272k", "270 / 1M tokens", "2026-04-23", "GP", "observed medium", ONE_LIST],
  ],
  "gpt-5.6-sol": [
    ["input text", "standard>272k", "10 / 1M tokens", "2026-07-09", "GP", "released medium", ONE_LIST],
    ["input text read", "standard>272k", "1 / 1M tokens", "2026-07-09", "GP", "released medium", ONE_LIST],
    ["output text", "standard>272k", "45 / 1M tokens", "2026-07-09", "GP", "released medium", ONE_LIST],
    ["input text", "standard>272k", "8 / 1M tokens", "2026-08-21", "GP", "announced medium", ONE_LIST],
    ["input text read", "standard>272k", "0.8 / 1M tokens", "2026-08-21", "GP", "announced medium", ONE_LIST],
    ["input text write_30m", "standard>272k", "10 / 1M tokens", "2026-08-21", "GP", "announced medium", ONE_LIST],
    ["output text", "standard>272k", "30 / 1M tokens", "2026-08-21", "GP", "announced medium", ONE_LIST],
  ],
  "gpt-5.6-terra": [
    ["input text", "standard>272k", "5 / 1M tokens", "2026-07-09", "GP", "released medium", ONE_LIST],
    ["input text read", "standard>272k", "0.5 / 1M tokens", "2026-07-09", "GP", "released medium", ONE_LIST],
    ["output text", "standard>272k", "22.5 / 1M tokens", "2026-07-09", "GP", "released medium", ONE_LIST],
    ["input text", "standard>272k", "4 / 1M tokens", "2026-07-30", "GP", "announced medium", ONE_LIST],
    ["input text read", "standard>272k", "0.4 / 1M tokens", "2026-07-30", "GP", "announced medium", ONE_LIST],
    ["input text write_30m", "standard>272k", "5 / 1M tokens", "2026-07-30", "GP", "announced medium", ONE_LIST],
    ["output text", "standard>272k", "18 / 1M tokens", "2026-07-30", "GP", "announced medium", ONE_LIST],
  ],
  "gpt-5.6-luna": [
    ["input text", "standard>272k", "2 / 1M tokens", "2026-07-09", "GP", "released medium", ONE_LIST],
    ["input text read", "standard>272k", "0.2 / 1M tokens", "2026-07-09", "GP", "released medium", ONE_LIST],
    ["output text", "standard>272k", "9 / 1M tokens", "2026-07-09", "GP", "released medium", ONE_LIST],
    ["input text", "standard>272k", "0.4 / 1M tokens", "2026-07-30", "GP", "announced medium", ONE_LIST],
    ["input text read", "standard>272k", "0.04 / 1M tokens", "2026-07-30", "GP", "announced medium", ONE_LIST],
    ["input text write_30m", "standard>272k", "0.5 / 1M tokens", "2026-07-30", "GP", "announced medium", ONE_LIST],
    ["output text", "standard>272k", "1.8 / 1M tokens", "2026-07-30", "GP", "announced medium", ONE_LIST],
  ],
  "gpt-6-astra": [
    ["input text", "standard>272k", "20 / 1M tokens", "2026-09-03", "GP", "released medium", ONE_LIST],
    ["input text read", "standard>272k", "2 / 1M tokens", "2026-09-03", "GP", "released medium", ONE_LIST],
    ["input text write_30m", "standard>272k", "25 / 1M tokens", "2026-09-03", "GP", "released medium", ONE_LIST],
    ["output text", "standard>272k", "75 / 1M tokens", "2026-09-03", "GP", "released medium", ONE_LIST],
  ],
  "gpt-6-sol": [
    ["input text", "standard>272k", "4 / 1M tokens", "2026-09-22", "GP", "released medium", ONE_LIST],
    ["input text read", "standard>272k", "0.4 / 1M tokens", "2026-09-22", "GP", "released medium", ONE_LIST],
    ["input text write_30m", "standard>272k", "5 / 1M tokens", "2026-09-22", "GP", "released medium", ONE_LIST],
    ["output text", "standard>272k", "15 / 1M tokens", "2026-09-22", "GP", "released medium", ONE_LIST],
  ],
  "gpt-6-luna": [
    ["input text", "standard>272k", "0.2 / 1M tokens", "2026-09-22", "GP", "released medium", ONE_LIST],
    ["input text read", "standard>272k", "0.02 / 1M tokens", "2026-09-22", "GP", "released medium", ONE_LIST],
    ["input text write_30m", "standard>272k", "0.25 / 1M tokens", "2026-09-22", "GP", "released medium", ONE_LIST],
    ["output text", "standard>272k", "0.75 / 1M tokens", "2026-09-22", "GP", "released medium", ONE_LIST],
  ],
};

/** Models of which only this is known: that long requests have another list. They are unpriced above the limit. */
export const LONG_CONTEXT_UNKNOWN: readonly string[] = ["gpt-6.1-sol", "gpt-6.1-terra"];
