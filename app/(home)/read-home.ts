import { PROJECT, type View } from "#app/_frame/view.ts";
import type { Reader, Scope } from "#db/queries/call-filter.ts";
import { type CallRow, callsOfPage, callsOverTime, newestIds, type Slot } from "#db/queries/calls-page.ts";
import { watermarkMs } from "#db/queries/frame.ts";
import {
  lossesSince,
  type ModelUse,
  modelsIn,
  newestUnpricedQuarter,
  type Spent,
  spentIn,
} from "#db/queries/home-page.ts";
import { stripsOf } from "#db/queries/latency-page.ts";
import { ratingsOverTime, waitingFeedback } from "#db/queries/quality-page.ts";
import { type SessionTotals, sessionTotals } from "#db/queries/session-list.ts";
import { alertRules, alertsCheckedMs } from "#db/queries/settings-page.ts";
import { ERRORS } from "#lib/call.ts";
import type { Interval } from "#lib/range.ts";
import type { Count } from "#lib/stats/wilson.ts";
import { uuid7Ms } from "#lib/uuid7.ts";
import type { ErrorCount, Facts } from "./attention.ts";
import { LIVE_ROWS } from "./live-rows.ts";
import { type Slowness, slowestFirst } from "./slowest.ts";
import { today } from "./today.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const QUARTER_MS = 900_000;
const MODELS = 1000;

export interface Home {
  facts: Facts;
  today: { spent: Spent; calls: DayCount };
  /** The same stretch of the same weekday, a week ago. */
  lastWeek: DayCount;
  slowest: Slowness[];
  /** Waits in voice sessions that began in the last hour: their turns have no request that could be timed. */
  voice: SessionTotals["waits"];
  thumbs: Count;
  newest: CallRow[];
}

export interface DayCount extends ErrorCount {
  /** First attempts among them. null: some were counted before there was this figure. */
  operations: number | null;
  /** Calls that the client gave up; in no error rate. */
  aborted: number;
}

/** Everything on the start page. All but the broken quarters of ranges comes from rollups. */
export async function readHome(tx: Reader, view: View): Promise<Home> {
  const { nowMs, zone } = view;
  // Ranges up to now end with their quarter of an hour: nothing is there yet, and rollups hold whole quarters.
  const endMs = Math.ceil(nowMs / QUARTER_MS) * QUARTER_MS;
  const weekMs = Math.floor((nowMs - 7 * DAY_MS) / QUARTER_MS) * QUARTER_MS;
  const hour = { fromMs: nowMs - HOUR_MS, toMs: endMs };
  const week = { fromMs: weekMs, toMs: endMs };
  const { day, weekAgo } = today(nowMs, zone);
  const now = new Date(nowMs);
  const month = Date.UTC(now.getUTCFullYear(), now.getUTCMonth());

  const [watermark, newest, spentToday, spentMonth, models] = await Promise.all([
    watermarkMs(tx),
    callsOfPage(tx, everything(nowMs), null, LIVE_ROWS),
    spentIn(tx, PROJECT, { fromMs: Math.floor(nowMs / DAY_MS) * DAY_MS, toMs: endMs }),
    spentIn(tx, PROJECT, { fromMs: month, toMs: endMs }),
    modelsIn(tx, PROJECT, week, MODELS),
  ]);
  const [calls, lastWeek, lastHour, weekBefore, strips, said] = await Promise.all([
    countIn(tx, { fromMs: day.fromMs, toMs: endMs }),
    countIn(tx, weekAgo),
    countIn(tx, hour),
    countIn(tx, { fromMs: weekMs, toMs: hour.fromMs }),
    stripsOf(tx, scope(hour)),
    ratingsOverTime(tx, scope(week), [week.fromMs, week.toMs]),
  ]);
  const [losses, waiting, unpricedNewestMs, rules, checkedMs, sessions] = await Promise.all([
    lossesSince(tx, weekMs),
    waitingFeedback(tx, PROJECT),
    newestUnpricedMs(tx, models, week),
    alertRules(tx, PROJECT),
    alertsCheckedMs(tx),
    sessionTotals(tx, scope(hour)),
  ]);
  const up = said.reduce((sum, one) => sum + one.up, 0);
  const down = said.reduce((sum, one) => sum + one.down, 0);
  return {
    facts: {
      watermarkMs: watermark,
      newestCallMs: newest[0]?.startedAt.getTime() ?? null,
      losses,
      lastHour,
      weekBefore,
      models,
      unpricedNewestMs,
      waiting,
      month: spentMonth,
      alerts: { rules, checkedMs },
    },
    today: { spent: spentToday, calls },
    lastWeek,
    slowest: slowestFirst(strips),
    voice: sessions.waits,
    thumbs: { successes: up, n: up + down },
    newest: newest.slice(0, LIVE_ROWS),
  };
}

/** All calls there are; a day ahead, because clocks differ. */
export const everything = (nowMs: number): Scope => scope({ fromMs: 0, toMs: nowMs + DAY_MS });

const scope = (interval: Interval): Scope => ({ project: PROJECT, interval, filter: {} });

async function countIn(tx: Reader, interval: Interval): Promise<DayCount> {
  if (interval.toMs <= interval.fromMs) return { calls: 0, operations: 0, errors: 0, aborted: 0 };
  const slots = await callsOverTime(tx, scope(interval), [interval.fromMs, interval.toMs]);
  const sum = (which: (slot: Slot) => boolean) => slots.filter(which).reduce((calls, slot) => calls + slot.calls, 0);
  return {
    calls: sum(() => true),
    operations: slots.reduce(
      (all, { operations }) => (all === null || operations === null ? null : all + operations),
      0 as number | null,
    ),
    errors: sum(({ outcome }) => ERRORS.includes(outcome)),
    aborted: sum(({ outcome }) => outcome === "client_aborted"),
  };
}

/** The rollup knows the quarter of an hour; the call is looked for in it. */
async function newestUnpricedMs(tx: Reader, models: readonly ModelUse[], week: Interval): Promise<number | null> {
  if (!models.some(({ callsUnpriced }) => callsUnpriced > 0)) return null;
  const fromMs = await newestUnpricedQuarter(tx, PROJECT, week);
  if (fromMs === null) return null;
  const found = { ...scope({ fromMs, toMs: fromMs + QUARTER_MS }), filter: { cost: ["unpriced"] as const } };
  const [id] = await newestIds(tx, found, 1);
  // A call that was booked late stands at a midnight that is not its own time.
  return id ? uuid7Ms(id) : fromMs;
}
