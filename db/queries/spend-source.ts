import type { PendingQuery, Row } from "postgres";
import { anyBookedAgain } from "#db/booked-as.ts";
import { uuid7Floor } from "#db/partitions.ts";
import { OTHER } from "#db/rollup-limit.ts";
import { bookedBetween, SPEND_DIMENSIONS, SPEND_MEASURES, type SpendDimension, spendParts } from "#db/rollup-spend.ts";
import { type CallFilter, matching, type Reader, type Scope } from "./call-filter.ts";
import { foldedStretches, type Stretches } from "./folded-days.ts";

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

export interface SpendSource {
  /**
   * A derived table, in parentheses: rows with `bucket` (the booked moment, or its quarter of an hour, or its UTC day), the
   * dimensions ('' = none given, '(other)' = beyond the limit of values) and the measures of db/rollup-spend.ts.
   */
  rows: PendingQuery<Row[]>;
  /** `calls`: computed from the calls themselves, because no rollup can answer; slower. */
  from: "rollup" | "calls";
}

/**
 * What was spent in a scope. Every figure about money is a sum over these rows, whichever way they are made: whole quarters
 * of an hour come from the rollup (whole UTC days at once, unless one of the `edges` at which the reader tells time apart lies
 * inside; null: it tells every quarter apart), the ends of the range and what the rollup cannot tell apart from calls and their lines.
 */
export async function spendSource(
  sql: Reader,
  scope: Scope,
  edges: readonly number[] | null = [],
): Promise<SpendSource> {
  const { fromMs, toMs } = scope.interval;
  const wholeFromMs = Math.ceil(fromMs / QUARTER_MS) * QUARTER_MS;
  const wholeToMs = Math.floor(toMs / QUARTER_MS) * QUARTER_MS;
  const again = await anyBookedAgain(sql);
  const calls = (from: number, to: number) => fromCalls(sql, scope, from, to, again);
  if (wholeToMs <= wholeFromMs || !isKept(scope.filter)) return { rows: sql`(${calls(fromMs, toMs)})`, from: "calls" };
  const whole = { fromMs: wholeFromMs, toMs: wholeToMs };
  const rolledUp = fromRollup(sql, scope, await foldedStretches(sql, scope.project, "spend", whole, edges));
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
  const { rows, from } = await spendSource(sql, scope);
  if (from === "calls" && !mayRead) return null;
  const [total] = await sql<SpendTotal[]>`
    select
      trim_scale(coalesce(sum(cost_usd + cost_estimated_usd), 0))::text as "costUsd",
      trim_scale(coalesce(sum(cost_estimated_usd), 0))::text as "costEstimatedUsd",
      coalesce(sum(calls_unpriced), 0)::bigint as "callsUnpriced"
    from ${rows} spent`;
  return total ?? null;
}

const NAMES = [...SPEND_DIMENSIONS, ...SPEND_MEASURES].join(", ");

/** Rows of the rollup and of its days that satisfy a condition. */
function fromRollup(sql: Reader, { project }: Scope, { days, quarters }: Stretches) {
  const at = (ms: number) => new Date(ms).toISOString();
  return (wanted: PendingQuery<Row[]>) => {
    const parts = [
      ...days.map(
        ({ fromMs, toMs }) => sql`
          select day::timestamp at time zone 'UTC' as bucket, ${sql.unsafe(NAMES)} from rollup_spend_days
          where project_id = ${project} and day >= ${at(fromMs).slice(0, 10)}::date and day < ${at(toMs).slice(0, 10)}::date ${wanted}`,
      ),
      ...quarters.map(
        ({ fromMs, toMs }) => sql`
          select bucket, ${sql.unsafe(NAMES)} from rollup_spend
          where project_id = ${project} and bucket >= ${at(fromMs)}::timestamptz and bucket < ${at(toMs)}::timestamptz ${wanted}`,
      ),
    ];
    return parts.reduce((before, part) => sql`${before} union all ${part}`);
  };
}

const FILTER = "/* filter */";

function fromCalls(sql: Reader, { project, filter }: Scope, fromMs: number, toMs: number, anyAgain: boolean) {
  const { calls, lines, again } = bookedBetween(fromMs, toMs, uuid7Floor(fromMs), uuid7Floor(toMs));
  const open = (conditions: string[]) => conditions.map((condition) => `${condition} ${FILTER}`);
  const texts = spendParts({ calls: open(calls), lines: open(lines), again: anyAgain ? open(again) : null }).split(
    FILTER,
  );
  const wanted = () => sql`and c.project_id = ${project} ${matching(sql, filter)}`;
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
async function holdsOther(sql: Reader, scope: Scope, rolledUp: ReturnType<typeof fromRollup>): Promise<boolean> {
  const columns = wantedOf(scope.filter).map(([column]) => column);
  if (columns.length === 0) return false;
  const other = columns.reduce((before, column) => sql`${before} or ${sql(column)} = ${OTHER}`, sql`false`);
  const [row] = await sql<{ found: boolean }[]>`select exists (${rolledUp(sql`and (${other})`)}) as found`;
  return row?.found ?? false;
}
