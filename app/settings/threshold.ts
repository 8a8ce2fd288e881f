import { type AlertMeasure, type AlertUnit, alertMeasure } from "#lib/alert.ts";

export type ThresholdProblem = "alert_bad_threshold" | "alert_negative_threshold" | "alert_threshold_too_large";

/** What may stand behind a number (or, for dollars, before it), and what one of it is in the measure's unit. */
const UNITS: Record<AlertUnit, Readonly<Record<string, number>>> = {
  ms: { ms: 1, s: 1000, sec: 1000, m: 60_000, min: 60_000 },
  s: { ms: 0.001, s: 1, sec: 1, m: 60, min: 60, h: 3600 },
  share: { "%": 0.01, "": 0.01 },
  usd: { usd: 1, $: 1, "": 1 },
  calls: { calls: 1, call: 1, "": 1 },
};

const LARGEST: Record<AlertUnit, number> = { ms: 86_400_000, s: 2_592_000, share: 1, usd: 1e9, calls: 1e9 };

/** Reads "2 s", "850 ms", "5 %", "$20", "20 USD" or "10 calls". Times need their unit: 2 could be either. */
export function parseThreshold(measure: AlertMeasure, text: string): number | ThresholdProblem {
  const { unit } = alertMeasure(measure);
  const parts = /^(\$?)\s*([-−]?)\s*(\$?)\s*(\d{1,15}(?:\.\d{1,12})?|\.\d{1,12})\s*([a-z%]*)$/i.exec(text.trim());
  if (!parts) return "alert_bad_threshold";
  const [, before, sign, after, digits, behind = ""] = parts;
  const named = [before, after, behind.toLowerCase()].filter(Boolean);
  if (named.length > 1) return "alert_bad_threshold";
  const name = named[0] ?? "";
  const factor = Object.hasOwn(UNITS[unit], name) ? UNITS[unit][name] : undefined;
  if (factor === undefined) return "alert_bad_threshold";
  // Through decimals, so that 5 % is 0.05 and not its neighbour.
  const value = Number((Number(digits) * factor).toPrecision(15));
  if (sign && value > 0) return "alert_negative_threshold";
  return value > LARGEST[unit] ? "alert_threshold_too_large" : value;
}
