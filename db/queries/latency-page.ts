import { edgeMs, LATENCY_METRICS, type LatencyMetric } from "#lib/latency.ts";
import type { Modality } from "#lib/modalities.ts";
import type { Reader, Scope } from "./call-filter.ts";
import {
  type EnoughCalls,
  type PercentileBins,
  type Percentiles,
  percentileBins,
  percentilesOf,
} from "./latency-percentiles.ts";
import { latencySource } from "./latency-source.ts";
import { type Counts, ENOUGH, latencySums, type Means, type Speed } from "./latency-sums.ts";

/** A column of a chart is read with its neighbours: less is enough. */
const ENOUGH_IN_COLUMN: EnoughCalls = { p50: 5, p95: 20, p99: 100 };

export interface Strip extends Counts, Means, Speed {
  /** '': nothing known went in or out. */
  modality: Modality | "";
  /** n of a metric is below `callsTimed` where calls lack it: those not streamed have no first token. */
  percentiles: Record<LatencyMetric, Percentiles>;
}

/** Per modality, most calls first. */
export async function stripsOf(sql: Reader, scope: Scope): Promise<Strip[]> {
  const { rows, binsOf } = await latencySource(sql, scope);
  const sums = await sql<Omit<Strip, "percentiles">[]>`
    select modality, ${latencySums(sql, { speed: true })} from ${rows} part group by modality order by sum(calls) desc, modality`;
  const bins = await sql<(PercentileBins & { modality: string; metric: LatencyMetric })[]>`
    ${percentileBins(sql, "modality, metric", binsOf(LATENCY_METRICS))}`;
  return sums.map((one) => {
    const of = (metric: LatencyMetric) =>
      percentilesOf(
        bins.find((bin) => bin.modality === one.modality && bin.metric === metric),
        ENOUGH,
      );
    const percentiles = Object.fromEntries(LATENCY_METRICS.map((metric) => [metric, of(metric)]));
    return { ...one, percentiles: percentiles as Strip["percentiles"] };
  });
}

export interface Column extends Counts, Means {
  /** From 0: it holds what began in [edges[column], edges[column + 1]). Columns without calls are not there. */
  column: number;
  modality: Modality | "";
  /** Of the metric asked for. A column is read with its neighbours: p50 from 5 calls on, p95 from 20, p99 from 100. */
  percentiles: Percentiles;
}

/** Over time, per modality. `edges`: milliseconds, ascending, from the start of the interval to its end (lib/range.ts, cutIntoBuckets). */
export async function columnsOf(
  sql: Reader,
  scope: Scope,
  metric: LatencyMetric,
  edges: readonly number[],
): Promise<Column[]> {
  const { rows, binsOf } = await latencySource(sql, scope, edges.slice(1, -1));
  const column = columnOf(sql, edges);
  const sums = await sql<Omit<Column, "percentiles">[]>`
    select ${column} as "column", modality, ${latencySums(sql, { speed: false })} from ${rows} part group by 1, 2 order by 1, 2`;
  const bins = await sql<(PercentileBins & { column: number; modality: string })[]>`
    ${percentileBins(sql, `"column", modality`, sql`(select ${column} as "column", modality, bin, n from ${binsOf([metric])} part)`)}`;
  const found = new Map(bins.map((one) => [`${one.column} ${one.modality}`, one]));
  return sums.map((one) => ({
    ...one,
    percentiles: percentilesOf(found.get(`${one.column} ${one.modality}`), ENOUGH_IN_COLUMN),
  }));
}

export interface Heatmap {
  /** Lower edges in ms of each row, ascending: row k holds [rowEdgesMs[k], rowEdgesMs[k + 1]), the last one all from its edge on. */
  rowEdgesMs: number[];
  /** Where the last row would end if it did not hold all above as well. */
  topMs: number;
  /** `column` as in `Column`. Empty cells are not there; the others sum to the timed calls that have the metric. */
  cells: { modality: Modality | ""; column: number; row: number; n: number }[];
  /** Calls in the first row that are below its edge, and in the last row that are at or above `topMs`. */
  below: number;
  above: number;
}

/** Rows are quarters of a doubling: from 45 ms to 131 s, and for what is our own from 1/16 ms. */
const ROWS = { usual: { from: 22, to: 68 }, own: { from: -16, to: 68 } };

/**
 * How many calls took how long, when. A cell is exactly the calls that the filter `latency` finds with the row's edges (lib/latency.ts;
 * the first row's lower edge and the last row's upper edge left out) in the column's time, of its modality.
 */
export async function heatmapOf(
  sql: Reader,
  scope: Scope,
  metric: LatencyMetric,
  edges: readonly number[],
): Promise<Heatmap> {
  const { binsOf } = await latencySource(sql, scope, edges.slice(1, -1));
  const { from, to } = metric === "own" ? ROWS.own : ROWS.usual;
  const cells = await sql<(Heatmap["cells"][number] & { below: number; above: number })[]>`
    select
      modality, ${columnOf(sql, edges)} as "column",
      least(greatest(floor(bin / 9.0::float8)::integer, ${from}::integer), ${to - 1}::integer) - ${from}::integer as "row",
      sum(n)::bigint as n, coalesce(sum(n) filter (where bin < ${from * 9}::integer), 0)::bigint as below,
      coalesce(sum(n) filter (where bin >= ${to * 9}::integer), 0)::bigint as above
    from ${binsOf([metric])} part
    group by 1, 2, 3 order by 1, 2, 3`;
  return {
    rowEdgesMs: Array.from({ length: to - from }, (_, row) => edgeMs(from + row)),
    topMs: edgeMs(to),
    cells: cells.map(({ below: _, above: __, ...cell }) => cell),
    below: cells.reduce((sum, cell) => sum + cell.below, 0),
    above: cells.reduce((sum, cell) => sum + cell.above, 0),
  };
}

const columnOf = (sql: Reader, edges: readonly number[]) =>
  sql`width_bucket(bucket, ${edges.map((edge) => new Date(edge).toISOString())}::timestamptz[]) - 1`;
