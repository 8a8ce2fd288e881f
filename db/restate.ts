import type { Sql } from "postgres";
import type { Call } from "#lib/call.ts";
import { correctCounts } from "./booked-as.ts";
import { bookingDay, type ClosedPeriod, dayOf } from "./booking.ts";
import { PLAN_AGAIN } from "./plan-again.ts";
import { keyOf, objectsOf, ownersOf } from "./provider-objects.ts";
import { recordChanges } from "./record-changes.ts";
import { rollUpCalls } from "./rollup-calls.ts";
import { rollUpLatency } from "./rollup-latency.ts";
import { bookedByCalls, rollUpSpend } from "./rollup-spend.ts";
import { quoted, usageRow } from "./rows.ts";
import {
  anyOf,
  type BookedFigures,
  dropEmpty,
  isClosed,
  type RecordedCall,
  type Restated,
  takeOutFigures,
} from "./stored-calls.ts";
import { rebookLines } from "./usage-lines.ts";

type Said = Restated["facts"];

/** A stored call that gets the usage it had not stated when it was recorded. */
export type RestatedCall = BookedFigures & { facts: Said };

/** What said that the usage was still to come, or was guessed. */
const SETTLED_PROBLEMS = ["background_unfinished", "estimate_failed"];
/** The problem mark of a call that got its usage so. */
export const RESTATED = "usage_restated";
const LACKING = "('none', 'estimated')";

/**
 * Gives what re-reads state to the call that generated it, where that had no usage of its own: to one of these in place, to one that is
 * stored as a change to be written. Where there is none it is left uncounted; the re-read is marked.
 */
export async function restate(
  sql: Sql,
  given: readonly RecordedCall[],
  closed: readonly ClosedPeriod[],
  keptFromMs: number | null,
): Promise<{ calls: RecordedCall[]; restated: RestatedCall[] }> {
  const said = given.flatMap(({ restates }) => (restates?.facts.usage.source === "reported" ? [restates] : []));
  if (said.length === 0) return { calls: [...given], restated: [] };
  const stored = await ownersOf(sql, said);
  const here = new Map<string, string>();
  for (const { call } of given)
    for (const name of objectsOf(call)) if (!here.has(keyOf(name))) here.set(keyOf(name), call.id);
  const byOwner = new Map<string, Said>();
  for (const one of said) {
    const owner = stored.get(keyOf(one)) ?? here.get(keyOf(one));
    if (owner !== undefined && !byOwner.has(owner)) byOwner.set(owner, one.facts);
  }
  const calls = given.map((one) => ({ ...one, call: restatedHere(one.call, byOwner.get(one.call.id)) }));
  for (const { call } of given) byOwner.delete(call.id);
  const lacking = await lackingUsage(sql, [...byOwner.keys()]);
  const restated = lacking
    .filter(({ startedAt }) => keptFromMs === null || startedAt >= keptFromMs)
    .map(({ bookedOn, ...row }): RestatedCall => {
      const facts = byOwner.get(row.id) as Said;
      const day = bookedOn ?? dayOf(row.startedAt);
      return { call: { ...row, lines: facts.lines }, bookedOn, linesOn: bookingDay(day, row.projectId, closed), facts };
    });
  return { calls, restated };
}

export const lacksUsage = ({ usage }: Call): boolean => usage.source === "none" || usage.source === "estimated";

function restatedHere(call: Call, said: Said | undefined): Call {
  if (!said || !lacksUsage(call)) return call;
  return {
    ...call,
    usage: said.usage,
    lines: said.lines,
    model: call.model ?? said.model,
    serviceTier: call.serviceTier ?? said.serviceTier,
    finishReasons: said.finishReasons.length > 0 ? said.finishReasons : call.finishReasons,
    problems: [...call.problems.filter((problem) => !SETTLED_PROBLEMS.includes(problem)), RESTATED],
  };
}

async function lackingUsage(sql: Sql, ids: readonly string[]) {
  if (ids.length === 0) return [];
  return sql<{ id: string; projectId: string; startedAt: number; bookedOn: string | null }[]>`
    select id, project_id as "projectId", (extract(epoch from started_at) * 1000)::float8 as "startedAt", booked_on::text as "bookedOn"
    from calls where id = any(${[...ids]}::uuid[]) and usage_source in ('none', 'estimated')
    order by id`;
}

/** SQL that writes them, in rollups too; what a closed month holds stays, and the difference is booked later. Fails with PLAN_AGAIN where somebody was faster. */
export function writeRestated(restated: readonly RestatedCall[]): string[] {
  if (restated.length === 0) return [];
  const ids = restated.map(({ call }) => call.id);
  const these = anyOf(ids);
  return [
    claim(these, ids.length),
    ...takeOutFigures(ids, restated),
    ...restated.map(update),
    ...rebookLines(restated),
    ...correctCounts(restated.filter(isClosed)),
    recordChanges(`id = ${these}`),
    rollUpCalls(`id = ${these}`),
    rollUpLatency(`id = ${these}`),
    rollUpSpend(bookedByCalls(these, true)),
    ...dropEmpty(ids, restated),
  ];
}

/** Locks the rows, which a select may not do on Citus: whoever else restates them waits, and then finds that they have a usage. */
const claim = (these: string, count: number): string => `
  do $restated$ declare found_calls integer; begin
    update calls set recorded_at = recorded_at where id = ${these} and usage_source in ${LACKING};
    get diagnostics found_calls = row_count;
    if found_calls <> ${count} then raise exception 'somebody else stated it first' using errcode = '${PLAN_AGAIN}'; end if;
  end $restated$`;

function update({ call: { id }, facts }: RestatedCall): string {
  const usage = Object.entries(usageRow(facts.usage)).map(([name, value]) => `${name} = ${literal(value)}`);
  const without = SETTLED_PROBLEMS.reduce((problems, one) => `array_remove(${problems}, ${quoted(one)})`, "problems");
  return `
    update calls set
      ${usage.join(", ")},
      model = coalesce(model, ${literal(facts.model)}), service_tier = coalesce(service_tier, ${literal(facts.serviceTier)}),
      finish_reasons = ${facts.finishReasons.length > 0 ? `array[${facts.finishReasons.map(quoted).join(", ")}]` : "finish_reasons"},
      problems = array_append(${without}, ${quoted(RESTATED)})
    where id = ${quoted(id)}::uuid`;
}

/** What is no number is not known. */
function literal(value: unknown): string {
  if (typeof value === "number") return Number.isFinite(value) ? String(value) : "null";
  return value === null ? "null" : quoted(String(value));
}
