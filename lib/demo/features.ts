/** Parts of the product that call a model. */
export interface Feature {
  /** null: nobody said what the call was for. */
  readonly name: string | null;
  /** Of all calls, at an hour when everything is busy. */
  readonly share: number;
  readonly rhythm: "office" | "always" | "night";
  /** Calls of one conversation, at most; 1: no sessions. */
  readonly turnsMax: number;
  readonly models: readonly ModelChoice[];
  readonly tags: Readonly<Record<string, string>>;
}

/** Asked for under one name, served by one snapshot from some day on. */
export interface ModelChoice {
  readonly asked: string;
  readonly served: string;
  readonly weight: number;
  /** Days before the end; absent: all the time. */
  readonly from?: number;
  readonly to?: number;
}

/** On this day before the end the alias `gpt-4o` moves to a newer snapshot. */
export const SNAPSHOT_SWITCH_DAYS = 31.25;

const GPT_4O: readonly ModelChoice[] = [
  { asked: "gpt-4o", served: "gpt-4o-2024-08-06", weight: 1, to: SNAPSHOT_SWITCH_DAYS },
  { asked: "gpt-4o", served: "gpt-4o-2024-11-20", weight: 1, from: SNAPSHOT_SWITCH_DAYS },
];
const MINI: readonly ModelChoice[] = [{ asked: "gpt-4o-mini", served: "gpt-4o-mini-2024-07-18", weight: 1 }];

export const FEATURES: readonly Feature[] = [
  { name: "support-chat", share: 27, rhythm: "office", turnsMax: 5, models: GPT_4O, tags: { team: "support" } },
  { name: "search-answers", share: 22, rhythm: "always", turnsMax: 2, models: MINI, tags: { team: "search" } },
  { name: "rewrite", share: 13, rhythm: "office", turnsMax: 1, models: MINI, tags: { team: "editor" } },
  {
    name: "invoice-reader",
    share: 9,
    rhythm: "office",
    turnsMax: 1,
    models: [{ asked: "gpt-4o-2024-08-06", served: "gpt-4o-2024-08-06", weight: 1 }],
    tags: { team: "finance" },
  },
  {
    name: "voice-concierge",
    share: 7,
    rhythm: "always",
    turnsMax: 6,
    models: [
      { asked: "gpt-audio", served: "gpt-audio-2025-08-28", weight: 7 },
      { asked: "gpt-audio-1.5", served: "gpt-audio-1.5", weight: 3 },
    ],
    tags: { team: "voice" },
  },
  {
    name: "summaries",
    share: 12,
    rhythm: "office",
    turnsMax: 1,
    // Two candidates to succeed the family are tried on a part of the traffic.
    models: [
      { asked: "gpt-4o-mini", served: "gpt-4o-mini-2024-07-18", weight: 6 },
      { asked: "gpt-4.1", served: "gpt-4.1", weight: 2, from: 40 },
      { asked: "gpt-5-mini", served: "gpt-5-mini", weight: 2, from: 24 },
    ],
    tags: { team: "support" },
  },
  { name: "Café — «α»", share: 3, rhythm: "office", turnsMax: 1, models: MINI, tags: { team: "menus" } },
  {
    name: "nightly-batch",
    share: 22,
    rhythm: "night",
    turnsMax: 1,
    models: MINI,
    tags: { team: "data", job: "classify" },
  },
  { name: null, share: 3, rhythm: "office", turnsMax: 1, models: GPT_4O, tags: {} },
];

const HOUR_MS = 3_600_000;
/** Busy at these UTC hours, of 1: Europe's morning, then America's. */
const OFFICE = [3, 3, 2, 2, 3, 6, 14, 34, 62, 80, 84, 76, 72, 86, 100, 98, 90, 76, 58, 42, 28, 16, 9, 5].map(
  (percent) => percent / 100,
);

/** How busy a feature is at a moment, of its busiest. */
export function busyness({ rhythm }: Feature, ms: number): number {
  const hours = ms / HOUR_MS;
  const hour = Math.floor(hours) % 24;
  const weekday = (Math.floor(hours / 24) + 4) % 7;
  const isWeekend = weekday === 0 || weekday === 6;
  if (rhythm === "night") return hour >= 1 && hour < 4 ? 1 : 0;
  const office = between(OFFICE, hours);
  return rhythm === "office" ? office * (isWeekend ? 0.3 : 1) : (0.25 + 0.6 * office) * (isWeekend ? 0.8 : 1);
}

function between(byHour: readonly number[], hours: number): number {
  const hour = Math.floor(hours) % 24;
  const part = hours - Math.floor(hours);
  return (byHour[hour] as number) * (1 - part) + (byHour[(hour + 1) % 24] as number) * part;
}
