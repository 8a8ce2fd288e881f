import { readInParts } from "#app/_data/read-in-parts.ts";
import { PROJECT, scopeOf, type View } from "#app/_frame/view.ts";
import { weekBefore } from "#app/latency/latency-view.ts";
import type { Reader } from "#db/queries/call-filter.ts";
import { watermarkMs } from "#db/queries/frame.ts";
import { anySession, sessionsCost, sessionsOfPage, sessionTotals } from "#db/queries/session-list.ts";
import { waitsByGroup, waitsOverTime } from "#db/queries/session-waits.ts";
import { type Buckets, cutIntoBuckets } from "#lib/range.ts";

export const PAGE_ROWS = 50;
/** Whose calls are added up one by one. */
export const COST_SESSIONS_MAX = 5000;
export const GROUPS_MAX = 12;
/** Among them are those of this range, as far as they were there. */
const GROUPS_BEFORE_MAX = 100;
/** A stretch of the chart should hold so many turns, as far as the range allows. */
const SLOT_TURNS = 30;
const SLOTS = { least: 8, most: 72 } as const;

export type FoundSessions = Awaited<ReturnType<typeof readFigures>>;

/** Everything that the list shows, as of one moment. Figures are of raw sessions and turns: of a long range they may come later. */
export function readSessions(view: View) {
  const readHead = async (tx: Reader) => {
    const [any, freshness] = await Promise.all([anySession(tx, PROJECT), watermarkMs(tx)]);
    return { any, freshness };
  };
  return readInParts("sessions", readHead, (tx) => readFigures(tx, view));
}

async function readFigures(tx: Reader, view: View) {
  const scope = scopeOf(view);
  const [found, totals, cost, groups, before] = await Promise.all([
    sessionsOfPage(tx, scope, view.cursor, PAGE_ROWS),
    sessionTotals(tx, scope),
    sessionsCost(tx, scope, COST_SESSIONS_MAX),
    waitsByGroup(tx, scope, GROUPS_MAX + 1),
    waitsByGroup(tx, { ...scope, interval: weekBefore(view) }, GROUPS_BEFORE_MAX),
  ]);
  const buckets = bucketsFor(view, totals.waits.n);
  const over = totals.waits.n === 0 ? [] : await waitsOverTime(tx, scope, buckets.edges);
  return { rows: pageOf(found, view), totals, cost, waits: { groups, before, over, buckets } };
}

function bucketsFor({ interval, zone }: View, turns: number): Buckets {
  const most = Math.min(SLOTS.most, Math.max(SLOTS.least, Math.round(turns / SLOT_TURNS)));
  return cutIntoBuckets(interval, zone, most);
}

/** One row more than a page holds says that there are more. */
function pageOf(found: Awaited<ReturnType<typeof sessionsOfPage>>, { cursor }: View) {
  const more = found.length > PAGE_ROWS;
  if (cursor && "after" in cursor) return { shown: more ? found.slice(1) : found, newer: more, older: true };
  return { shown: found.slice(0, PAGE_ROWS), newer: cursor !== null, older: more };
}
