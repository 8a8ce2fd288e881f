import type { Modality } from "#lib/modalities.ts";
import { type Interval, parseRange, resolveRange } from "#lib/range.ts";

/** A rectangle on a heatmap as the address holds it: `sel=<from>..<to>,<min>..<max>`, and whose heatmap: `,audio`. */
export interface Selection extends Interval {
  /** Milliseconds; null: no bound. */
  lowMs: number | null;
  highMs: number | null;
  /** Whose heatmap; null: the only one, or the first. */
  modality: Modality | null;
}

/** Cells of a heatmap: both ends are part of it. Rows count upwards. */
export interface Rectangle {
  columns: readonly [first: number, last: number];
  rows: readonly [first: number, last: number];
}

/** A heatmap's grid: moments between its columns, milliseconds between its rows. Its outer rows hold what lies beyond, too. */
export interface Grid {
  edges: readonly number[];
  rowEdgesMs: readonly number[];
}

/** null: not a selection. Times without a zone are the page's. */
export function parseSelection(text: string, zone: string, modalities: readonly Modality[]): Selection | null {
  const [times = "", bounds = "", name, more] = text.split(",");
  const range = parseRange(times);
  const interval = range?.kind === "between" ? resolveRange(range, zone, 0) : null;
  const found = /^(\d{0,9}(?:\.\d{0,9})?)\.\.(\d{0,9}(?:\.\d{0,9})?)$/.exec(bounds);
  const modality = modalities.find((one) => one === name) ?? null;
  if (!interval || !found || more !== undefined || (name !== undefined && modality === null)) return null;
  const [lowMs, highMs] = [bound(found[1]), bound(found[2])];
  if (lowMs !== null && highMs !== null && highMs <= lowMs) return null;
  return { ...interval, lowMs, highMs, modality };
}

export function formatSelection({ fromMs, toMs, lowMs, highMs, modality }: Selection): string {
  const iso = (ms: number) => new Date(ms).toISOString().replace(/(?::00)?\.000Z$/, "Z");
  const text = `${iso(fromMs)}..${iso(toMs)},${boundText(lowMs)}..${boundText(highMs)}`;
  return modality ? `${text},${modality}` : text;
}

/** The cells that a selection means: its bounds moved to the nearest edges. null: it lies outside. */
export function snapped({ edges, rowEdgesMs }: Grid, selection: Selection): Rectangle | null {
  const [start, end] = [edges[0] ?? 0, edges.at(-1) ?? 0];
  if (selection.toMs <= start || selection.fromMs >= end) return null;
  const columns = between(edges, selection.fromMs, selection.toMs, (ms) => ms);
  const rows = between(
    rowEdgesMs,
    selection.lowMs ?? (rowEdgesMs[0] as number),
    selection.highMs ?? (rowEdgesMs.at(-1) as number),
    Math.log,
  );
  return { columns, rows };
}

/** A rectangle's bounds. The outer rows have no outer bound: they hold what lies beyond the scale. */
export function selectionOf({ edges, rowEdgesMs }: Grid, rectangle: Rectangle, modality: Modality | null): Selection {
  const { columns, rows } = rectangle;
  return {
    fromMs: edges[columns[0]] as number,
    toMs: edges[columns[1] + 1] as number,
    lowMs: rows[0] === 0 ? null : (rowEdgesMs[rows[0]] as number),
    highMs: rows[1] >= rowEdgesMs.length - 2 ? null : (rowEdgesMs[rows[1] + 1] as number),
    modality,
  };
}

/** How many calls the cells of a rectangle hold. */
export function countIn(cells: readonly { column: number; row: number; n: number }[], rectangle: Rectangle): number {
  const { columns, rows } = rectangle;
  return cells.reduce(
    (sum, { column, row, n }) =>
      column >= columns[0] && column <= columns[1] && row >= rows[0] && row <= rows[1] ? sum + n : sum,
    0,
  );
}

/** Edges are powers of a fourth root of two: five digits tell them apart, and are read back as the same edge. */
export const boundText = (ms: number | null): string => (ms === null ? "" : String(Number(ms.toPrecision(5))));

const bound = (text: string | undefined): number | null => (text ? Number(text) : null);

/** First and last cell between the edges nearest to two values; where these are the same edge, the cell that holds the middle. */
function between(
  edges: readonly number[],
  low: number,
  high: number,
  scale: (value: number) => number,
): [first: number, last: number] {
  const cells = edges.length - 1;
  const nearest = (value: number) =>
    edges.reduce(
      (best, edge, i) =>
        Math.abs(scale(edge) - scale(value)) < Math.abs(scale(edges[best] as number) - scale(value)) ? i : best,
      0,
    );
  const [from, to] = [nearest(low), nearest(high)];
  if (to > from) return [from, to - 1];
  const middle = (scale(low) + scale(high)) / 2;
  const holds = edges.findLastIndex((edge) => scale(edge) <= middle);
  const one = Math.min(Math.max(holds, 0), cells - 1);
  return [one, one];
}
