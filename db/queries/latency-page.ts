import { edgeMs, LATENCY_METRICS, type LatencyMetric } from "#lib/latency.ts";
import type { Modality } from "#lib/modalities.ts";
import type { Reader, Scope } from "./call-filter.ts";
import { type LatencyGroup, latencyGroups, regrouped } from "./latency-groups.ts";
import { type EnoughCalls, type Percentiles, percentilesOf } from "./latency-percentiles.ts";
import { type Counts, countsOf, ENOUGH, type Means, meansOf, type Speed, speedOf } from "./latency-sums.ts";

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
  return stripsIn(await latencyGroups(sql, scope, { edges: null, by: ["modality"] }, LATENCY_METRICS));
}

/** The same, of groups that are told apart by modality at least and know every metric. */
export function stripsIn(groups: readonly LatencyGroup[]): Strip[] {
  const strips = regrouped(groups, ["modality"], () => 0).map((group): Strip => {
    const percentiles = LATENCY_METRICS.map((metric) => [metric, percentilesOf(group.histograms[metric], ENOUGH)]);
    return {
      modality: modalityOf(group),
      ...countsOf(group),
      ...meansOf(group),
      ...speedOf(group),
      percentiles: Object.fromEntries(percentiles) as Strip["percentiles"],
    };
  });
  return strips.sort((a, b) => b.calls - a.calls || (a.modality < b.modality ? -1 : 1));
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
  return columnsIn(await latencyGroups(sql, scope, { edges, by: ["modality"] }, [metric]), metric);
}

/** The same, of groups by modality that know the metric. */
export const columnsIn = (groups: readonly LatencyGroup[], metric: LatencyMetric): Column[] =>
  groups.map((group) => ({
    column: group.column,
    modality: modalityOf(group),
    ...countsOf(group),
    ...meansOf(group),
    percentiles: percentilesOf(group.histograms[metric], ENOUGH_IN_COLUMN),
  }));

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

/** Rows are quarters of a doubling, nine bins: from 45 ms to 131 s, and for what is our own from 1/16 ms. */
const ROWS = { usual: { from: 22, to: 68 }, own: { from: -16, to: 68 } };
const BINS_IN_ROW = 9;

/**
 * How many calls took how long, when, of groups by column and modality that know the metric. A cell is exactly the calls that the
 * filter `latency` finds with the row's edges (lib/latency.ts; the first row's lower edge and the last row's upper edge left out) in
 * the column's time, of its modality.
 */
export function heatmapIn(groups: readonly LatencyGroup[], metric: LatencyMetric): Heatmap {
  const { from, to } = metric === "own" ? ROWS.own : ROWS.usual;
  const cells: Heatmap["cells"] = [];
  let [below, above] = [0, 0];
  for (const group of groups) {
    const inRow = new Map<number, number>();
    for (const [bin, n] of group.histograms[metric] ?? []) {
      const row = Math.floor(bin / BINS_IN_ROW);
      const shown = Math.min(Math.max(row, from), to - 1) - from;
      inRow.set(shown, (inRow.get(shown) ?? 0) + n);
      if (row < from) below += n;
      if (row >= to) above += n;
    }
    for (const [row, n] of [...inRow].sort(([a], [b]) => a - b))
      cells.push({ modality: modalityOf(group), column: group.column, row, n });
  }
  return {
    rowEdgesMs: Array.from({ length: to - from }, (_, row) => edgeMs(from + row)),
    topMs: edgeMs(to),
    cells,
    below,
    above,
  };
}

/** As `call_modality` in the migrations gives it. */
const modalityOf = (group: LatencyGroup) => (group.modality ?? "") as Modality | "";
