import type { PendingQuery, Row } from "postgres";
import { anyBookedAgain } from "#db/booked-as.ts";
import { ALLOCATED_PARTS, DAY_UPTO, SPEND_SETS, type SpendSet } from "#db/fold-spend.ts";
import { uuid7Floor } from "#db/partitions.ts";
import { OTHER } from "#db/rollup-limit.ts";
import { bookedBetween, SPEND_DIMENSIONS, SPEND_MEASURES, type SpendDimension, spendParts } from "#db/rollup-spend.ts";
import type { Interval } from "#lib/range.ts";
import { type CallFilter, matching, type Reader, type Scope } from "./call-filter.ts";
import { foldedStretches, type Stretches } from "./folded-days.ts";
import { type Step, type UptoStretches, uptoStretches } from "./spend-upto.ts";

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
   * A derived table, in parentheses: rows with `bucket` (the booked moment, or its quarter of an hour, or its UTC day), the
   * dimensions ('' = none given, '(other)' = beyond the limit of values) and the measures of db/rollup-spend.ts with what is allocated
   * of them (db/fold-spend.ts). What had come by a moment may be a row, and what had come before it another one with the opposite sign.
   */
  rows: PendingQuery<Row[]>;
  /** `calls`: computed from the calls themselves, because no rollup can answer; slower. */
  from: "rollup" | "calls";
}

/**
 * What was spent in a scope. Every figure about money is a sum over these rows, whichever way they are made: whole quarters
 * of an hour come from the rollup (days that are over at once, or as what they had come to by a half hour, see db/fold-spend.ts),
 * the ends of the range and what the rollup cannot tell apart from calls and their lines. `edges`: at which the reader tells time
 * apart; null: it tells every quarter apart. `told`: the dimensions that it asks for; others may be '' for all. The fewer, the quicker.
 */
export async function spendSource(
  sql: Reader,
  scope: Scope,
  edges: readonly number[] | null = [],
  told: readonly SpendDimension[] = SPEND_DIMENSIONS,
): Promise<SpendSource> {
  const { fromMs, toMs } = scope.interval;
  const wholeFromMs = Math.ceil(fromMs / QUARTER_MS) * QUARTER_MS;
  const wholeToMs = Math.floor(toMs / QUARTER_MS) * QUARTER_MS;
  const again = await anyBookedAgain(sql);
  const calls = (from: number, to: number) => fromCalls(sql, scope, from, to, again);
  if (wholeToMs <= wholeFromMs || !isKept(scope.filter)) return { rows: sql`(${calls(fromMs, toMs)})`, from: "calls" };
  const whole = { fromMs: wholeFromMs, toMs: wholeToMs };
  const set = setOf([...told, ...wantedOf(scope.filter).map(([column]) => column)]);
  const rolledUp =
    set && edges
      ? fromUpto(sql, scope, set, await uptoStretches(sql, scope.project, whole, edges))
      : fromRollup(sql, scope, await foldedStretches(sql, scope.project, "spend", whole, edges));
  if (await holdsOther(sql, scope, rolledUp)) return { rows: sql`(${calls(fromMs, toMs)})`, from: "calls" };
  const head = fromMs < wholeFromMs ? sql`union all ${calls(fromMs, wholeFromMs)}` : sql``;
  const tail = wholeToMs < toMs ? sql`union all ${calls(wholeToMs, toMs)}` : sql``;
  return { rows: sql`(${rolledUp(inColumns(sql, scope.filter))} ${head} ${tail})`, from: "rollup" };
}

export interface SpendTotal {
  /** Exact decimals; reported and estimated together. */
  costUsd: string;
  costEstimatedUsd: string;
  callsUnpriced: number;
}

/** null: it would have to be computed from more calls than `mayRead`. */
export async function spendTotal(sql: Reader, scope: Scope, mayRead: boolean): Promise<SpendTotal | null> {
  const { rows, from } = await spendSource(sql, scope, [], []);
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
const ALLOCATED = Object.entries(ALLOCATED_PARTS).map(([name, part]) => `${part} as ${name}`);
/** Of rows that tell all dimensions. */
const NAMES = [DIMENSIONS, ...SPEND_MEASURES, ...ALLOCATED].join(", ");
/** Of `rollup_spend_upto`. */
const SUMS = [...SPEND_MEASURES, ...Object.keys(ALLOCATED_PARTS)];

/** The set of attributes with the fewest values that tells what is asked for; null: only all together do. */
function setOf(asked: readonly SpendDimension[]): SpendSet | null {
  const sets: readonly SpendSet[] = ["feature", "model", "template", "customer"];
  const tells = (set: SpendSet, dimension: SpendDimension) =>
    dimension === "environment" || SPEND_SETS[set].some((one) => one === dimension);
  return sets.find((set) => asked.every((dimension) => tells(set, dimension))) ?? null;
}

const instant = (ms: number) => new Date(ms).toISOString();
const dateOf = (ms: number) => instant(ms).slice(0, 10);
const joinedBy = (sql: Reader, parts: readonly PendingQuery<Row[]>[]) =>
  parts.reduce((before, part) => sql`${before} union all ${part}`);

/** SQL: rows of the rollup that satisfy a condition. */
const ofQuarters = (sql: Reader, project: string, { fromMs, toMs }: Interval, wanted: PendingQuery<Row[]>) => sql`
  select bucket, ${sql.unsafe(NAMES)} from rollup_spend
  where project_id = ${project} and bucket >= ${instant(fromMs)}::timestamptz and bucket < ${instant(toMs)}::timestamptz ${wanted}`;

/** Rows of the rollup and of its days that satisfy a condition. */
function fromRollup(sql: Reader, { project }: Scope, { days, quarters }: Stretches) {
  return (wanted: PendingQuery<Row[]>) =>
    joinedBy(sql, [
      ...days.map(
        ({ fromMs, toMs }) => sql`
          select day::timestamp at time zone 'UTC' as bucket, ${sql.unsafe(NAMES)} from rollup_spend_days
          where project_id = ${project} and day >= ${dateOf(fromMs)}::date and day < ${dateOf(toMs)}::date ${wanted}`,
      ),
      ...quarters.map((interval) => ofQuarters(sql, project, interval, wanted)),
    ]);
}

/** The same by one set of attributes, from what days had come to. */
function fromUpto(sql: Reader, { project }: Scope, set: SpendSet, { days, steps, quarters }: UptoStretches) {
  const taken = (sign: Step["sign"]) => steps.filter((step) => step.sign === sign);
  const ofSteps = (some: readonly Step[], sums: string, wanted: PendingQuery<Row[]>) => sql`
    select step.bucket, ${sql.unsafe(`${DIMENSIONS}, ${sums}`)}
    from unnest(
      ${some.map(({ dayMs }) => dateOf(dayMs))}::date[], ${some.map(({ upto }) => upto)}::smallint[],
      ${some.map(({ bucketMs }) => instant(bucketMs))}::timestamptz[]
    ) as step (day, upto, bucket)
    join rollup_spend_upto using (day, upto)
    where project_id = ${project} and "by" = ${set} ${wanted}`;
  return (wanted: PendingQuery<Row[]>) =>
    joinedBy(sql, [
      ...days.map(
        ({ fromMs, toMs }) => sql`
          select day::timestamp at time zone 'UTC' as bucket, ${sql.unsafe([DIMENSIONS, ...SUMS].join(", "))}
          from rollup_spend_upto
          where project_id = ${project} and "by" = ${set} and upto = ${DAY_UPTO}
            and day >= ${dateOf(fromMs)}::date and day < ${dateOf(toMs)}::date ${wanted}`,
      ),
      ...(steps.length > 0
        ? [
            ofSteps(taken(1), SUMS.join(", "), wanted),
            ofSteps(taken(-1), SUMS.map((name) => `- ${name}`).join(", "), wanted),
          ]
        : []),
      ...quarters.map((interval) => ofQuarters(sql, project, interval, wanted)),
    ]);
}

const FILTER = "/* filter */";

function fromCalls(sql: Reader, { project, filter }: Scope, fromMs: number, toMs: number, anyAgain: boolean) {
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
  return sql`select booked_at as bucket, ${sql.unsafe(NAMES)} from (${parts}) part`;
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
async function holdsOther(
  sql: Reader,
  scope: Scope,
  rolledUp: (wanted: PendingQuery<Row[]>) => PendingQuery<Row[]>,
): Promise<boolean> {
  const columns = wantedOf(scope.filter).map(([column]) => column);
  if (columns.length === 0) return false;
  const other = columns.reduce((before, column) => sql`${before} or ${sql(column)} = ${OTHER}`, sql`false`);
  const [row] = await sql<{ found: boolean }[]>`select exists (${rolledUp(sql`and (${other})`)}) as found`;
  return row?.found ?? false;
}
