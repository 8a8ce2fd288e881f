import type { LatencyDimension } from "#db/rollup-latency.ts";
import type { LatencyMetric } from "#lib/latency.ts";
import type { Reader, Scope } from "./call-filter.ts";
import {
  addInto,
  type Counted,
  type Grouping,
  type GroupKey,
  histogramsOf,
  keysOf,
  keyText,
} from "./latency-histograms.ts";
import { type LatencySource, latencySource } from "./latency-source.ts";

/** What db/rollup-latency.ts adds up, in microseconds. */
const SUMS = {
  calls: "calls",
  callsFailed: "calls_failed",
  callsTimed: "calls_timed",
  clientUs: "client_us",
  ownUs: "own_us",
  upstreamUs: "upstream_us",
  paceTokens: "pace_tokens",
  paceUs: "pace_us",
} as const;
const NAMES = Object.keys(SUMS) as (keyof typeof SUMS)[];

export type LatencySums = Record<keyof typeof SUMS, number>;

/** What is known about the calls of a group; a metric that none of them has may be left out of `histograms`. */
export interface LatencyGroup extends LatencySums, Counted {}

/** The calls of a scope by group. Groups without calls are not there. Whatever a page says about them is made of one such reading. */
export async function latencyGroups(
  sql: Reader,
  scope: Scope,
  grouping: Grouping,
  metrics: readonly LatencyMetric[],
): Promise<LatencyGroup[]> {
  const source = await latencySource(sql, scope, grouping.edges?.slice(1, -1));
  const [sums, counted] = await Promise.all([
    sumsOf(sql, source, grouping),
    histogramsOf(sql, source, grouping, metrics),
  ]);
  const found = new Map(counted.map((one) => [keyText(one, grouping.by), one.histograms]));
  return sums.map((one) => ({ ...one, histograms: found.get(keyText(one, grouping.by)) ?? {} }));
}

function sumsOf(sql: Reader, { rows }: LatencySource, grouping: Grouping): Promise<(GroupKey & LatencySums)[]> {
  const { keys, names } = keysOf(sql, grouping);
  const sums = NAMES.map((name) => `sum(${SUMS[name]})::bigint as "${name}"`).join(", ");
  return sql<(GroupKey & LatencySums)[]>`
    select ${sql.unsafe(`${names}, ${sums}`)}
    from (select ${keys}, ${sql.unsafe(Object.values(SUMS).join(", "))} from ${rows} part) keyed
    group by ${sql.unsafe(names)} order by ${sql.unsafe(names)}`;
}

/** The same calls in fewer groups: by fewer dimensions, or in wider columns. In the order of their first part. */
export function regrouped(
  groups: readonly LatencyGroup[],
  by: readonly LatencyDimension[],
  columnOf: (column: number) => number = (column) => column,
): LatencyGroup[] {
  const parts = Map.groupBy(groups, (one) => keyText({ ...one, column: columnOf(one.column) }, by));
  return [...parts.values()].map((same) => {
    const first = same[0] as LatencyGroup;
    const key = Object.fromEntries(by.map((name) => [name, first[name]]));
    return { ...key, column: columnOf(first.column), ...summed(same) };
  });
}

function summed(groups: readonly LatencyGroup[]): LatencySums & Pick<LatencyGroup, "histograms"> {
  const sums = Object.fromEntries(NAMES.map((name) => [name, groups.reduce((sum, one) => sum + one[name], 0)]));
  const metrics = new Set(groups.flatMap(({ histograms }) => Object.keys(histograms) as LatencyMetric[]));
  const histograms = Object.fromEntries(
    [...metrics].map((metric) => [
      metric,
      groups.reduce((sum, one) => addInto(sum, one.histograms[metric]), new Map<number, number>()),
    ]),
  );
  return { ...(sums as LatencySums), histograms };
}
