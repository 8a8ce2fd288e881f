import { readInParts } from "#app/_data/read-in-parts.ts";
import { PROJECT, scopeOf, type View } from "#app/_frame/view.ts";
import type { Reader, Scope } from "#db/queries/call-filter.ts";
import { anyCall } from "#db/queries/calls-page.ts";
import { watermarkMs } from "#db/queries/frame.ts";
import { callsOnSide, changesInRange, ratingsAroundChanges } from "#db/queries/quality-changes.ts";
import {
  anyRating,
  type Grouping,
  newestComments,
  ratableOverTime,
  ratingsByGroup,
  ratingsOverTime,
  waitingFeedback,
} from "#db/queries/quality-page.ts";
import { type Buckets, cutIntoBuckets } from "#lib/range.ts";
import { judgeChanges } from "./judge-changes.ts";

const DAY_MS = 86_400_000;
export const GROUPS_MAX = 200;
export const COMMENTS_MAX = 20;
export const CHANGES_MAX = 20;
/** Calls on each side of a change whose cost and duration are compared. */
export const NEAREST_CALLS = 2000;

/** What was said in a stretch of time, and about how much. */
export interface Said {
  up: number;
  down: number;
  ratedCalls: number;
  ratableCalls: number;
  corrections: number;
}

export interface SaidOnDay extends Said {
  fromMs: number;
  toMs: number;
}

/** Everything the page shows, as of one moment: whether there is anything, then the figures. */
export function readQuality(view: View, grouping: Grouping) {
  const scope = scopeOf(view);
  const buckets = cutIntoBuckets(view.interval, view.zone, 200, DAY_MS);
  const before = periodBefore(view);
  const readHead = async (tx: Reader) => {
    const rated = await anyRating(tx, PROJECT);
    return { anyRating: rated, anyCall: rated || (await anyCall(tx, PROJECT)), freshness: await watermarkMs(tx) };
  };
  return readInParts("quality", readHead, async (tx) => {
    const days = await saidPerBucket(tx, scope, buckets);
    const [saidBefore] = await saidPerBucket(
      tx,
      { ...scope, interval: before },
      { ...buckets, edges: [before.fromMs, before.toMs] },
    );
    const total = days.reduce((sum, day) => added(sum, day), NOTHING);
    const found = await changesInRange(tx, scope, view.nowMs, CHANGES_MAX);
    const changes = found.slice(0, CHANGES_MAX);
    return {
      days,
      width: buckets.width.name,
      total,
      before: { ...(saidBefore ?? NOTHING), ...before },
      groups: await ratingsByGroup(tx, scope, grouping, GROUPS_MAX),
      changes: judgeChanges(
        changes,
        await ratingsAroundChanges(tx, scope, changes),
        await Promise.all(
          changes.map(async (change) => ({
            before: await callsOnSide(tx, scope, change, "before", NEAREST_CALLS),
            after: await callsOnSide(tx, scope, change, "after", NEAREST_CALLS),
          })),
        ),
      ),
      moreChanges: found.length > CHANGES_MAX,
      waiting: await waitingFeedback(tx, PROJECT),
      comments: await newestComments(tx, scope, COMMENTS_MAX),
    };
  });
}

type Outcome = Awaited<Awaited<ReturnType<typeof readQuality>>["rest"]["outcome"]>;
export type Quality = Extract<Outcome, { value: unknown }>["value"];

/** As long as what has passed of the range, directly before it. */
function periodBefore({ interval: { fromMs, toMs }, nowMs }: View) {
  const length = Math.max(Math.min(toMs, nowMs), fromMs + 1) - fromMs;
  return { fromMs: fromMs - length, toMs: fromMs };
}

async function saidPerBucket(tx: Reader, scope: Scope, { edges }: Buckets): Promise<SaidOnDay[]> {
  const said = new Map((await ratingsOverTime(tx, scope, edges)).map((row) => [row.slot, row]));
  const possible = new Map((await ratableOverTime(tx, scope, edges)).map((row) => [row.slot, row.calls]));
  return edges.slice(0, -1).map((fromMs, i) => {
    const { up = 0, down = 0, ratedCalls = 0, corrections = 0 } = said.get(i + 1) ?? {};
    const ratableCalls = possible.get(i + 1) ?? 0;
    return { fromMs, toMs: edges[i + 1] ?? fromMs, up, down, ratedCalls, corrections, ratableCalls };
  });
}

const NOTHING: Said = { up: 0, down: 0, ratedCalls: 0, ratableCalls: 0, corrections: 0 };

const added = (a: Said, b: Said): Said => ({
  up: a.up + b.up,
  down: a.down + b.down,
  ratedCalls: a.ratedCalls + b.ratedCalls,
  ratableCalls: a.ratableCalls + b.ratableCalls,
  corrections: a.corrections + b.corrections,
});
