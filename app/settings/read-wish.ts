import {
  ALERT_MEASURES,
  ALERT_WINDOW_MINUTES_MAX,
  type AlertMeasure,
  type AlertScope,
  type AlertWish,
  alertMeasure,
} from "#lib/alert.ts";
import { MODALITIES } from "#lib/modalities.ts";
import type { AlertProblem } from "./problems.ts";
import { parseThreshold } from "./threshold.ts";

const NAME_CHARACTERS_MAX = 200;
/** What is stored for a measure without a window. */
const NO_WINDOW_MINUTES = 1440;

type Fields = Readonly<Record<string, unknown>>;

/** The rule that a form asks for; or everything that is wrong with it. Empty fields of the scope mean all calls. */
export function readWish(fields: Fields): AlertWish | AlertProblem[] {
  const measure = ALERT_MEASURES.find(({ name }) => name === fields.measure)?.name;
  if (!measure) return ["alert_unknown_measure"];
  const threshold = parseThreshold(measure, textOf(fields.threshold));
  const windowMinutes = readWindow(measure, textOf(fields.window));
  const scope = readScope(measure, fields);
  const problems = [threshold, windowMinutes, scope].filter((one): one is AlertProblem => typeof one === "string");
  if (typeof threshold === "string" || typeof windowMinutes === "string" || typeof scope === "string") return problems;
  return { measure, threshold, windowMinutes, scope };
}

export const textOf = (field: unknown): string =>
  typeof field === "string" ? field : typeof field === "number" ? String(field) : "";

function readWindow(measure: AlertMeasure, text: string): number | AlertProblem {
  if (!alertMeasure(measure).windowed) return NO_WINDOW_MINUTES;
  const minutes = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  return minutes >= 1 && minutes <= ALERT_WINDOW_MINUTES_MAX ? minutes : "alert_bad_window";
}

function readScope(measure: AlertMeasure, fields: Fields): AlertScope | AlertProblem {
  const scope: AlertScope = {};
  for (const name of ["feature", "model", "environment"] as const) {
    const value = textOf(fields[name]).trim();
    // What Postgres cannot store: a zero byte, and half of a surrogate pair.
    if (value.length > NAME_CHARACTERS_MAX || value.includes("\u0000") || !value.isWellFormed())
      return "alert_bad_scope";
    if (value) scope[name] = value;
  }
  const wanted = textOf(fields.modality);
  const modality = MODALITIES.find(({ name }) => name === wanted)?.name;
  if (wanted && !modality) return "alert_bad_scope";
  if (modality) scope.modality = modality;
  const { by }: { by: readonly string[] } = alertMeasure(measure);
  return Object.keys(scope).every((name) => by.includes(name)) ? scope : "alert_scope_without_meaning";
}
