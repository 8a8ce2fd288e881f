import type { PendingQuery, Row } from "postgres";
import {
  LATENCY_ADDENDS,
  LATENCY_DIMENSIONS,
  LATENCY_KEYS,
  LATENCY_SUMS,
  type LatencyDimension,
  metricBin,
} from "#db/rollup-latency.ts";
import { OTHER } from "#db/rollup-limit.ts";
import type { LatencyMetric } from "#lib/latency.ts";
import type { Interval } from "#lib/range.ts";
import { type AttributedParts, attributedParts, ofDays } from "./attributed-days.ts";
import { type CallFilter, inScope, type Reader, type Scope } from "./call-filter.ts";
import { foldedStretches, type Stretches } from "./folded-days.ts";
import { unionAll } from "./union-all.ts";

export const QUARTER_MS = 900_000;

export interface LatencySource {
  /**
   * A derived table, in parentheses: rows with `bucket` (the moment a call began, or its quarter of an hour or UTC day), the dimensions
   * ('' = none given, '(other)' = beyond the limit of values) and the sums of db/rollup-latency.ts.
   */
  rows: PendingQuery<Row[]>;
  /**
   * SQL: per value of `keys` (expressions over `bucket` and the dimensions, with their `names`) the histograms of each metric, in its
   * column: one after the other as Postgres writes them, `("{bins}","{counts}")`. They are added up by who reads them
   * (latency-histograms.ts): in SQL, where each bin is a row, that takes several times as long.
   */
  histograms(keys: PendingQuery<Row[]>, names: string, metrics: readonly LatencyMetric[]): PendingQuery<Row[]>;
  /** `calls`: computed from the calls themselves, because no rollup can answer; slower. `days`: from UTC days, and the rest from calls. */
  from: "rollup" | "days" | "calls";
}

/**
 * How long the calls of a scope took. Every figure about latency is made of these rows, whichever way they are read: whole
 * quarters of an hour come from the rollup (whole UTC days at once), the ends of the range and what the rollup cannot tell apart
 * from calls, or, where UTC days suffice, from all calls of a day by everything that is filtered by (db/fold-attributed.ts). `edges`: at which the reader tells time apart; a day with one inside is read by quarters, and between quarters only
 * calls can tell. null: it tells every quarter apart.
 */
export async function latencySource(
  sql: Reader,
  scope: Scope,
  edges: readonly number[] | null = [],
): Promise<LatencySource> {
  const { fromMs, toMs } = scope.interval;
  const wholeFromMs = Math.ceil(fromMs / QUARTER_MS) * QUARTER_MS;
  const wholeToMs = Math.floor(toMs / QUARTER_MS) * QUARTER_MS;
  const within = (from: number, to: number) => ({ ...scope, interval: { fromMs: from, toMs: to } });
  const fromCalls: LatencySource = {
    rows: sql`(${callRows(sql, scope)})`,
    histograms: (keys, names, metrics) => countedCalls(sql, scope, keys, names, metrics),
    from: "calls",
  };
  const isServed =
    wholeFromMs < wholeToMs && isKept(scope.filter) && (edges ?? []).every((at) => at % QUARTER_MS === 0);
  const fromDays = async () => {
    const parts = await attributedParts(sql, scope, edges);
    return parts ? attributedSource(sql, parts) : fromCalls;
  };
  if (!isServed) return fromDays();
  const whole = { fromMs: wholeFromMs, toMs: wholeToMs };
  const places = placesOf(sql, scope, await foldedStretches(sql, scope.project, "latency", whole, edges));
  if (await holdsOther(sql, scope, places)) return fromDays();
  const ends = [within(fromMs, wholeFromMs), within(wholeToMs, toMs)].filter(
    ({ interval }) => interval.fromMs < interval.toMs,
  );
  const all = (ofPlace: (place: Place) => PendingQuery<Row[]>, ofEnd: (end: Scope) => PendingQuery<Row[]>) =>
    sql`(${unionAll(sql, [...places.map(ofPlace), ...ends.map(ofEnd)])})`;
  return {
    rows: all(
      (place) => rollupRows(sql, scope, place),
      (end) => callRows(sql, end),
    ),
    histograms: (keys, names, metrics) => {
      const parts = all(
        (place) => rollupHistograms(sql, scope, place, metrics),
        (end) => callHistograms(sql, end, metrics),
      );
      return sql`
        select ${sql.unsafe(`${names}, ${texts(metrics)}`)}
        from (select ${keys}, ${sql.unsafe(metrics.join(", "))} from ${parts} part) keyed
        group by ${sql.unsafe(names)}`;
    },
    from: "rollup",
  };
}

/**
 * In which quarters of an hour that touch these stretches a call of the scope may reach a bin of a metric, as the moments at which they begin:
 * all in which one does, and some where only a call does that the rollup cannot tell from those of the scope.
 */
export async function quartersReaching(
  sql: Reader,
  { project, filter }: Scope,
  stretches: readonly Interval[],
  metric: LatencyMetric,
  bin: number,
): Promise<number[]> {
  const at = (ms: number) => new Date(ms).toISOString();
  const froms = stretches.map(({ fromMs }) => at(Math.floor(fromMs / QUARTER_MS) * QUARTER_MS));
  const bins = sql.unsafe(`(${metric}).bins`);
  const rows = await sql<{ bucket: Date }[]>`
    select distinct bucket
    from unnest(${froms}::timestamptz[], ${stretches.map(({ toMs }) => at(toMs))}::timestamptz[]) as stretch (from_at, to_at)
    cross join lateral (
      select bucket from rollup_latency
      where project_id = ${project} and bucket >= from_at and bucket < to_at
        ${wanted(sql, filter, [OTHER])} and ${bins}[cardinality(${bins})] >= ${bin}
      -- Each stretch by the key: as a join, all of the table is read.
      offset 0
    ) reaching
    order by 1`;
  return rows.map(({ bucket }) => bucket.getTime());
}

/** Histograms of the same metrics, one after the other. */
const texts = (metrics: readonly LatencyMetric[]) =>
  metrics.map((one) => `string_agg(${one}, '') as ${one}`).join(", ");

/** Whole days at once, whatever the filter; the rest may be many calls. */
function attributedSource(sql: Reader, { days, calls }: AttributedParts): LatencySource {
  const bucket = sql`day::timestamp at time zone 'UTC' as bucket`;
  return {
    rows: sql`(${unionAll(sql, [
      ...days.map(
        (part) => sql`
          select ${bucket}, ${sql.unsafe(`${DIMENSIONS}, ${LATENCY_SUMS.join(", ")}`)} from rollup_attributed where ${ofDays(sql, part)}`,
      ),
      ...calls.map((part) => callRows(sql, part)),
    ])})`,
    histograms: (keys, names, metrics) => sql`
      select ${sql.unsafe(`${names}, ${texts(metrics)}`)}
      from (${unionAll(sql, [
        ...days.map(
          (part) => sql`
            select ${keys}, ${sql.unsafe(metrics.map((one) => `${one}::text as ${one}`).join(", "))}
            from (
              select ${bucket}, ${sql.unsafe(`${DIMENSIONS}, ${metrics.join(", ")}`)} from rollup_attributed where ${ofDays(sql, part)}
            ) day`,
        ),
        ...calls.map((part) => countedCalls(sql, part, keys, names, metrics)),
      ])}) part
      group by ${sql.unsafe(names)}`,
    from: "days",
  };
}

/** Rows of the rollup, or of its days. */
interface Place {
  table: "rollup_latency" | "rollup_latency_days";
  /** SQL: the row's moment. */
  bucket: PendingQuery<Row[]>;
  where: PendingQuery<Row[]>;
}

function placesOf(sql: Reader, { project }: Scope, { days, quarters }: Stretches): Place[] {
  const at = (ms: number) => new Date(ms).toISOString();
  return [
    ...days.map(
      ({ fromMs, toMs }): Place => ({
        table: "rollup_latency_days",
        bucket: sql`day::timestamp at time zone 'UTC' as bucket`,
        where: sql`project_id = ${project} and day >= ${at(fromMs).slice(0, 10)}::date and day < ${at(toMs).slice(0, 10)}::date`,
      }),
    ),
    ...quarters.map(
      ({ fromMs, toMs }): Place => ({
        table: "rollup_latency",
        bucket: sql`bucket`,
        where: sql`project_id = ${project} and bucket >= ${at(fromMs)}::timestamptz and bucket < ${at(toMs)}::timestamptz`,
      }),
    ),
  ];
}

const DIMENSIONS = LATENCY_DIMENSIONS.join(", ");

const rollupRows = (sql: Reader, scope: Scope, { table, bucket, where }: Place) => sql`
  select ${bucket}, ${sql.unsafe(`${DIMENSIONS}, ${LATENCY_SUMS.join(", ")}`)}
  from ${sql(table)} where ${where} ${wanted(sql, scope.filter)}`;

const rollupHistograms = (
  sql: Reader,
  scope: Scope,
  { table, bucket, where }: Place,
  metrics: readonly LatencyMetric[],
) => sql`
  select ${bucket}, ${sql.unsafe(`${DIMENSIONS}, ${metrics.map((one) => `${one}::text as ${one}`).join(", ")}`)}
  from ${sql(table)} where ${where} ${wanted(sql, scope.filter)}`;

const callRows = (sql: Reader, scope: Scope) => sql`
  select started_at as bucket, ${sql.unsafe(`${LATENCY_KEYS}, ${LATENCY_ADDENDS}`)} from calls where ${inScope(sql, scope)}`;

/** Each call as histograms of one. */
const callHistograms = (sql: Reader, scope: Scope, metrics: readonly LatencyMetric[]) => sql`
  select started_at as bucket, ${sql.unsafe(
    `${LATENCY_KEYS}, ${metrics.map((one) => `'({' || ${metricBin(one)} || '},{1})' as ${one}`).join(", ")}`,
  )}
  from calls where ${inScope(sql, scope)}`;

/** Of as many calls as a range may hold: counted by bin before they are written as text. */
const countedCalls = (
  sql: Reader,
  scope: Scope,
  keys: PendingQuery<Row[]>,
  names: string,
  metrics: readonly LatencyMetric[],
) => sql`
  select ${sql.unsafe(`${names}, ${metrics.map((one) => `${countedAsText(one)} as ${one}`).join(", ")}`)}
  from (
    select ${sql.unsafe(
      `${names}, ${metrics.map((one) => `array_agg(${one}) filter (where ${one} is not null) as ${one}`).join(", ")}`,
    )}
    from (
      select ${keys}, ${sql.unsafe(metrics.join(", "))}
      from (
        select started_at as bucket, ${sql.unsafe(
          `${LATENCY_KEYS}, ${metrics.map((one) => `${metricBin(one)} as ${one}`).join(", ")}`,
        )}
        from calls where ${inScope(sql, scope)}
      ) call
    ) keyed
    group by ${sql.unsafe(names)}
  ) bins`;

/** SQL: a histogram of the bins in an array, as Postgres writes it; NULL: there are none. */
const countedAsText = (bins: string) => `(
  select '({' || string_agg(bin::text, ',') || '},{' || string_agg(n::text, ',') || '})'
  from (select bin, count(*) as n from unnest(${bins}) as one (bin) group by bin) counted
)`;

/** SQL: what of the filter the rollup tells apart, as conditions; rows with one of `more` come along. */
const wanted = (sql: Reader, filter: CallFilter, more: readonly string[] = []) =>
  wantedOf(filter).reduce(
    (before, [column, values]) => sql`${before} and ${sql(column)} in ${sql([...values, ...more])}`,
    sql``,
  );

const isDimension = (name: string): name is LatencyDimension => LATENCY_DIMENSIONS.some((one) => one === name);
const isKept = (filter: CallFilter): boolean => Object.keys(filter).every(isDimension);
const wantedOf = (filter: CallFilter): [LatencyDimension, readonly string[]][] =>
  Object.entries(filter).flatMap(([name, values]) =>
    isDimension(name) ? [[name, values as readonly string[]] as [LatencyDimension, readonly string[]]] : [],
  );

/** Do rows in range hold several values of a filtered attribute? Then the rollup cannot tell them apart. */
async function holdsOther(sql: Reader, scope: Scope, places: readonly Place[]): Promise<boolean> {
  const columns = wantedOf(scope.filter)
    .map(([column]) => column)
    .filter((column) => column === "feature" || column === "model");
  if (columns.length === 0) return false;
  const other = columns.reduce((before, column) => sql`${before} or ${sql(column)} = ${OTHER}`, sql`false`);
  const parts = places.map(({ table, where }) => sql`select 1 from ${sql(table)} where ${where} and (${other})`);
  const [row] = await sql<{ found: boolean }[]>`
    select exists (${unionAll(sql, parts)}) as found`;
  return row?.found ?? false;
}
