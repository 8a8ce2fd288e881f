import type { Sql } from "postgres";
import type { Call } from "#lib/call.ts";
import { correctCounts } from "./booked-as.ts";
import { bookingDay, type ClosedPeriod, dayOf } from "./booking.ts";
import { amongIds, type OfCalls } from "./of-calls.ts";
import { PLAN_AGAIN } from "./plan-again.ts";
import { keyOf, objectsOf, ownersOf } from "./provider-objects.ts";
import { recordChanges } from "./record-changes.ts";
import { rollUpCalls } from "./rollup-calls.ts";
import { rollUpLatency } from "./rollup-latency.ts";
import { bookedByCalls, rollUpSpend } from "./rollup-spend.ts";
import { quoted, usageRow } from "./rows.ts";
import {
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

/** What said that the usage was still to come, or could not be read, or was guessed. */
const SETTLED_PROBLEMS = [
  "background_unfinished",
  "estimate_failed",
  "service_tier_not_stated",
  "usage_all_zero",
  "usage_bad_number",
  "usage_unreadable",
];
/** The problem mark of a call that got its usage so. */
export const RESTATED = "usage_restated";
/** The problem mark of one whose usage another call has (db/count-once.ts). */
const ELSEWHERE = "usage_of_another_call";
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

/** What is counted elsewhere is no gap to be filled. */
export const lacksUsage = ({ usage, problems }: Call): boolean =>
  (usage.source === "none" && !problems.includes(ELSEWHERE)) || usage.source === "estimated";

function restatedHere(call: Call, said: Said | undefined): Call {
  if (!said || !lacksUsage(call)) return call;
  return {
    ...call,
    usage: said.usage,
    lines: said.lines,
    // By these its lines are priced: the first word of a stream may have been another.
    model: said.model ?? call.model,
    serviceTier: said.serviceTier ?? call.serviceTier,
    finishReasons: said.finishReasons.length > 0 ? said.finishReasons : call.finishReasons,
    problems: [...call.problems.filter((problem) => !isSettled(problem, said)), ...said.problems, RESTATED],
  };
}

const isSettled = (problem: string, said: Said): boolean =>
  SETTLED_PROBLEMS.includes(problem) || said.problems.includes(problem);

async function lackingUsage(sql: Sql, ids: readonly string[]) {
  if (ids.length === 0) return [];
  return sql<{ id: string; projectId: string; startedAt: number; bookedOn: string | null }[]>`
    select id, project_id as "projectId", (extract(epoch from started_at) * 1000)::float8 as "startedAt", booked_on::text as "bookedOn"
    from calls where id = any(${[...ids]}::uuid[]) and usage_source in ('none', 'estimated') and not ${ELSEWHERE} = any(problems)
    order by id`;
}

/** SQL that writes them, in rollups too; what a closed month holds stays, and the difference is booked later. Fails with PLAN_AGAIN where somebody was faster. */
export function writeRestated(restated: readonly RestatedCall[]): string[] {
  if (restated.length === 0) return [];
  const ids = restated.map(({ call }) => call.id);
  const these = amongIds(ids);
  return [
    claim(these, ids.length),
    ...takeOutFigures(ids, restated),
    ...restated.map(update),
    ...rebookLines(restated),
    ...correctCounts(restated.filter(isClosed)),
    recordChanges(these("id")),
    rollUpCalls(these("id")),
    rollUpLatency(these("id")),
    rollUpSpend(bookedByCalls(these, true)),
    ...dropEmpty(ids, restated),
  ];
}

/** Locks the rows, which a select may not do on Citus: whoever else restates them waits, and then finds that they have a usage. */
const claim = (these: OfCalls, count: number): string => `
  do $restated$ declare found_calls integer; begin
    update calls set recorded_at = recorded_at where ${these("id")} and usage_source in ${LACKING};
    get diagnostics found_calls = row_count;
    if found_calls <> ${count} then raise exception 'somebody else stated it first' using errcode = '${PLAN_AGAIN}'; end if;
  end $restated$`;

function update({ call: { id }, facts }: RestatedCall): string {
  const usage = Object.entries(usageRow(facts.usage)).map(([name, value]) => `${name} = ${literal(value)}`);
  const settled = new Set([...SETTLED_PROBLEMS, ...facts.problems]);
  const without = [...settled].reduce((problems, one) => `array_remove(${problems}, ${quoted(one)})`, "problems");
  return `
    update calls set
      ${usage.join(", ")},
      model = coalesce(${literal(facts.model)}, model), service_tier = coalesce(${literal(facts.serviceTier)}, service_tier),
      finish_reasons = ${facts.finishReasons.length > 0 ? `array[${facts.finishReasons.map(quoted).join(", ")}]` : "finish_reasons"},
      problems = ${without} || array[${[...facts.problems, RESTATED].map(quoted).join(", ")}]
    where id = ${quoted(id)}::uuid`;
}

/** What is no number is not known. */
function literal(value: unknown): string {
  if (typeof value === "number") return Number.isFinite(value) ? String(value) : "null";
  return value === null ? "null" : quoted(String(value));
}
