import type { PendingQuery, Row } from "postgres";
import { anyBookedAgain } from "#db/booked-as.ts";
import { ALLOCATED_PARTS, DAY_UPTO, SPEND_SETS, SPEND_SUMS, type SpendSet } from "#db/fold-spend.ts";
import { uuid7Floor } from "#db/partitions.ts";
import { OTHER } from "#db/rollup-limit.ts";
import { bookedBetween, SPEND_DIMENSIONS, type SpendDimension, spendParts } from "#db/rollup-spend.ts";
import type { Interval } from "#lib/range.ts";
import { type CallFilter, matching, type Reader, type Scope } from "./call-filter.ts";
import { foldedStretches } from "./folded-days.ts";
import { type Step, uptoStretches } from "./spend-upto.ts";
import { unionAll } from "./union-all.ts";

const QUARTER_MS = 900_000;

/** Attributes of the filter that `rollup_spend` keeps, by their column. */
const COLUMNS = {
  environment: "environment",
  feature: "feature",
  customer: "customer",
  template: "template",
  templateVersion: "template_version",
  unitHash: "unit_hash",
  model: "model",
} as const satisfies Partial<Record<keyof CallFilter, SpendDimension>>;
/** What can be filtered by without reading calls. */
export const SPEND_FILTERS: readonly string[] = Object.keys(COLUMNS);

export interface SpendSource {
  /**
   * A derived table, in parentheses: rows with `bucket` (the booked moment, or its UTC day, or where the stretch between two edges
   * begins), the dimensions ('' = none given, '(other)' = beyond the limit of values) and the measures (db/rollup-spend.ts, db/fold-spend.ts). What had come by a moment may be a row, and what had come before it another one with the
   * opposite sign.
   */
  rows: PendingQuery<Row[]>;
  /** `calls`: computed from the calls themselves, because no rollup can answer; slower. */
  from: "rollup" | "calls";
}

/** What a reader asks for: the less, the quicker. */
export interface SpendAsked {
  /** Where it tells time apart, ascending, in milliseconds. */
  edges?: readonly number[];
  /** Dimensions; the others may be '' for all. */
  told?: readonly SpendDimension[];
  /** What it sums: of `SPEND_SUMS`. */
  measures?: readonly string[];
}

/**
 * What was spent in a scope. Every figure about money is a sum over these rows, whichever way they are made: whole quarters
 * of an hour come from the rollup (days that are over at once, or as what they had come to by a half hour, see db/fold-spend.ts),
 * the ends of the range and what the rollup cannot tell apart from calls and their lines.
 */
export async function spendSource(
  sql: Reader,
  scope: Scope,
  { edges = [], told = SPEND_DIMENSIONS, measures = SPEND_SUMS }: SpendAsked = {},
): Promise<SpendSource> {
  const { fromMs, toMs } = scope.interval;
  const wholeFromMs = Math.ceil(fromMs / QUARTER_MS) * QUARTER_MS;
  const wholeToMs = Math.floor(toMs / QUARTER_MS) * QUARTER_MS;
  const again = await anyBookedAgain(sql);
  const calls = (from: number, to: number) => fromCalls(sql, scope, measures, from, to, again);
  if (wholeToMs <= wholeFromMs || !isKept(scope.filter)) return { rows: sql`(${calls(fromMs, toMs)})`, from: "calls" };
  const whole = { fromMs: wholeFromMs, toMs: wholeToMs };
  const parts = await rolledUp(sql, scope, whole, { edges, told, measures });
  if (await holdsOther(sql, scope, parts)) return { rows: sql`(${calls(fromMs, toMs)})`, from: "calls" };
  const wanted = inColumns(sql, scope.filter);
  const rows = parts.map((part) => part.rows(wanted));
  const ends = [
    ...(fromMs < wholeFromMs ? [calls(fromMs, wholeFromMs)] : []),
    ...(wholeToMs < toMs ? [calls(wholeToMs, toMs)] : []),
  ];
  return { rows: sql`(${unionAll(sql, [...rows, ...ends])})`, from: "rollup" };
}

export interface SpendTotal {
  /** Exact decimals; reported and estimated together. */
  costUsd: string;
  costEstimatedUsd: string;
  callsUnpriced: number;
}

/** null: it would have to be computed from more calls than `mayRead`. */
export async function spendTotal(sql: Reader, scope: Scope, mayRead: boolean): Promise<SpendTotal | null> {
  const { rows, from } = await spendSource(sql, scope, {
    told: [],
    measures: ["cost_usd", "cost_estimated_usd", "calls_unpriced"],
  });
  if (from === "calls" && !mayRead) return null;
  const [total] = await sql<SpendTotal[]>`
    select
      trim_scale(coalesce(sum(cost_usd + cost_estimated_usd), 0))::text as "costUsd",
      trim_scale(coalesce(sum(cost_estimated_usd), 0))::text as "costEstimatedUsd",
      coalesce(sum(calls_unpriced), 0)::bigint as "callsUnpriced"
    from ${rows} spent`;
  return total ?? null;
}

const DIMENSIONS = SPEND_DIMENSIONS.join(", ");

/** The set of attributes with the fewest values that tells what is asked for; null: only all together do. */
function setOf(asked: readonly SpendDimension[]): SpendSet | null {
  const sets: readonly SpendSet[] = [
    "feature",
    "model",
    "template",
    "feature_template_model",
    "customer",
    "feature_customer",
  ];
  const tells = (set: SpendSet, dimension: SpendDimension) =>
    dimension === "environment" || SPEND_SETS[set].some((one) => one === dimension);
  return sets.find((set) => asked.every((dimension) => tells(set, dimension))) ?? null;
}

const instant = (ms: number) => new Date(ms).toISOString();
const dateOf = (ms: number) => instant(ms).slice(0, 10);

/** Some rows of a derived table under a further condition. Both are SQL: are there any, and what is read of them. */
interface Part {
  any(wanted: PendingQuery<Row[]>): PendingQuery<Row[]>;
  rows(wanted: PendingQuery<Row[]>): PendingQuery<Row[]>;
}

/** Where whole quarters of an hour are read. */
async function rolledUp(
  sql: Reader,
  { project, filter }: Scope,
  whole: Interval,
  { edges, told, measures }: Required<SpendAsked>,
): Promise<Part[]> {
  const set = setOf([...told, ...wantedOf(filter).map(([column]) => column)]);
  const ofQuarters = (quarters: readonly Interval[]) =>
    quarters.map((interval) => quartersPart(sql, project, interval, edges, told, measures));
  if (set) {
    const { days, steps, quarters } = await uptoStretches(sql, project, whole, edges);
    return [
      ...days.map((interval) => uptoDaysPart(sql, project, set, interval, measures)),
      ...(steps.length > 0
        ? ([1, -1] as const).map((sign) => stepsPart(sql, project, set, steps, sign, measures))
        : []),
      ...ofQuarters(quarters),
    ];
  }
  const { days, quarters } = await foldedStretches(sql, project, "spend", whole, edges);
  return [...days.map((interval) => daysPart(sql, project, interval, told, measures)), ...ofQuarters(quarters)];
}

/** Summed by stretches between edges: there are many quarters, and of each few rows that differ in what is told. */
function quartersPart(
  sql: Reader,
  project: string,
  { fromMs, toMs }: Interval,
  edges: readonly number[],
  told: readonly SpendDimension[],
  measures: readonly string[],
): Part {
  const from = (wanted: PendingQuery<Row[]>) => sql`
    from rollup_spend
    where project_id = ${project} and bucket >= ${instant(fromMs)}::timestamptz and bucket < ${instant(toMs)}::timestamptz ${wanted}`;
  const begins = [fromMs, ...edges.filter((at) => at > fromMs && at < toMs)].map(instant);
  // A constant where nothing is cut: groups are then planned as the few that they are.
  const stretch = begins.length > 1 ? sql`width_bucket(bucket, ${begins}::timestamptz[])` : sql`1`;
  return {
    any: (wanted) => sql`select ${from(wanted)}`,
    rows: (wanted) => sql`
      select (${begins}::timestamptz[])[stretch] as bucket, ${sql.unsafe([DIMENSIONS, ...measures].join(", "))}
      from (
        select ${stretch} as stretch, ${sql.unsafe(toldOnly(told, measures))}
        ${from(wanted)} group by ${sql.unsafe(["stretch", ...told].join(", "))}
      ) summed`,
  };
}

function daysPart(
  sql: Reader,
  project: string,
  days: Interval,
  told: readonly SpendDimension[],
  measures: readonly string[],
): Part {
  const from = (wanted: PendingQuery<Row[]>) =>
    sql`from rollup_spend_days where project_id = ${project} and ${isOf(sql, days)} ${wanted}`;
  return {
    any: (wanted) => sql`select ${from(wanted)}`,
    rows: (wanted) => sql`
      select ${DAY_BEGINS(sql)} as bucket, ${sql.unsafe(toldOnly(told, measures))}
      ${from(wanted)} group by ${sql.unsafe(["day", ...told].join(", "))}`,
  };
}

/** The same by one set of attributes, from what days had come to. */
function uptoDaysPart(sql: Reader, project: string, set: SpendSet, days: Interval, measures: readonly string[]): Part {
  const from = (wanted: PendingQuery<Row[]>) => sql`
    from rollup_spend_upto
    where project_id = ${project} and "by" = ${set} and upto = ${DAY_UPTO} and ${isOf(sql, days)} ${wanted}`;
  return {
    any: (wanted) => sql`select ${from(wanted)}`,
    rows: (wanted) =>
      sql`select ${DAY_BEGINS(sql)} as bucket, ${sql.unsafe([DIMENSIONS, ...measures].join(", "))} ${from(wanted)}`,
  };
}

function stepsPart(
  sql: Reader,
  project: string,
  set: SpendSet,
  steps: readonly Step[],
  sign: Step["sign"],
  measures: readonly string[],
): Part {
  const taken = steps.filter((step) => step.sign === sign);
  const sums = measures.map((name) => (sign === 1 ? name : `- ${name} as ${name}`));
  const from = (wanted: PendingQuery<Row[]>) => sql`
    from unnest(
      ${taken.map(({ dayMs }) => dateOf(dayMs))}::date[], ${taken.map(({ upto }) => upto)}::smallint[],
      ${taken.map(({ bucketMs }) => instant(bucketMs))}::timestamptz[]
    ) as step (day, upto, bucket)
    join rollup_spend_upto using (day, upto)
    where project_id = ${project} and "by" = ${set} ${wanted}`;
  return {
    any: (wanted) => sql`select ${from(wanted)}`,
    rows: (wanted) => sql`select step.bucket, ${sql.unsafe([DIMENSIONS, ...sums].join(", "))} ${from(wanted)}`,
  };
}

const isOf = (sql: Reader, { fromMs, toMs }: Interval) =>
  sql`day >= ${dateOf(fromMs)}::date and day < ${dateOf(toMs)}::date`;
const DAY_BEGINS = (sql: Reader) => sql`day::timestamp at time zone 'UTC'`;

/** Of rows that tell all dimensions. */
const measured = (name: string): string =>
  name in ALLOCATED_PARTS ? ALLOCATED_PARTS[name as keyof typeof ALLOCATED_PARTS] : name;

/** SQL: the dimensions, '' for those that are not told, and sums over rows that tell all of them. */
const toldOnly = (told: readonly SpendDimension[], measures: readonly string[]): string =>
  [
    ...SPEND_DIMENSIONS.map((name) => (told.includes(name) ? name : `''::text as ${name}`)),
    ...measures.map((name) => `sum(${measured(name)}) as ${name}`),
  ].join(", ");

const FILTER = "/* filter */";

function fromCalls(
  sql: Reader,
  { project, filter }: Scope,
  measures: readonly string[],
  fromMs: number,
  toMs: number,
  anyAgain: boolean,
) {
  const { calls, lines, again } = bookedBetween(fromMs, toMs, uuid7Floor(fromMs), uuid7Floor(toMs));
  const open = (conditions: string[]) => conditions.map((condition) => `${condition} ${FILTER}`);
  const texts = spendParts({ calls: open(calls), lines: open(lines), again: anyAgain ? open(again) : null }).split(
    FILTER,
  );
  // What is booked in a stretch of time may have begun long before.
  const wanted = () => sql`and c.project_id = ${project} ${matching(sql, filter, { fromMs: 0, toMs })}`;
  const parts = texts
    .slice(1)
    .reduce((before, text) => sql`${before} ${wanted()} ${sql.unsafe(text)}`, sql`${sql.unsafe(texts[0] as string)}`);
  const sums = measures.map((name) => `${measured(name)} as ${name}`);
  return sql`select booked_at as bucket, ${sql.unsafe([DIMENSIONS, ...sums].join(", "))} from (${parts}) part`;
}

const inColumns = (sql: Reader, filter: CallFilter) =>
  wantedOf(filter).reduce(
    (before, [column, values]) => sql`${before} and ${sql(column)} in ${sql([...values])}`,
    // A hash, or none, is of calls without a template.
    filter.unitHash ? sql`and template = ''` : sql``,
  );

const wantedOf = (filter: CallFilter): [SpendDimension, readonly string[]][] =>
  Object.entries(filter).flatMap(([name, values]) =>
    name in COLUMNS && values
      ? [[COLUMNS[name as keyof typeof COLUMNS], values] as [SpendDimension, readonly string[]]]
      : [],
  );

const isKept = (filter: CallFilter): boolean => Object.keys(filter).every((name) => name in COLUMNS);

/** Do rows in range hold several values of a filtered attribute? Then the rollup cannot tell them apart. */
async function holdsOther(sql: Reader, { filter }: Scope, parts: readonly Part[]): Promise<boolean> {
  const columns = wantedOf(filter).map(([column]) => column);
  if (columns.length === 0) return false;
  const other = columns.reduce((before, column) => sql`${before} or ${sql(column)} = ${OTHER}`, sql`false`);
  const inAny = parts.reduce((before, part) => sql`${before} or exists (${part.any(sql`and (${other})`)})`, sql`false`);
  const [row] = await sql<{ found: boolean }[]>`select ${inAny} as found`;
  return row?.found ?? false;
}
