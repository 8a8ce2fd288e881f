/** What processing in a region adds to the prices of a model, and to which. */
export const REGIONAL_UPLIFT = {
  /** Ten percent. */
  factor: "1.1",
  /** Models that were released before this day cost the same everywhere: all of gpt-4o. */
  releasedFrom: "2026-03-05",
  source: "OpenAI's documentation of data residency, copies from September and October 2026",
} as const;
