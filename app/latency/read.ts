import { database } from "#app/_data/database.ts";
import { PROJECT, scopeOf } from "#app/_frame/view.ts";
import type { Reader, Scope } from "#db/queries/call-filter.ts";
import { anyCall } from "#db/queries/calls-page.ts";
import { watermarkMs } from "#db/queries/frame.ts";
import { type Column, columnsOf, type Heatmap, heatmapOf, type Strip, stripsOf } from "#db/queries/latency-page.ts";
import { routesOf } from "#db/queries/latency-routes.ts";
import { slowestOf } from "#db/queries/latency-slowest.ts";
import { snapshot } from "#db/queries/snapshot.ts";
import type { LatencyMetric } from "#lib/latency.ts";
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
  points: Column[];
  /** The latest slow stretch of the metric; others where the duration or our own time says so besides. */
  findings: Finding[];
  watch: Watch;
}

/** Everything the page shows, as of one moment. */
export function readLatency(view: LatencyView) {
  const scope = scopeOf(view);
  const week = weekBefore(view);
  return snapshot(database(), async (tx) => {
    const [any, freshness, strips, stripsBefore] = await Promise.all([
      anyCall(tx, PROJECT),
      watermarkMs(tx),
      stripsOf(tx, scope),
      stripsOf(tx, { ...scope, interval: week }),
    ]);
    const timedBefore = stripsBefore.reduce((sum, { callsTimed }) => sum + callsTimed, 0);
    const [paces, routes, slowest] = await Promise.all([
      Promise.all(
        strips.flatMap((strip) =>
          strip.modality === "" ? [] : [readPace(tx, view, strip, strip.modality, beforeOf(strip, stripsBefore), week)],
        ),
      ),
      routesOf(tx, scope, timedBefore >= USUAL_CALLS_MIN ? week : null, ROUTES_MAX + 1),
      slowestOf(tx, scope, view.metric ?? "duration", SLOWEST_MAX),
    ]);
    return { any: any || strips.length > 0, freshness, strips, paces, routes, slowest };
  });
}

export type Latency = Awaited<ReturnType<typeof readLatency>>;

async function readPace(
  tx: Reader,
  view: LatencyView,
  strip: Strip,
  modality: Modality,
  before: Strip | null,
  week: Interval,
): Promise<Pace> {
  const scope: Scope = { ...scopeOf(view), filter: { ...view.filter, modality: [modality] } };
  const metric = view.metric ?? headlineOf(strip);
  const cells = cellColumns(view);
  const heatmap = await heatmapOf(tx, scope, metric, cells.edges);
  const columns = percentileColumns(view, cells, countsOf(heatmap, cells));
  // Waiting for the first of an answer is what people feel; slow ends and what is our own doing are looked for besides.
  const watched = [...new Set<LatencyMetric>([metric, "duration", "own"])];
  const read = await Promise.all(watched.map((one) => columnsOf(tx, scope, one, columns.edges)));
  const series = watched.map((one, i): Series => ({ modality, metric: one, columns: read[i] ?? [], before }));
  const watches = series.map((one) => watch(one, columns.edges, week));
  return {
    modality,
    strip,
    before,
    metric,
    cells,
    heatmap,
    columns,
    points: read[0] ?? [],
    findings: await explained(tx, scope, view.zone, watches),
    watch: watches[0] as Watch,
  };
}

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

const beforeOf = ({ modality }: Strip, strips: readonly Strip[]): Strip | null =>
  strips.find((one) => one.modality === modality) ?? null;

function countsOf({ cells }: Heatmap, { edges }: Buckets): number[] {
  const counts = edges.slice(1).map(() => 0);
  for (const { column, n } of cells) counts[column] = (counts[column] ?? 0) + n;
  return counts;
}
