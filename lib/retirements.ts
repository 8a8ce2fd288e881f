/** Models that OpenAI has said it will shut down. */
export interface Retirement {
  /** As answers name them, and the aliases that requests use. */
  models: readonly string[];
  /** The day from which they answer no more, UTC. */
  on: string;
}

/** From OpenAI's deprecations page: https://platform.openai.com/docs/deprecations */
export const RETIREMENTS: readonly Retirement[] = [
  {
    models: [
      "gpt-4o",
      "gpt-4o-2024-05-13",
      "gpt-4o-2024-08-06",
      "gpt-4o-2024-11-20",
      "gpt-4o-mini",
      "gpt-4o-mini-2024-07-18",
    ],
    on: "2027-01-14",
  },
];
