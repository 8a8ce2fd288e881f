import { readInParts } from "#app/_data/read-in-parts.ts";
import { PROJECT, scopeOf } from "#app/_frame/view.ts";
import type { Reader, Scope } from "#db/queries/call-filter.ts";
import { anyCall } from "#db/queries/calls-page.ts";
import { watermarkMs } from "#db/queries/frame.ts";
import { type LatencyGroup, latencyGroups, regrouped } from "#db/queries/latency-groups.ts";
import {
  type Column,
  columnsIn,
  columnsOf,
  type Heatmap,
  heatmapIn,
  type Strip,
  stripsIn,
  stripsOf,
} from "#db/queries/latency-page.ts";
import { ROUTE, type Route, routesIn, routesOf } from "#db/queries/latency-routes.ts";
import { type SlowCall, slowestOf } from "#db/queries/latency-slowest.ts";
import { LATENCY_METRICS, type LatencyMetric } from "#lib/latency.ts";
import type { Modality } from "#lib/modalities.ts";
import type { Buckets, Interval } from "#lib/range.ts";
import { cellColumns, finerColumns, isFull, percentileColumns } from "./cuts.ts";
import { type Episode, narrowed } from "./episode.ts";
import { type LatencyView, weekBefore } from "./latency-view.ts";
import { headlineOf } from "./metrics.ts";
import {
  explain,
  type Finding,
  overlap,
  paced,
  type Series,
  type Suspect,
  USUAL_CALLS_MIN,
  type Watch,
  watch,
} from "./verdict.ts";

export const ROUTES_MAX = 30;
export const SLOWEST_MAX = 20;
/** Routes that are asked for the cause of a slow stretch. */
const CAUSES_MAX = 200;

/** One modality, as its section shows it. */
export interface Pace {
  modality: Modality;
  strip: Strip;
  before: Strip | null;
  metric: LatencyMetric;
  cells: Buckets;
  heatmap: Heatmap;
  columns: Buckets;
  /** Of the metric, over `columns`. */
  points: readonly Column[];
  /** The latest slow stretch of the metric; others where the duration or our own time says so besides. */
  findings: Finding[];
  watch: Watch;
}

/** Everything the page shows, as of one moment. */
export function readLatency(view: LatencyView) {
  const readHead = async (tx: Reader) => {
    const [any, freshness] = await Promise.all([anyCall(tx, PROJECT), watermarkMs(tx)]);
    return { any, freshness };
  };
  return readInParts("latency", readHead, (tx) => readFigures(tx, view));
}

/** The rollup is read once by route for now and for the week before, and once by column: everything else is made of these. */
export async function readFigures(tx: Reader, view: LatencyView): Promise<Latency> {
  const scope = scopeOf(view);
  const week = weekBefore(view);
  const byRoute = { edges: null, by: ROUTE };
  const [now, before] = await Promise.all([
    latencyGroups(tx, scope, byRoute, LATENCY_METRICS),
    latencyGroups(tx, { ...scope, interval: week }, byRoute, LATENCY_METRICS),
  ]);
  const [strips, stripsBefore] = [stripsIn(now), stripsIn(before)];
  const timedBefore = stripsBefore.reduce((sum, { callsTimed }) => sum + callsTimed, 0);
  const [paces, slowest] = await Promise.all([
    readPaces(tx, view, strips, stripsBefore, week),
    slowestOf(tx, scope, view.metric ?? "duration", SLOWEST_MAX),
  ]);
  return {
    strips,
    paces,
    routes: routesIn(now, timedBefore >= USUAL_CALLS_MIN ? before : null, ROUTES_MAX + 1),
    slowest,
  };
}

export interface Latency {
  strips: Strip[];
  paces: Pace[];
  routes: Route[];
  slowest: SlowCall[];
}

async function readPaces(
  tx: Reader,
  view: LatencyView,
  strips: readonly Strip[],
  stripsBefore: readonly Strip[],
  week: Interval,
): Promise<Pace[]> {
  const shown = strips.flatMap((strip) => {
    if (strip.modality === "") return [];
    const before = stripsBefore.find(({ modality }) => modality === strip.modality) ?? null;
    return [{ strip, modality: strip.modality, before, metric: view.metric ?? headlineOf(strip) }];
  });
  if (shown.length === 0) return [];
  const scope = scopeOf(view);
  const cells = cellColumns(view);
  // Waiting for the first of an answer is what people feel; slow ends and what is our own doing are looked for besides.
  const metrics = [...new Set<LatencyMetric>([...shown.map(({ metric }) => metric), "duration", "own"])];
  const read = (edges: readonly number[]) => latencyGroups(tx, scope, { edges, by: ["modality"] }, metrics);
  const fine = await read(cells.edges);
  return Promise.all(
    shown.map(async (one): Promise<Pace> => {
      const ofModality = (groups: readonly LatencyGroup[]) =>
        groups.filter(({ modality }) => modality === one.modality);
      const heatmap = heatmapIn(ofModality(fine), one.metric);
      const columns = percentileColumns(view, cells, countsOf(heatmap, cells));
      const isMadeOfCells = columns.edges.every((edge) => cells.edges.includes(edge));
      const wide = isMadeOfCells ? widened(ofModality(fine), cells, columns) : ofModality(await read(columns.edges));
      const watched = [...new Set<LatencyMetric>([one.metric, "duration", "own"])];
      const series = watched.map((metric): Series => ({ ...one, metric, columns: columnsIn(wide, metric) }));
      const watches = series.map((each) => watch(each, columns.edges, week));
      return {
        ...one,
        cells,
        heatmap,
        columns,
        points: series[0]?.columns ?? [],
        findings: await explained(
          tx,
          { ...scope, filter: { ...scope.filter, modality: [one.modality] } },
          view.zone,
          watches,
        ),
        watch: watches[0] as Watch,
      };
    }),
  );
}

const widened = (groups: readonly LatencyGroup[], cells: Buckets, columns: Buckets): LatencyGroup[] =>
  regrouped(groups, ["modality"], (cell) => {
    const fromMs = cells.edges[cell] as number;
    return columns.edges.findLastIndex((edge) => edge <= fromMs);
  });

/** A stretch that shows in two metrics is one: the first one tells it. */
async function explained(tx: Reader, scope: Scope, zone: string, watches: readonly Watch[]): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const one of watches) {
    if (one.state !== "slow" || findings.some(({ episode }) => overlap(episode, one.suspect.episode))) continue;
    const suspect = { ...one.suspect, episode: await narrow(tx, scope, zone, one.suspect) };
    const { fromMs, toMs } = suspect.episode;
    const slow = { ...scope, interval: { fromMs, toMs } };
    const [[during], routes] = await Promise.all([
      stripsOf(tx, slow),
      routesOf(tx, slow, suspect.baseline, CAUSES_MAX),
    ]);
    if (during) findings.push(explain(suspect, during, routes));
  }
  return findings;
}

/** Columns of a long range are wide. The stretch is looked at once more, in the finest columns that have enough calls there. */
async function narrow(tx: Reader, scope: Scope, zone: string, { series, episode, limitMs }: Suspect): Promise<Episode> {
  for (const { edges } of finerColumns(episode, zone)) {
    const columns = await columnsOf(
      tx,
      { ...scope, interval: { fromMs: episode.fromMs, toMs: episode.toMs } },
      series.metric,
      edges,
    );
    if (isFull(columns.map(({ percentiles }) => percentiles.n)))
      return narrowed(episode, paced(columns, edges), limitMs);
  }
  return episode;
}

function countsOf({ cells }: Heatmap, { edges }: Buckets): number[] {
  const counts = edges.slice(1).map(() => 0);
  for (const { column, n } of cells) counts[column] = (counts[column] ?? 0) + n;
  return counts;
}
