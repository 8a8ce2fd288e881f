/** What the short keys in the price tables stand for. */
export const SOURCES: Readonly<Record<string, string>> = {
  "OP-2025": "OpenAI's pricing pages, copies from 2025",
  "OP-2026": "OpenAI's pricing pages, copies from September and October 2026",
  MP: "OpenAI's own page of the model",
  "AN-structured": "OpenAI's announcement of structured outputs, 2024-08-06",
  "AN-caching": "OpenAI's announcement of prompt caching, 2024-10-01",
  "AN-realtime": "OpenAI's announcement of the Realtime API, 2024-10-01",
  "AN-dec17": "OpenAI's announcements for developers, 2024-12-17",
  GP: "genai-prices 0.1.8 and its repository at 2026-08-21 (https://github.com/pydantic/genai-prices)",
  LL: "LiteLLM's price table as of 2026-07-24 (https://github.com/BerriAI/litellm)",
  CM: "threads on https://community.openai.com",
  "HF-calc": "a public price calculator that kept older prices",
};
