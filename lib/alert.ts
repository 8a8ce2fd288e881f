import type { Modality } from "./modalities.ts";

const ANY_CALLS = ["feature", "model", "environment", "modality"] as const;
/** Sums of money are not kept by modality: such a rule would add up a day of calls every half minute. */
const MONEY = ["feature", "model", "environment"] as const;
const EVERYTHING = [] as const;

/**
 * What an alert can watch. The unit is that of thresholds and values; of fewer than `callsMin` calls nothing is said; `by` is what
 * it can be narrowed to. Add a measure: one row here, and its query in db/queries/alert-measures.ts.
 */
export const ALERT_MEASURES = [
  {
    name: "p95_first_token",
    label: "p95 time to first token",
    unit: "ms",
    callsMin: 100,
    windowed: true,
    by: ANY_CALLS,
  },
  {
    name: "p95_first_audio",
    label: "p95 time to first audio",
    unit: "ms",
    callsMin: 100,
    windowed: true,
    by: ANY_CALLS,
  },
  { name: "p95_duration", label: "p95 duration", unit: "ms", callsMin: 100, windowed: true, by: ANY_CALLS },
  { name: "error_rate", label: "Error rate", unit: "share", callsMin: 20, windowed: true, by: ANY_CALLS },
  { name: "spend_per_day", label: "Spend of the UTC day", unit: "usd", callsMin: null, windowed: false, by: MONEY },
  { name: "data_lag", label: "Data lag", unit: "s", callsMin: null, windowed: false, by: EVERYTHING },
  { name: "unpriced_calls", label: "Unpriced calls", unit: "calls", callsMin: null, windowed: true, by: MONEY },
] as const;

export type AlertMeasure = (typeof ALERT_MEASURES)[number]["name"];
export type AlertUnit = (typeof ALERT_MEASURES)[number]["unit"];

export const alertMeasure = (name: AlertMeasure) =>
  // The names are those of the rows.
  ALERT_MEASURES.find((one) => one.name === name) as (typeof ALERT_MEASURES)[number];

/** Which calls a rule is about; what is left out is not looked at. */
export interface AlertScope {
  feature?: string;
  model?: string;
  environment?: string;
  modality?: Modality;
}

/** What somebody wants to be told about. */
export interface AlertWish {
  measure: AlertMeasure;
  scope: AlertScope;
  /** In the measure's unit. */
  threshold: number;
  /** How far back is looked; without meaning for measures that have no window. */
  windowMinutes: number;
}

export const ALERT_RULES_MAX = 100;
export const ALERT_WINDOW_MINUTES_MAX = 10_080;

/** An alert closes at this part of its threshold, so that a value which hovers about the threshold does not open it again and again. */
export const ALERT_CLOSES_AT = 0.9;

/** Above: an alert opens or stays. Between: it stays, and none opens. Unknown: nothing changes. */
export type Standing = "above" | "between" | "below" | "unknown";

export function standingOf(value: number | null, threshold: number): Standing {
  if (value === null) return "unknown";
  if (value > threshold) return "above";
  return value <= threshold * ALERT_CLOSES_AT ? "below" : "between";
}
