import { HEAT_STEPS } from "#app/_charts/latency-heat-colours.ts";
import type { Grid } from "./selection.ts";

/** Width and height of the plot in its own units; the page stretches it. */
export const PLOT = { width: 1000, height: 300 } as const;

/** Empty rows above and below what was seen, so that it does not stick to the frame. */
const MARGIN_ROWS = 2;
const ROWS_MIN = 12;

interface Cell {
  column: number;
  row: number;
  n: number;
}

/** A grid with the rows that are drawn, both included. */
export interface Plot extends Grid {
  rows: readonly [first: number, last: number];
}

/** Rows that hold something, with some air; durations nobody had take no room. */
export function plotOf(grid: Grid, cells: readonly Cell[]): Plot {
  const top = grid.rowEdgesMs.length - 2;
  const seen = cells.map(({ row }) => row);
  let first = Math.max(0, Math.min(top, ...seen) - MARGIN_ROWS);
  let last = Math.min(top, Math.max(0, ...seen) + MARGIN_ROWS);
  while (last - first + 1 < ROWS_MIN && (first > 0 || last < top)) {
    first = Math.max(0, first - 1);
    last = Math.min(top, last + 1);
  }
  return { ...grid, rows: [first, last] };
}

/** From the left edge, linear in time. */
export function xOf({ edges }: Plot, ms: number): number {
  const [start, end] = [edges[0] as number, edges.at(-1) as number];
  return ((ms - start) / (end - start)) * PLOT.width;
}

/** From the top, linear in the logarithm: each row is as high as the next. */
export function yOf({ rowEdgesMs, rows }: Plot, ms: number): number {
  const [low, high] = [rowEdgesMs[rows[0]] as number, rowEdgesMs[rows[1] + 1] as number];
  const share = Math.log(ms / low) / Math.log(high / low);
  return (1 - Math.min(1, Math.max(0, share))) * PLOT.height;
}

/** 1 to HEAT_STEPS by the square root of the count: a cell with one call stays visible beside one with hundreds. */
export const stepOf = (n: number, most: number): number => Math.max(1, Math.ceil(HEAT_STEPS * Math.sqrt(n / most)));

/** One SVG path per step, of all its cells: thousands of cells are seven elements. */
export function heatPaths(plot: Plot, cells: readonly Cell[]): { step: number; path: string }[] {
  const most = Math.max(1, ...cells.map(({ n }) => n));
  const rowHeight = PLOT.height / (plot.rows[1] - plot.rows[0] + 1);
  const bySteps = Map.groupBy(cells, ({ n }) => stepOf(n, most));
  return [...bySteps]
    .map(([step, some]) => ({
      step,
      path: some.map((cell) => rectPath(plot, cell, rowHeight)).join(""),
    }))
    .sort((a, b) => a.step - b.step);
}

function rectPath(plot: Plot, { column, row }: Cell, height: number): string {
  const x = xOf(plot, plot.edges[column] as number);
  const width = xOf(plot, plot.edges[column + 1] as number) - x;
  const y = (plot.rows[1] - row) * height;
  return `M${short(x)} ${short(y)}h${short(width)}v${short(height)}h${short(-width)}z`;
}

/** Which counts each step stands for; steps that no whole number falls into are left out. */
export function legendOf(most: number): { step: number; low: number; high: number }[] {
  const counts = Array.from({ length: HEAT_STEPS }, (_, i) => {
    const step = i + 1;
    const high = Math.floor(most * (step / HEAT_STEPS) ** 2 + 1e-9);
    const low = step === 1 ? 1 : Math.floor(most * ((step - 1) / HEAT_STEPS) ** 2 + 1e-9) + 1;
    return { step, low, high };
  });
  return counts.filter(({ low, high }) => high >= low);
}

/** Lines through known points; a gap where one is not known. A point alone is a dash as wide as its column. */
export function linePath(plot: Plot, points: readonly { fromMs: number; toMs: number; ms: number | null }[]): string {
  let path = "";
  for (const [i, { fromMs, toMs, ms }] of points.entries()) {
    if (ms === null) continue;
    const before = points[i - 1]?.ms ?? null;
    const after = points[i + 1]?.ms ?? null;
    const y = short(yOf(plot, ms));
    const middle = short(xOf(plot, (fromMs + toMs) / 2));
    if (before !== null) path += `L${middle} ${y}`;
    else if (after !== null) path += `M${middle} ${y}`;
    else path += `M${short(xOf(plot, fromMs))} ${y}L${short(xOf(plot, toMs))} ${y}`;
  }
  return path;
}

const short = (value: number): string => String(Number(value.toFixed(2)));
