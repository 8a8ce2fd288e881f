import { formatCount, formatDuration, formatMoney, UNKNOWN } from "#app/_ui/format.ts";
import { formatMoment, formatOffset, timeParts } from "#app/_ui/time.ts";
import type { AlertRule } from "#db/queries/settings-page.ts";
import { ALERT_CLOSES_AT, type AlertMeasure, type AlertScope, type AlertWish, alertMeasure } from "#lib/alert.ts";
import { MODALITIES } from "#lib/modalities.ts";

/** A measure's value or threshold in people's units: 2000 → "2 s", 0.05 → "5 %". As short as it is exact to three digits. */
export function formatAlertValue(measure: AlertMeasure, value: number | null): string {
  if (value === null) return UNKNOWN;
  switch (alertMeasure(measure).unit) {
    case "ms":
      return trimmed(formatDuration(value));
    case "s":
      return trimmed(formatDuration(value * 1000));
    case "share":
      return value > 0.999 && value < 1 ? "> 99.9 %" : `${Number((value * 100).toPrecision(3))} %`;
    case "usd":
      return formatMoney(String(value));
    case "calls":
      return formatCount(value);
  }
}

/** "2.50 s" → "2.5 s", "2.00 s" → "2 s", "1 m 0 s" → "1 m" */
const trimmed = (text: string) =>
  text.replace(/(\.\d*?)0+ /, (_, digits: string) => `${digits === "." ? "" : digits} `).replace(/ 0 [ms]$/, "");

/** A threshold as it would be typed: exact, with its unit, and never as 1e-7, which nobody types. */
export function formatThreshold(measure: AlertMeasure, threshold: number): string {
  const exact = (factor: number) => plain.format(Number((threshold * factor).toPrecision(15)));
  switch (alertMeasure(measure).unit) {
    case "ms":
      return threshold >= 1000 ? `${exact(0.001)} s` : `${exact(1)} ms`;
    case "s":
      return `${exact(1)} s`;
    case "share":
      return `${exact(100)} %`;
    case "usd":
      return `${exact(1)} USD`;
    case "calls":
      return `${exact(1)} calls`;
  }
}

/** As many decimals as can be typed (threshold.ts). */
const plain = new Intl.NumberFormat("en-US", { useGrouping: false, maximumFractionDigits: 12 });

/** "p95 time to first token of support-chat on gpt-4o" */
export function subjectOf({ measure, scope }: Pick<AlertWish, "measure" | "scope">): string {
  return [alertMeasure(measure).label, ...scopeWords(scope)].join(" ");
}

function scopeWords({ feature, model, environment, modality }: AlertScope): string[] {
  const label = MODALITIES.find(({ name }) => name === modality)?.label.toLowerCase();
  return [
    feature !== undefined && `of ${feature}`,
    model !== undefined && `on ${model}`,
    environment !== undefined && `in ${environment}`,
    label !== undefined && `(${label})`,
  ].filter((word) => word !== false);
}

/** 90 → "90 min", 60 → "1 h", 10080 → "7 days" */
export function windowName(minutes: number): string {
  if (minutes % 1440 === 0 && minutes > 1440) return `${minutes / 1440} days`;
  return minutes % 60 === 0 ? `${minutes / 60} h` : `${minutes} min`;
}

/** "above 2 s over 15 min": what a rule waits for. */
export function conditionOf({ measure, threshold, windowMinutes }: AlertWish): string {
  const over = alertMeasure(measure).windowed ? ` over ${windowName(windowMinutes)}` : "";
  return `above ${formatAlertValue(measure, threshold)}${over}`;
}

/** "14:05 UTC", with the day where it is not today. */
export function momentWords(ms: number, nowMs: number, zone: string): string {
  const isToday = timeParts(ms, zone).day === timeParts(nowMs, zone).day && Math.abs(nowMs - ms) < 86_400_000;
  const text = isToday ? timeParts(ms, zone).minute : formatMoment(ms, zone).slice(0, -3);
  return `${text} ${formatOffset(ms, zone)}`;
}

/** Of an open alert: what, how much, since when; and what is known now where that is something else. */
export function alertSentence(rule: AlertRule, nowMs: number, zone: string): string {
  const { alert, measure, threshold } = rule;
  if (!alert) return "";
  const subject = subjectOf(rule);
  const limit = formatAlertValue(measure, threshold);
  const since = momentWords(alert.openedAt.getTime(), nowMs, zone);
  const n = alert.calls === null ? "" : ` (n ${formatCount(alert.calls)})`;
  const last = formatAlertValue(measure, alert.lastValue);
  const [now, before] = measure === "unpriced_calls" ? ["are", "were"] : ["is", "was"];
  const is = rule.value === null ? before : now;
  const within = measure === "unpriced_calls" ? ` in ${windowName(rule.windowMinutes)}` : "";
  const unknown = rule.value === null ? `; ${unknownWords(rule)}` : "";
  if (alert.lastValue > threshold)
    return `${subject} ${is} ${last}${within}, above your ${limit} since ${since}${n}${unknown}.`;
  const over = formatAlertValue(measure, threshold * ALERT_CLOSES_AT);
  return `${subject} ${is} ${last}${within}${n}, and went above your ${limit} at ${since}; it is over at ${over}${unknown}.`;
}

/** Why there is no value now. */
export function unknownWords({ measure, calls, problem, checkedAt }: AlertRule): string {
  if (problem !== null) return `could not be checked: ${problem}`;
  if (checkedAt === null) return "not checked yet";
  const { callsMin } = alertMeasure(measure);
  if (callsMin === null) return "nothing of this time is stored yet";
  return `not enough calls now (n ${formatCount(calls)}, it takes ${callsMin})`;
}
