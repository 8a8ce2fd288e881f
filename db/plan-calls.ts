import type { Sql } from "postgres";
import type { Call } from "#lib/call.ts";
import { bookingDay, type ClosedPeriod, dayOf } from "./booking.ts";
import { claimUsage, countOnce, type UsageClaim } from "./count-once.ts";
import { inherit } from "./inherit.ts";
import { PLAN_AGAIN } from "./plan-again.ts";
import { lacksUsage, RESTATED, type RestatedCall, restate, writeRestated } from "./restate.ts";
import { hasMoved, type Kept, keptSince } from "./sealed.ts";
import {
  type BookedCall,
  dropEmpty,
  insertCalls,
  type RecordedCall,
  rateStored,
  takeOut,
  unfoldTouched,
} from "./stored-calls.ts";

/** What storing some calls does to the tables. */
export interface Plan {
  /** What is not stored yet, or was by an older decoder. */
  fresh: BookedCall[];
  /** Ids of what an older decoder had stored: taken out and stored anew. */
  stale: string[];
  /** Ids of calls of sealed days: their rollups are the record, and nothing is stored or read again for them. */
  expired: ReadonlySet<string>;
  /** The months that were closed when this was planned. */
  closed: ClosedPeriod[];
  /** Usage that several exchanges tell of, and these bring first (db/count-once.ts). */
  claims: UsageClaim[];
  /** Stored calls whose usage is known since one of these was read (db/restate.ts). */
  restated: RestatedCall[];
  /** What retention had left when this was planned. */
  kept: Kept;
}

/** Looks which of these calls are stored, by which decoder, and where finance books them. */
export async function planCalls(sql: Sql, all: readonly RecordedCall[]): Promise<Plan> {
  const [kept, closed, known] = await Promise.all([
    keptSince(sql),
    sql<ClosedPeriod[]>`
      select project_id as "projectId", month::text as month from closed_periods order by project_id, month`,
    knownAmong(sql, all),
  ]);
  const isExpired = ({ call }: RecordedCall) => kept.factsFromMs !== null && call.startedAt < kept.factsFromMs;
  const expired = new Set(all.filter(isExpired).map(({ call }) => call.id));
  const calls = firstOfEach(all.filter((one) => !isExpired(one)));
  if (calls.length === 0) return { fresh: [], stale: [], expired, closed, claims: [], restated: [], kept };
  const stored = new Map(known.map((row) => [row.id, row]));
  const isStale = ({ call }: RecordedCall) => isReadBetter(call, stored.get(call.id));
  const unsettled = calls
    .filter((one) => !stored.has(one.call.id) || isStale(one))
    .map((one) => sameParent(one, stored));
  const { calls: settled, claims } = await settleCalls(sql, unsettled);
  const { calls: restatedHere, restated } = await restate(sql, settled, closed, kept.factsFromMs);
  const fresh = restatedHere.map((one) => {
    const day = dayOf(one.call.startedAt);
    const before = stored.get(one.call.id);
    const callOn = before ? (before.bookedOn ?? day) : bookingDay(day, one.call.projectId, closed);
    const isForgotten = kept.contentFromMs !== null && one.call.startedAt < kept.contentFromMs;
    return {
      ...one,
      ...(isForgotten && { payload: null, media: [] }),
      bookedOn: callOn === day ? null : callOn,
      linesOn: bookingDay(callOn, one.call.projectId, closed),
    };
  });
  return { fresh, stale: calls.filter(isStale).map(({ call }) => call.id), expired, closed, claims, restated, kept };
}

interface Known {
  id: string;
  version: number;
  bookedOn: string | null;
  parentId: string | null;
  isRestated: boolean;
}

async function knownAmong(sql: Sql, calls: readonly RecordedCall[]): Promise<Known[]> {
  if (calls.length === 0) return [];
  const ids = calls.map(({ call }) => call.id).sort();
  // The ends leave it the partitions that matter (db/of-calls.ts).
  return sql<Known[]>`
    select
      id, decoder_version as version, booked_on::text as "bookedOn", parent_id as "parentId",
      ${RESTATED} = any(problems) as "isRestated"
    from calls
    where id between ${ids[0] as string} and ${ids.at(-1) as string} and id in (select unnest(${ids}::uuid[]))`;
}

/** Where a later answer had to state the usage, what is stored is better than what the call's own exchange says, whoever reads it. */
const isReadBetter = (call: Call, before: Known | undefined): boolean =>
  before !== undefined && before.version < call.decoderVersion && !(before.isRestated && lacksUsage(call));

/** Several exchanges may tell of the same call: a batch that is asked for until it is done. */
function firstOfEach(calls: readonly RecordedCall[]): RecordedCall[] {
  const seen = new Set<string>();
  return calls.filter(({ call }) => !seen.has(call.id) && seen.add(call.id));
}

/** It stays the one that told of it first: that one holds its usage. */
function sameParent(one: RecordedCall, stored: ReadonlyMap<string, Known>): RecordedCall {
  const before = stored.get(one.call.id);
  return before?.parentId ? { ...one, call: { ...one.call, parentId: before.parentId } } : one;
}

/** For whom the calls are, and whether what they used is counted elsewhere. */
export async function settleCalls<T extends { call: Call }>(
  sql: Sql,
  given: readonly T[],
): Promise<{ calls: T[]; claims: UsageClaim[] }> {
  const inherited = await inherit(
    sql,
    given.map(({ call }) => call),
  );
  const { calls, claims } = await countOnce(sql, inherited);
  return { calls: given.map((one, i) => ({ ...one, call: calls[i] as Call })), claims };
}

/** SQL that does what was planned, in this order; `insert` may have been written before (db/prepare-calls.ts). */
export function writePlanned({ fresh, stale, claims, restated }: Plan, insert: string[] | null = null): string[] {
  const restatedIds = restated.map(({ call }) => call.id);
  return [
    ...claimUsage(claims),
    ...unfoldTouched([...fresh, ...restated], [...stale, ...restatedIds]),
    ...(stale.length ? takeOut(stale, fresh) : []),
    ...writeRestated(restated),
    ...(fresh.length ? (insert ?? insertCalls(fresh, stale)) : []),
    ...(stale.length ? dropEmpty(stale, fresh) : []),
    ...rateStored(restated, restatedIds, []),
  ];
}

/** The plan without the calls that the database refuses: what an older decoder had stored of them stays. */
export const without = (plan: Plan, refused: ReadonlySet<string>): Plan => ({
  ...plan,
  fresh: plan.fresh.filter(({ call }) => !refused.has(call.id)),
  stale: plan.stale.filter((id) => !refused.has(id)),
});

/**
 * SQL that fails with PLAN_AGAIN when a month was closed since the plan, or retention went on. Either waits for whoever holds this
 * lock, and they for it (db/close-month.ts, db/retention.ts). First in a message.
 */
export const guardMonths = ({ closed, kept }: Pick<Plan, "closed" | "kept">): string => `
  lock table closed_periods in row share mode;
  do $months$ begin
    if (select count(*) from closed_periods) <> ${closed.length} or ${hasMoved(kept)} then
      raise exception 'a month was closed, or days were sealed' using errcode = '${PLAN_AGAIN}';
    end if;
  end $months$`;

/** Whether what was planned on has changed: somebody said so, or has stored one of these calls, of which several exchanges may tell. */
export async function isOvertaken(sql: Sql, error: unknown, { fresh, stale }: Plan): Promise<boolean> {
  if (codeOf(error) === PLAN_AGAIN) return true;
  if (codeOf(error) !== UNIQUE_VIOLATION) return false;
  const known = new Set(stale);
  const ids = fresh.flatMap(({ call }) => (known.has(call.id) ? [] : [call.id]));
  const [row] = await sql<{ found: boolean }[]>`
    select exists (select from calls where id = any(${ids}::uuid[])) as found`;
  return row?.found ?? false;
}

const UNIQUE_VIOLATION = "23505";

/** The row is at fault, not the database: class 22 (data), 23 (integrity), 21 (cardinality), 54 (too long for an index). */
export const isDataError = (error: unknown): boolean => /^(2[123]|54)/.test(codeOf(error));

export const codeOf = (error: unknown): string => String((error as { code?: unknown }).code ?? "");
