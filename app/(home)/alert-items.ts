import { hrefOf, type View } from "#app/_frame/view.ts";
import { plural } from "#app/_ui/format.ts";
import { alertSentence, momentWords } from "#app/settings/alert-words.ts";
import { filterOf } from "#db/queries/alert-measures.ts";
import type { AlertRule } from "#db/queries/settings-page.ts";
import { ERRORS } from "#lib/call.ts";
import { parseRange, type Range } from "#lib/range.ts";
import type { Item } from "./attention.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** More would leave no room for anything else. */
const ALERTS_SHOWN = 4;
/** The recorder checks each rule every 30 seconds. */
const UNCHECKED_MS = 5 * MINUTE_MS;
const SETTINGS = "/settings#alerts";

export interface AlertFacts {
  rules: readonly AlertRule[];
  /** When the rules were checked last; null: never. */
  checkedMs: number | null;
}

/** The open alerts, newest first, and what keeps rules from being checked. */
export function alertItems({ rules, checkedMs }: AlertFacts, view: View): Item[] {
  const open = rules.filter(({ alert }) => alert !== null);
  const shown = open.length > ALERTS_SHOWN ? open.slice(0, ALERTS_SHOWN - 1) : open;
  const rest = open.length - shown.length;
  const items: Item[] = shown.map((rule) => ({
    key: `alert-${rule.id}`,
    weight: "bad",
    sentence: alertSentence(rule, view.nowMs, view.zone),
    href: alertHref(rule, view),
  }));
  if (rest > 0)
    items.push({
      key: "alerts-more",
      weight: "bad",
      sentence: `${plural(rest, "more alert")} ${rest === 1 ? "is" : "are"} open.`,
      href: SETTINGS,
    });
  return [...items, ...unchecked(rules, checkedMs, view), ...failing(rules)];
}

/** Rules that nobody looks at are worse than none: somebody relies on them. */
function unchecked(rules: readonly AlertRule[], checkedMs: number | null, { nowMs, zone }: View): Item[] {
  const watched = rules.filter(({ enabled }) => enabled);
  if (watched.length === 0) return [];
  const sinceMs = checkedMs ?? Math.min(...watched.map(({ createdAt }) => createdAt.getTime()));
  if (nowMs - sinceMs <= UNCHECKED_MS) return [];
  const since = momentWords(sinceMs, nowMs, zone);
  const sentence = `Since ${since}, ${plural(watched.length, "alert rule")} could not be checked: is the recorder running?`;
  return [{ key: "alerts-unchecked", weight: "warn", sentence, href: SETTINGS }];
}

function failing(rules: readonly AlertRule[]): Item[] {
  const found = rules.filter(({ enabled, problem }) => enabled && problem !== null);
  const [first] = found;
  if (!first) return [];
  const sentence = `${plural(found.length, "alert rule")} could not be checked: ${first.problem}.`;
  return [{ key: "alerts-failing", weight: "warn", sentence, href: SETTINGS }];
}

/** The page that shows what the alert is about, filtered as its rule is, from the beginning of its first window on. */
function alertHref(rule: AlertRule, view: View): string {
  const { measure, scope, windowMinutes, alert } = rule;
  const sinceMs = (alert?.openedAt.getTime() ?? view.nowMs) - windowMinutes * MINUTE_MS;
  const range = rangeBackTo(sinceMs, view.nowMs);
  const filter = filterOf(scope);
  switch (measure) {
    case "p95_first_token":
    case "p95_first_audio":
    case "p95_duration": {
      const own = { path: "/latency", params: { m: measure.slice("p95_".length) } };
      return hrefOf("/latency", { ...view, own }, { range, filter });
    }
    case "error_rate":
      return hrefOf("/calls", view, { range, filter: { ...filter, outcome: ERRORS } });
    case "unpriced_calls":
      return hrefOf("/calls", view, { range, filter: { ...filter, cost: ["unpriced"] } });
    case "spend_per_day": {
      const day = (ms: number) => new Date(ms).toISOString().slice(0, 10);
      const today = parseRange(`${day(view.nowMs)}..${day(view.nowMs + DAY_MS)}`) as Range;
      return hrefOf("/spend", view, { range: today, zone: "UTC", filter });
    }
    case "data_lag":
      return SETTINGS;
  }
}

const RANGES = ["1h", "6h", "24h", "7d", "30d", "90d"].map(
  (text) => parseRange(text) as Extract<Range, { kind: "last" }>,
);

/** The shortest of the usual ranges that reaches so far; beyond them the longest. */
const rangeBackTo = (ms: number, nowMs: number): Range =>
  RANGES.find((range) => nowMs - range.ms <= ms) ?? (RANGES.at(-1) as Range);
