import { sealedUntil } from "#db/sealed.ts";
import type { Outcome } from "#lib/call.ts";
import { addMoney } from "#lib/money.ts";
import { WASTED_OUTCOMES, WASTES, type Waste } from "#lib/waste.ts";
import { folded, inScope, matchingRollup, type Reader, type Scope, servedByRollup } from "./call-filter.ts";
import type { SpendTotal } from "./spend-source.ts";
import { furtherAttempts } from "./superseded.ts";

const QUARTER_MS = 900_000;
/** More calls are not looked at one by one for a figure, where no rollup answers. */
export const LOOKED_AT_MAX = 20_000;
/** Nor more attempts after others, each with what it could have superseded. */
export const ATTEMPTS_MAX = 20_000;

/** What calls came to that began in a stretch of time, on whatever days it is booked. Amounts of US dollars are exact decimals. */
export interface WasteSums {
  calls: number;
  /** Nothing is known of what they used, so of what they cost: in no amount. */
  callsWithoutUsage: number;
  /** Some of their usage has no price: in no amount. */
  callsUnpriced: number;
  /** Reported and estimated together. */
  costUsd: string;
  costEstimatedUsd: string;
}

/**
 * `counting`: some were counted before costs were, and are being counted again; `many`: more than may be looked at one by one (the limits above);
 * `dropped`: some are no longer kept, and no rollup tells.
 */
export type WasteUnknown = "counting" | "many" | "dropped";

export interface WasteFigures {
  parts: Record<Waste, WasteSums | WasteUnknown>;
  /** Whose calls cost most, and why; of what is known. null: nothing known cost anything. */
  dearest: { feature: string; part: Waste; outcome: Outcome; costUsd: string } | null;
}

/**
 * What was paid for nothing in a scope (lib/waste.ts). Each part is what the calls come to that a filter by it finds, to the last
 * digit: whole quarters of an hour are read from `rollup_calls`, their ends and what it cannot tell from calls.
 */
export async function wasteIn(sql: Reader, scope: Scope): Promise<WasteFigures> {
  const areKept = ((await sealedUntil(sql)) ?? 0) <= scope.interval.fromMs;
  const byOutcome = await wastedByOutcome(sql, scope, areKept);
  const superseded = areKept ? await supersededCalls(sql, scope) : "dropped";
  const ofPart = (part: Waste) =>
    part === "superseded"
      ? superseded
      : typeof byOutcome === "string"
        ? byOutcome
        : byOutcome.filter(({ outcome }) => WASTED_OUTCOMES[part].some((one) => one === outcome));
  const rows = WASTES.map((part) => ({ part, rows: ofPart(part) }));
  return {
    parts: Object.fromEntries(rows.map(({ part, rows: some }) => [part, summed(some)])) as WasteFigures["parts"],
    dearest: rows
      .flatMap(({ part, rows: some }) => (typeof some === "string" ? [] : some.map((row) => dearestOf(part, row))))
      .reduce((most, one) => (Number(one.costUsd) > Number(most?.costUsd ?? 0) ? one : most), null as Dearest),
  };
}

/** Money of calls begun in a scope, whenever it was booked. null: these are more than `most`. */
export async function costOfBegun(sql: Reader, scope: Scope, most: number): Promise<SpendTotal | null> {
  if (await areMoreThan(sql, scope, most)) return null;
  const sums = summed(await oneByOne(sql, scope));
  return typeof sums === "string" ? null : sums;
}

interface Row extends Pick<WasteSums, "calls" | "callsWithoutUsage"> {
  outcome: Outcome;
  /** '' = none given, '(other)' = beyond what a rollup keeps apart. */
  feature: string;
  /** null, as the costs: counted before these were. */
  callsUnpriced: number | null;
  costUsd: string | null;
  costEstimatedUsd: string | null;
}
type Dearest = WasteFigures["dearest"];

const dearestOf = (part: Waste, { feature, outcome, costUsd }: Row) => ({
  part,
  feature,
  outcome,
  costUsd: costUsd ?? "0",
});

function summed(rows: readonly Row[] | WasteUnknown): WasteSums | WasteUnknown {
  if (typeof rows === "string") return rows;
  if (rows.some(({ costUsd, callsUnpriced }) => costUsd === null || callsUnpriced === null)) return "counting";
  const count = (of: (row: Row) => number) => rows.reduce((sum, row) => sum + of(row), 0);
  const money = (of: (row: Row) => string | null) => rows.reduce((sum, row) => addMoney(sum, of(row) ?? "0"), "0");
  return {
    calls: count(({ calls }) => calls),
    callsWithoutUsage: count((row) => row.callsWithoutUsage),
    callsUnpriced: count((row) => row.callsUnpriced ?? 0),
    costUsd: money(({ costUsd }) => costUsd),
    costEstimatedUsd: money(({ costEstimatedUsd }) => costEstimatedUsd),
  };
}

async function wastedByOutcome(sql: Reader, scope: Scope, areKept: boolean): Promise<Row[] | WasteUnknown> {
  const notCompleted = onlyParts(scope, ["aborted", "retried"]);
  if (notCompleted.filter.waste?.length === 0) return [];
  const hasWholeStart = areKept || scope.interval.fromMs % QUARTER_MS === 0;
  const rolledUp = hasWholeStart && servedByRollup(scope.filter) ? await withRollup(sql, scope) : null;
  if (rolledUp) return rolledUp;
  if (!areKept) return "dropped";
  return (await areMoreThan(sql, notCompleted, LOOKED_AT_MAX)) ? "many" : oneByOne(sql, notCompleted);
}

async function supersededCalls(sql: Reader, scope: Scope): Promise<Row[] | WasteUnknown> {
  const superseded = onlyParts(scope, ["superseded"]);
  if (superseded.filter.waste?.length === 0) return [];
  const [row] = await sql<{ many: boolean }[]>`
    select count(*) > ${ATTEMPTS_MAX} as many
    from (${furtherAttempts(sql, scope.interval)} limit ${ATTEMPTS_MAX + 1}) later`;
  return row?.many ? "many" : oneByOne(sql, superseded);
}

/** The scope under a filter by parts of the waste, beside the one that it has. */
const onlyParts = (scope: Scope, parts: readonly Waste[]): Scope => {
  const { waste = WASTES } = scope.filter;
  return { ...scope, filter: { ...scope.filter, waste: parts.filter((part) => waste.includes(part)) } };
};

const NOT_COMPLETED = [...WASTED_OUTCOMES.aborted, ...WASTED_OUTCOMES.retried];

/** null: some calls in range are folded into '(other)', so the rollup cannot tell. */
async function withRollup(sql: Reader, scope: Scope): Promise<Row[] | null> {
  const { fromMs, toMs } = scope.interval;
  const wholeFromMs = Math.min(toMs, Math.ceil(fromMs / QUARTER_MS) * QUARTER_MS);
  const wholeToMs = Math.max(wholeFromMs, Math.floor(toMs / QUARTER_MS) * QUARTER_MS);
  const ends = [
    { fromMs, toMs: wholeFromMs },
    { fromMs: wholeToMs, toMs },
  ].filter((end) => end.fromMs < end.toMs);
  const notCompleted = onlyParts(scope, ["aborted", "retried"]);
  const atEnds = ends.map((interval) => callByCall(sql, { ...notCompleted, interval }));
  const rows = await sql<(Row & { folded: boolean })[]>`
    with part as (
      select
        outcome, feature, ${folded(sql, scope.filter)} as folded,
        calls, calls_without_usage, calls_unpriced, cost_usd, cost_estimated_usd
      from rollup_calls
      where project_id = ${scope.project} and outcome in ${sql(NOT_COMPLETED)}
        and bucket >= ${instant(wholeFromMs)}::timestamptz and bucket < ${instant(wholeToMs)}::timestamptz
        ${matchingRollup(sql, scope.filter)}
      ${atEnds.reduce((before, calls) => sql`${before} union all ${calls}`, sql``)}
    )
    select outcome, feature, bool_or(folded) as folded, ${SUMS(sql)}
    from part group by outcome, feature having sum(calls) <> 0`;
  return rows.some((row) => row.folded) ? null : rows;
}

/** Sums of the calls themselves, by outcome and feature. */
const oneByOne = (sql: Reader, scope: Scope): Promise<Row[]> => sql<Row[]>`
  select outcome, feature, ${SUMS(sql)} from (${callByCall(sql, scope)}) part group by outcome, feature`;

/** Each call as a row of one, in the rollup's columns (db/rollup-calls.ts says what they count). */
const callByCall = (sql: Reader, scope: Scope) => sql`
  select
    outcome, coalesce(feature, '') as feature, false as folded,
    1 as calls, (usage_source = 'none')::int as calls_without_usage,
    (unpriced or 'usage_inconsistent' = any(problems))::int as calls_unpriced, money.cost_usd, money.cost_estimated_usd
  from calls cross join lateral (${MONEY(sql)}) money
  where ${inScope(sql, scope)}`;

async function areMoreThan(sql: Reader, scope: Scope, most: number): Promise<boolean> {
  const [row] = await sql<{ more: boolean }[]>`
    select count(*) > ${most} as more from (select id from calls where ${inScope(sql, scope)} limit ${most + 1}) found`;
  return row?.more ?? false;
}

const SUMS = (sql: Reader) => sql`
  sum(calls)::bigint as calls,
  sum(calls_without_usage)::bigint as "callsWithoutUsage",
  case when count(*) = count(calls_unpriced) then sum(calls_unpriced)::bigint end as "callsUnpriced",
  case when count(*) = count(cost_usd) then trim_scale(sum(cost_usd + cost_estimated_usd))::text end as "costUsd",
  case when count(*) = count(cost_usd) then trim_scale(sum(cost_estimated_usd))::text end as "costEstimatedUsd"`;

/** One row: what the lines of the call `id` come to. */
const MONEY = (sql: Reader) => sql`
  select
    coalesce(sum(cost_usd) filter (where source <> 'estimated'), 0) as cost_usd,
    coalesce(sum(cost_usd) filter (where source = 'estimated'), 0) as cost_estimated_usd,
    coalesce(sum(quantity) filter (where cost_usd is null), 0) <> 0 as unpriced
  from usage_lines where call_id = id`;

const instant = (ms: number) => new Date(ms).toISOString();
