import type { Given } from "./draw-turn.ts";
import { DAY_MS } from "./moments.ts";

/** A model that no price list knows. */
export const UNKNOWN_MODEL = "gpt-6.9-preview";
const UNPRICED_LAST_MONTH = 7;
const UNPRICED_LATELY = 5;
/** Calls planted into the spike and the half hours around it, so that it can be seen in a small company too. */
const VOICE_MAX = 240;

interface Period {
  readonly fromMs: number;
  readonly untilMs: number;
  readonly calls: number;
}

const HOUR_MS = 3_600_000;

/** 14:05 to 14:35 UTC, two days before the last day. */
export function spikeOf(untilMs: number): { fromMs: number; toMs: number } {
  const dayMs = Math.floor(untilMs / DAY_MS) * DAY_MS - 2 * DAY_MS;
  return { fromMs: dayMs + 14 * HOUR_MS + 5 * 60_000, toMs: dayMs + 14 * HOUR_MS + 35 * 60_000 };
}

/** What happens whatever chance says, in the order of time. */
export function plantedIn(period: Period): Given[] {
  return [...midnight(period), ...unpriced(period), ...voice(period)]
    .filter(({ ms }) => ms >= period.fromMs && ms < period.untilMs)
    .sort((a, b) => a.ms - b.ms);
}

/** The last millisecond of a day and the first of the next. */
function midnight({ untilMs }: Period): Given[] {
  const ms = Math.floor(untilMs / DAY_MS) * DAY_MS - 3 * DAY_MS;
  return [ms - 1, ms].map((at) => ({ ms: at, feature: "support-chat", completes: true }));
}

/** Seven in the last whole month, which finance closes, and some in the last days. */
function unpriced({ untilMs }: Period): Given[] {
  const until = new Date(untilMs);
  const lastMonthMs = Date.UTC(until.getUTCFullYear(), until.getUTCMonth() - 1, 1);
  const model = { asked: UNKNOWN_MODEL, served: UNKNOWN_MODEL, weight: 1 };
  const at = (ms: number): Given => ({ ms, feature: "summaries", model, completes: true });
  return [
    ...Array.from({ length: UNPRICED_LAST_MONTH }, (_, n) =>
      at(lastMonthMs + (3 * n + 9) * DAY_MS + (9 + n) * HOUR_MS + 1234 * n),
    ),
    ...Array.from({ length: UNPRICED_LATELY }, (_, n) => at(untilMs - (n + 0.4) * DAY_MS - 777 * n)),
  ].map((given) => ({ ...given, ms: Math.floor(given.ms) }));
}

function voice({ untilMs, calls }: Period): Given[] {
  const { fromMs, toMs } = spikeOf(untilMs);
  const count = Math.min(VOICE_MAX, Math.floor(calls / 250));
  const startMs = fromMs - 30 * 60_000;
  const stepMs = (toMs + 30 * 60_000 - startMs) / count;
  // An odd step, so that they do not fall on whole seconds.
  return Array.from({ length: count }, (_, n) => ({
    ms: Math.floor(startMs + n * stepMs + ((n * 7919) % 1000) * (stepMs / 2000)),
    feature: "voice-concierge",
    completes: true,
  }));
}
