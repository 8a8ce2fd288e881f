import { stripColumns } from "#app/calls/strip-columns.ts";
import { cellColumns } from "#app/latency/cuts.ts";
import { spendBuckets } from "#app/spend/spend-view.ts";
import { childrenOfCall } from "#db/queries/call-children.ts";
import { wordsOfSession } from "#db/queries/call-feedback.ts";
import type { CallFilter, Reader, Scope } from "#db/queries/call-filter.ts";
import { optionsOf } from "#db/queries/call-options.ts";
import { attemptsOf, callFacts, linesOfCall, neighboursOf, payloadOf, toolCallsOf } from "#db/queries/call-page.ts";
import {
  anyCall,
  callsOfPage,
  callsOverTime,
  findCall,
  nearestCallMs,
  newestIds,
  roughCount,
} from "#db/queries/calls-page.ts";
import { COMPARABLE_LIMITS, comparableCalls } from "#db/queries/comparable-calls.ts";
import { modelsIn, newestUnpricedQuarter, spentIn } from "#db/queries/home-page.ts";
import { latencyGroups } from "#db/queries/latency-groups.ts";
import { stripsOf } from "#db/queries/latency-page.ts";
import { ROUTE } from "#db/queries/latency-routes.ts";
import { slowestOf } from "#db/queries/latency-slowest.ts";
import { newestComments, ratableOverTime, ratingsByGroup, ratingsOverTime } from "#db/queries/quality-page.ts";
import { relatedCalls } from "#db/queries/related-calls.ts";
import { sessionsCost, sessionsOfPage, sessionTotals } from "#db/queries/session-list.ts";
import { callsOfSession, costOfSession, sessionOf, turnsOf } from "#db/queries/session-view.ts";
import { waitsByGroup, waitsOverTime } from "#db/queries/session-waits.ts";
import { spendOf, spendOptions, unpricedModels } from "#db/queries/spend-page.ts";
import { spendTotal } from "#db/queries/spend-source.ts";
import { lastChangesOf, templatesOfPage } from "#db/queries/templates-page.ts";
import { wasteIn } from "#db/queries/waste.ts";
import { LATENCY_METRICS } from "#lib/latency.ts";
import { cutIntoBuckets } from "#lib/range.ts";

/** What a page is asked for. */
export interface Asked {
  scope: Scope;
  zone: string;
  nowMs: number;
  /** Some call of the range. */
  callId: string;
}

export interface PageQuery {
  /** The page, what it asks, and the filter. */
  name: string;
  /** `rollup`: rollups answer, or an index finds the few rows. `other`: calls have to be read. */
  kind: "rollup" | "other";
  /** Does it ask for the range that the page is of? Else for a time of its own. */
  ranged: boolean;
  filter(common: Common): CallFilter;
  /** Of calls and what belongs to them it looks at so many rows at most, however many there are; left out: at a page of them. */
  rowsMax?: number;
  run(sql: Reader, asked: Asked): Promise<unknown>;
}

/** Values that many calls have: a filter by them leaves much to do. */
export type Common = Record<"environment" | "feature" | "customer" | "template", string>;

const FILTERS = {
  none: () => ({}),
  environment: ({ environment }) => ({ environment: [environment] }),
  feature: ({ feature }) => ({ feature: [feature] }),
  customer: ({ customer }) => ({ customer: [customer] }),
  template: ({ template }) => ({ template: [template] }),
  failed: () => ({ outcome: ["failed"] }),
  completed: () => ({ outcome: ["completed"] }),
  audio: () => ({ modality: ["audio"] }),
  "customer and failed": ({ customer }) => ({ customer: [customer], outcome: ["failed"] }),
  "customer and feature": ({ customer, feature }) => ({ customer: [customer], feature: [feature] }),
  "customer and template": ({ customer, template }) => ({ customer: [customer], template: [template] }),
} as const satisfies Record<string, (common: Common) => CallFilter>;
type FilterName = keyof typeof FILTERS;

const LATENCY_OTHER: readonly FilterName[] = ["customer", "template", "completed", "customer and template"];

type Run = PageQuery["run"];

const QUARTER_MS = 900_000;
const DAY_MS = 86_400_000;
const EVER = { fromMs: 0, toMs: Date.UTC(2100, 0) };

/** Every query of the pages that grows with the calls that are stored; `served`: filters that rollups answer. */
export const PAGE_QUERIES: readonly PageQuery[] = [
  ...once("home: newest calls", (sql, { scope }) => callsOfPage(sql, { ...scope, interval: EVER }, null, 20)),
  ...once("home: spent this month", (sql, { scope, nowMs }) => {
    const now = new Date(nowMs);
    return spentIn(sql, scope.project, {
      fromMs: Date.UTC(now.getUTCFullYear(), now.getUTCMonth()),
      toMs: quarterEnd(nowMs),
    });
  }),
  ...once("home: models of the week", (sql, { scope, nowMs }) => modelsIn(sql, scope.project, weekUpTo(nowMs), 1000)),
  ...once("home: newest unpriced call", (sql, { scope, nowMs }) =>
    newestUnpricedQuarter(sql, scope.project, weekUpTo(nowMs)),
  ),
  ...once("home: calls of the week", (sql, { scope, nowMs }) => {
    const week = weekUpTo(nowMs);
    return callsOverTime(sql, { ...scope, interval: week }, [week.fromMs, week.toMs]);
  }),
  ...once("home: latency of the hour", (sql, { scope, nowMs }) =>
    stripsOf(sql, { ...scope, interval: { fromMs: nowMs - 3_600_000, toMs: quarterEnd(nowMs) } }),
  ),

  ...once("home: thumbs of the week", (sql, { scope, nowMs }) => {
    const week = weekUpTo(nowMs);
    return ratingsOverTime(sql, { ...scope, interval: week }, [week.fromMs, week.toMs]);
  }),

  ...ranged(
    "calls: rows",
    { served: ["none", "environment", "feature", "customer"], other: ["failed", "template"] },
    (sql, { scope }) => callsOfPage(sql, scope, null, 50),
  ),
  ...ranged(
    "calls: over time",
    {
      served: ["none", "feature", "failed"],
      other: ["customer", "template", "audio", "customer and failed", "customer and feature", "customer and template"],
    },
    (sql, asked) => callsOverTime(sql, asked.scope, stripColumns({ ...asked.scope, zone: asked.zone }).edges),
  ),
  ...ranged("calls: money", { served: ["none", "feature", "customer"], other: ["failed"] }, (sql, { scope }) =>
    spendTotal(sql, scope, true),
  ),
  ...ranged("spend: waste", { served: ["none", "feature"], other: ["customer"] }, (sql, { scope }) =>
    wasteIn(sql, scope),
  ),
  ...ranged("calls: about how many", { served: ["none"], other: [] }, (sql, { scope }) => roughCount(sql, scope)),
  ...ranged("calls: newest ids", { served: ["none", "customer"], other: ["template"] }, (sql, { scope }) =>
    newestIds(sql, scope, 50),
  ),
  ...ranged(
    "calls: filter menu",
    { served: ["none", "feature"], other: ["customer", "audio", "customer and feature"] },
    (sql, { scope }) => optionsOf(sql, scope, "model", 20),
  ),
  ...ranged("calls: nearest call", { served: ["feature", "customer"], other: ["template"] }, (sql, { scope }) =>
    nearestCallMs(sql, scope),
  ),
  ...once("calls: any", (sql, { scope }) => anyCall(sql, scope.project)),
  ...once(
    "calls: find",
    (sql, { scope, nowMs }) => findCall(sql, scope.project, ["openai"], "req_nobody_knows", nowMs - DAY_MS),
    { kind: "other" },
  ),

  ...once("call: everything known about it", async (sql, { scope, callId }) => {
    const call = await callFacts(sql, scope.project, callId);
    await Promise.all([linesOfCall(sql, callId), toolCallsOf(sql, callId), payloadOf(sql, callId)]);
    return call && attemptsOf(sql, scope.project, call, 50);
  }),
  ...once("call: neighbours", (sql, { scope, callId }) => neighboursOf(sql, scope.project, callId, scope.filter)),
  ...once(
    "call: comparable calls",
    async (sql, { scope, callId }) => {
      const call = await callFacts(sql, scope.project, callId);
      return call && comparableCalls(sql, scope.project, call);
    },
    { rowsMax: COMPARABLE_LIMITS.looked + 1 },
  ),

  ...once("call: of the same conversation", async (sql, { scope, callId }) => {
    const call = await callFacts(sql, scope.project, callId);
    return call && relatedCalls(sql, call);
  }),

  ...ranged("sessions: rows", { served: ["none"], other: ["feature", "customer"] }, (sql, { scope }) =>
    sessionsOfPage(sql, scope, null, 20),
  ),
  ...ranged("sessions: totals", { served: [], other: ["none", "feature"] }, (sql, { scope }) =>
    sessionTotals(sql, scope),
  ),
  ...ranged("sessions: cost", { served: [], other: ["none", "feature"] }, (sql, { scope }) =>
    sessionsCost(sql, scope, 5000),
  ),
  ...ranged("sessions: waits", { served: [], other: ["none", "feature"] }, async (sql, { scope, zone }) => {
    await waitsByGroup(sql, scope, 12);
    return waitsOverTime(sql, scope, cutIntoBuckets(scope.interval, zone, 72).edges);
  }),
  ...once("call: what came out of it", (sql, { scope, callId }) => childrenOfCall(sql, scope.project, callId)),
  ...once("session: everything known about it", async (sql, { scope }) => {
    const [newest] = await sessionsOfPage(sql, scope, null, 1);
    if (!newest) return null;
    await Promise.all([
      sessionOf(sql, scope.project, newest.id),
      wordsOfSession(sql, scope.project, { session: "booth-7", callIds: [newest.id] }),
      turnsOf(sql, newest.id, 50),
      callsOfSession(sql, scope.project, newest.id, 50),
    ]);
    return costOfSession(sql, scope.project, newest.id);
  }),

  ...(["feature", "customer", "version", "model"] as const).flatMap((grouping) =>
    ranged(`spend: by ${grouping}`, { served: ["none", "environment", "feature"], other: [] }, spendBy(grouping)),
  ),
  ...ranged("spend: by feature", { served: ["customer", "template"], other: ["failed"] }, spendBy("feature")),
  ...ranged("spend: models without a price", { served: ["none"], other: [] }, (sql, { scope }) =>
    unpricedModels(sql, scope, 3),
  ),
  ...ranged("spend: filter menu", { served: ["none", "feature"], other: [] }, (sql, { scope }) =>
    spendOptions(sql, scope, "customer", 20),
  ),

  ...ranged("templates: table", { served: ["none", "feature"], other: ["failed"] }, (sql, { scope }) =>
    templatesOfPage(sql, scope, "cost", 200, 20),
  ),
  ...once("templates: newest versions", (sql, { scope }) =>
    lastChangesOf(sql, scope.project, [scope.filter.template?.[0] ?? "support_reply"]),
  ),

  ...ranged("latency: by route", { served: ["none", "feature"], other: LATENCY_OTHER }, (sql, { scope }) =>
    latencyGroups(sql, scope, { edges: null, by: ROUTE }, LATENCY_METRICS),
  ),
  ...ranged("latency: by column", { served: ["none", "feature"], other: LATENCY_OTHER }, (sql, asked) => {
    const { edges } = cellColumns({ interval: asked.scope.interval, zone: asked.zone });
    return latencyGroups(sql, asked.scope, { edges, by: ["modality"] }, ["first_token", "duration", "own"]);
  }),
  ...ranged("latency: slowest calls", { served: ["none", "feature"], other: LATENCY_OTHER }, (sql, { scope }) =>
    slowestOf(sql, scope, "duration", 20),
  ),

  ...ranged("quality: over time", { served: ["none", "feature"], other: [] }, (sql, asked) =>
    ratingsOverTime(sql, asked.scope, spendBuckets({ interval: asked.scope.interval, zone: asked.zone }).edges),
  ),
  ...ranged("quality: could be rated", { served: ["none", "feature"], other: [] }, (sql, asked) =>
    ratableOverTime(sql, asked.scope, spendBuckets({ interval: asked.scope.interval, zone: asked.zone }).edges),
  ),
  ...ranged("quality: by feature", { served: ["none", "feature"], other: [] }, (sql, { scope }) =>
    ratingsByGroup(sql, scope, "feature", 200),
  ),
  ...ranged("quality: by version", { served: [], other: ["none"] }, (sql, { scope }) =>
    ratingsByGroup(sql, scope, "version", 200),
  ),
  ...ranged("quality: comments", { served: ["none", "feature"], other: [] }, (sql, { scope }) =>
    newestComments(sql, scope, 50),
  ),
];

function spendBy(grouping: Parameters<typeof spendOf>[2]): Run {
  return (sql, { scope, zone }) => {
    const { edges } = spendBuckets({ interval: scope.interval, zone });
    return spendOf(sql, scope, grouping, edges, { rows: 200, series: 8 });
  };
}

function once(name: string, run: Run, differs: Partial<PageQuery> = {}): PageQuery[] {
  return [{ name, kind: "rollup", ranged: false, filter: FILTERS.none, run, ...differs }];
}

function ranged(name: string, { served, other }: Record<"served" | "other", readonly FilterName[]>, run: Run) {
  const of =
    (kind: PageQuery["kind"]) =>
    (filter: FilterName): PageQuery => ({
      name: filter === "none" ? name : `${name}, filter ${filter}`,
      kind,
      ranged: true,
      filter: FILTERS[filter],
      run,
    });
  return [...served.map(of("rollup")), ...other.map(of("other"))];
}

const quarterEnd = (ms: number) => Math.ceil(ms / QUARTER_MS) * QUARTER_MS;
const weekUpTo = (nowMs: number) => {
  const toMs = quarterEnd(nowMs);
  return { fromMs: toMs - 7 * DAY_MS, toMs };
};
