import type { LatencyDimension } from "#db/rollup-latency.ts";
import type { LatencyMetric } from "#lib/latency.ts";
import type { Reader } from "./call-filter.ts";
import type { LatencySource } from "./latency-source.ts";

/** How many calls fell into which bin (`latency_bin` in the migrations). */
export type Histogram = ReadonlyMap<number, number>;

/** How rows of a latency source are put together. */
export interface Grouping {
  /** Columns of time: milliseconds, ascending; null: all is one. */
  edges: readonly number[] | null;
  by: readonly LatencyDimension[];
}

/** From 0: it holds what began in [edges[column], edges[column + 1]). */
export type GroupKey = { column: number } & Partial<Record<LatencyDimension, string>>;

export interface Counted extends GroupKey {
  histograms: Partial<Record<LatencyMetric, Histogram>>;
}

/** The histograms of each group that has any, added up. */
export async function histogramsOf(
  sql: Reader,
  source: LatencySource,
  grouping: Grouping,
  metrics: readonly LatencyMetric[],
): Promise<Counted[]> {
  const { keys, names } = keysOf(sql, grouping);
  const rows = await sql<(GroupKey & Record<LatencyMetric, string | null>)[]>`
    ${source.histograms(keys, names, metrics)}`;
  return rows.map((row) => ({
    ...row,
    histograms: Object.fromEntries(metrics.map((metric) => [metric, readHistograms(row[metric] ?? "")])),
  }));
}

/** SQL: the expressions of a group's key, and their names. */
export const keysOf = (sql: Reader, { edges, by }: Grouping) => ({
  keys: sql`${columnOf(sql, edges)} as "column" ${sql.unsafe(by.map((name) => `, ${name}`).join(""))}`,
  names: [`"column"`, ...by].join(", "),
});

const columnOf = (sql: Reader, edges: readonly number[] | null) =>
  edges
    ? sql`width_bucket(bucket, ${edges.map((edge) => new Date(edge).toISOString())}::timestamptz[]) - 1`
    : sql`0::integer`;

/** One text per group: a key's parts may hold any character. */
export const keyText = (key: GroupKey, by: readonly LatencyDimension[]): string =>
  JSON.stringify([key.column, ...by.map((name) => key[name])]);

const [MINUS, ZERO, NINE, OPEN, CLOSE] = [..."-09{}"].map((sign) => sign.charCodeAt(0)) as [
  number,
  number,
  number,
  number,
  number,
];

/**
 * The sum of histograms that stand one after the other, `("{bins}","{counts}")`; quotes are left out where a list is of less than two.
 * Megabytes are read for one page, so each character is looked at once.
 */
export function readHistograms(text: string): Map<number, number> {
  const sum = new Map<number, number>();
  const bins: number[] = [];
  let isCounts = false;
  let [at, number, sign, hasDigits] = [0, 0, 1, false];
  const end = () => {
    if (!hasDigits) return;
    const value = sign * number;
    if (!isCounts) bins[at++] = value;
    else {
      const bin = bins[at++] as number;
      sum.set(bin, (sum.get(bin) ?? 0) + value);
    }
    [number, sign, hasDigits] = [0, 1, false];
  };
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= ZERO && code <= NINE) {
      number = number * 10 + code - ZERO;
      hasDigits = true;
    } else if (code === MINUS) sign = -1;
    else {
      end();
      if (code === OPEN) at = 0;
      else if (code === CLOSE) isCounts = !isCounts;
    }
  }
  return sum;
}

export function addInto(sum: Map<number, number>, histogram: Histogram | undefined): Map<number, number> {
  for (const [bin, n] of histogram ?? []) sum.set(bin, (sum.get(bin) ?? 0) + n);
  return sum;
}
