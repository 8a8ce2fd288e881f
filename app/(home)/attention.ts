import { hrefOf, type View } from "#app/_frame/view.ts";
import { formatCount, formatDuration, formatMoney, formatShare, plural } from "#app/_ui/format.ts";
import { formatRate } from "#app/_ui/format-rate.ts";
import { formatMoment, formatOffset } from "#app/_ui/time.ts";
import type { CallFilter } from "#db/queries/call-filter.ts";
import type { Losses, ModelUse, Spent } from "#db/queries/home-page.ts";
import type { Waiting } from "#db/queries/quality-page.ts";
import { ERRORS } from "#lib/call.ts";
import { parseRange, type Range } from "#lib/range.ts";
import { RETIREMENTS } from "#lib/retirements.ts";
import { wilson } from "#lib/stats/wilson.ts";
import { type AlertFacts, alertItems } from "./alert-items.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

const LAG_MS = MINUTE_MS;
const LAG_BAD_MS = 5 * MINUTE_MS;
const QUIET_MS = DAY_MS;
const HOUR_CALLS_MIN = 50;
const ERRORS_TIMES = 2;
const WAITING_MS = 10 * MINUTE_MS;
const UNALLOCATED_SHARE = 0.02;
const RETIREMENT_DAYS = 60;
const ITEMS_MAX = 7;
const MODELS_NAMED = 3;

export interface ErrorCount {
  calls: number;
  errors: number;
}

/** What the rules look at. */
export interface Facts {
  watermarkMs: number | null;
  newestCallMs: number | null;
  losses: Losses;
  lastHour: ErrorCount;
  /** The seven days before that hour. */
  weekBefore: ErrorCount;
  /** Of the last seven days. */
  models: readonly ModelUse[];
  unpricedNewestMs: number | null;
  waiting: readonly Waiting[];
  /** This month in UTC, as finance counts it. */
  month: Spent;
  alerts: AlertFacts;
}

export interface Item {
  key: string;
  weight: "bad" | "warn" | "note";
  /** What, since when, how much. */
  sentence: string;
  /** The page that shows it, already filtered. */
  href: string;
}

type Rule = (facts: Facts, view: View) => Omit<Item, "key"> | null;

/** Within one weight the first stands first: what makes other figures wrong, then what hurts users, then money. */
const RULES: Record<string, Rule> = {
  lag,
  dropped,
  setAside,
  errors,
  quiet,
  unpriced,
  waiting,
  retirement,
  unallocated,
};

/** What needs somebody's attention, the worst first, seven at most: a longer list would not be read. */
export function attentionOf(facts: Facts, view: View): Item[] {
  const items = Object.entries(RULES).flatMap(([key, rule]) => {
    const item = rule(facts, view);
    return item ? [{ key, ...item }] : [];
  });
  const weights = ["bad", "warn", "note"];
  // What people asked to be told stands before what we think they should know.
  return [...alertItems(facts.alerts, view), ...items]
    .sort((a, b) => weights.indexOf(a.weight) - weights.indexOf(b.weight))
    .slice(0, ITEMS_MAX);
}

function lag({ watermarkMs }: Facts, view: View): ReturnType<Rule> {
  if (watermarkMs === null || view.nowMs - watermarkMs <= LAG_MS) return null;
  const behindMs = view.nowMs - watermarkMs;
  return {
    weight: behindMs > LAG_BAD_MS ? "bad" : "warn",
    sentence: `Data is ${formatDuration(behindMs)} behind: calls since ${moment(watermarkMs, view)} may be missing, and every number may rise.`,
    href: callsHref(view, "1h"),
  };
}

function dropped({ losses }: Facts, view: View): ReturnType<Rule> {
  const reasons = Object.entries(losses.dropped);
  if (reasons.length === 0 || !losses.droppedSince) return null;
  const calls = reasons.reduce((sum, [, count]) => sum + count, 0);
  const why = reasons.map(([reason, count]) => `${reason.replaceAll("_", " ")} ${formatCount(count)}`).join(", ");
  const since = losses.droppedSince.getTime();
  return {
    weight: "bad",
    sentence: `Since ${moment(since, view)}, ${plural(calls, "call")} went through without being recorded (${why}): no figure holds them.`,
    href: callsHref(view, "7d"),
  };
}

function setAside({ losses }: Facts, view: View): ReturnType<Rule> {
  if (losses.setAside === 0 || !losses.setAsideSince) return null;
  const { setAside: calls, setAsideSince } = losses;
  return {
    weight: "bad",
    sentence: `Since ${moment(setAsideSince.getTime(), view)}, ${plural(calls, "call")} could not be stored (set aside, kept): no figure holds them.`,
    href: callsHref(view, "7d"),
  };
}

/** Twice the usual, and not by the chance of few calls: the interval of the hour lies above the week's rate. */
function errors({ lastHour, weekBefore }: Facts, view: View): ReturnType<Rule> {
  const now = wilson(lastHour.errors, lastHour.calls);
  const usual = wilson(weekBefore.errors, weekBefore.calls);
  if (!now || !usual || lastHour.errors === 0 || lastHour.calls < HOUR_CALLS_MIN) return null;
  if (now.rate < ERRORS_TIMES * usual.rate || now.low <= usual.rate) return null;
  return {
    weight: "bad",
    sentence: `${formatRate(now.rate)} of calls failed in the last hour (${formatCount(lastHour.errors)} of ${formatCount(lastHour.calls)}), against ${formatRate(usual.rate)} in the 7 days before.`,
    href: callsHref(view, "1h", { outcome: ERRORS }),
  };
}

/** While data lags behind it is not known whether calls came. */
function quiet({ newestCallMs, watermarkMs }: Facts, view: View): ReturnType<Rule> {
  if (newestCallMs === null || view.nowMs - newestCallMs <= QUIET_MS) return null;
  if (watermarkMs === null || view.nowMs - watermarkMs > LAG_BAD_MS) return null;
  const days = Math.floor((view.nowMs - newestCallMs) / DAY_MS);
  return {
    weight: "warn",
    sentence: `No call has come for ${plural(days, "day")}, since ${moment(newestCallMs, view)}: is the client still pointed here?`,
    href: callsHref(view, "30d"),
  };
}

function unpriced({ models, unpricedNewestMs }: Facts, view: View): ReturnType<Rule> {
  const without = models.filter(({ callsUnpriced }) => callsUnpriced > 0);
  if (without.length === 0) return null;
  const calls = without.reduce((sum, { callsUnpriced }) => sum + callsUnpriced, 0);
  const newest = unpricedNewestMs === null ? "" : `; the newest ${moment(unpricedNewestMs, view)}`;
  const named = listOf(
    without.map(({ model, callsUnpriced }) => `${model || "no model named"} (${formatCount(callsUnpriced)})`),
  );
  return {
    weight: "warn",
    sentence: `${plural(calls, "call")} of the last 7 days with a part without a price, which is in no sum: ${named}${newest}.`,
    href: callsHref(view, "7d", { cost: ["unpriced"] }),
  };
}

function waiting({ waiting: all }: Facts, view: View): ReturnType<Rule> {
  const oldestMs = Math.min(...all.map(({ oldestAt }) => oldestAt.getTime()));
  if (view.nowMs - oldestMs <= WAITING_MS || all.length === 0) return null;
  const count = all.reduce((sum, one) => sum + one.count, 0);
  return {
    weight: "warn",
    sentence: `Since ${moment(oldestMs, view)}, ${plural(count, "rating")} without a stored call: in no rate until the call is here.`,
    href: hrefOf("/quality", view, { range: range("30d"), filter: {} }),
  };
}

function retirement({ models }: Facts, view: View): ReturnType<Rule> {
  for (const { models: ending, on } of RETIREMENTS) {
    const days = Math.ceil((Date.parse(on) - view.nowMs) / DAY_MS);
    const used = models.filter(({ model, calls }) => calls > 0 && ending.includes(model));
    if (days >= RETIREMENT_DAYS || used.length === 0) continue;
    const calls = used.reduce((sum, one) => sum + one.calls, 0);
    const when = days > 0 ? `in ${plural(days, "day")}` : "now past";
    return {
      weight: "warn",
      sentence: `${plural(calls, "call")} of the last 7 days used ${listOf(used.map(({ model }) => model))}, which OpenAI shuts down on ${on} (${when}).`,
      href: callsHref(view, "7d", { model: used.map(({ model }) => model) }),
    };
  }
  return null;
}

function unallocated({ month }: Facts, view: View): ReturnType<Rule> {
  if (month.unallocatedShare === null || month.unallocatedShare <= UNALLOCATED_SHARE) return null;
  const attributes = ["feature", "customer", "template"] as const;
  const [most] = attributes.toSorted((a, b) => Number(month.withoutUsd[b]) - Number(month.withoutUsd[a]));
  const lacking = attributes.map((name) => `${formatMoney(month.withoutUsd[name])} without a ${name}`).join(", ");
  const text = new Date(view.nowMs).toISOString().slice(0, 7);
  return {
    weight: "note",
    sentence: `${formatShare(month.unallocatedShare, 1)} of this month's spend (${formatMoney(month.unallocatedUsd)}) is not allocated: ${lacking}.`,
    href: hrefOf("/spend", view, { range: range(text), zone: "UTC", filter: most ? { [most]: [""] } : {} }),
  };
}

const callsHref = (view: View, text: string, filter: CallFilter = {}): string =>
  hrefOf("/calls", view, { range: range(text), filter });

const moment = (ms: number, { zone }: View) => `${formatMoment(ms, zone)} ${formatOffset(ms, zone)}`;
/** Of ranges written in this file. */
const range = (text: string) => parseRange(text) as Range;

/** "a, b and 4 more" */
function listOf(names: readonly string[]): string {
  const more = names.length - MODELS_NAMED;
  return more > 0 ? `${names.slice(0, MODELS_NAMED).join(", ")} and ${formatCount(more)} more` : names.join(", ");
}
