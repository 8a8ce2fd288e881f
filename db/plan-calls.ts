import type { Sql } from "postgres";
import { bookingDay, type ClosedPeriod, dayOf } from "./booking.ts";
import { hasMoved, type Kept, keptSince } from "./sealed.ts";
import { type BookedCall, dropEmpty, insertCalls, type RecordedCall, takeOut, unfoldTouched } from "./stored-calls.ts";

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
  /** What retention had left when this was planned. */
  kept: Kept;
}

/** Finance closed a month between the plan and the write, or retention went on: plan again. */
export const MONTH_CLOSED = "OMCLS";

/** Looks which of these calls are stored, by which decoder, and where finance books them. */
export async function planCalls(sql: Sql, all: readonly RecordedCall[]): Promise<Plan> {
  const [kept, closed] = await Promise.all([
    keptSince(sql),
    sql<ClosedPeriod[]>`
      select project_id as "projectId", month::text as month from closed_periods order by project_id, month`,
  ]);
  const isExpired = ({ call }: RecordedCall) => kept.factsFromMs !== null && call.startedAt < kept.factsFromMs;
  const expired = new Set(all.filter(isExpired).map(({ call }) => call.id));
  const calls = all.filter((one) => !isExpired(one));
  if (calls.length === 0) return { fresh: [], stale: [], expired, closed, kept };
  const known = await sql<{ id: string; version: number; bookedOn: string | null }[]>`
    select id, decoder_version as version, booked_on::text as "bookedOn"
    from calls where id = any(${calls.map(({ call }) => call.id)}::uuid[])`;
  const stored = new Map(known.map((row) => [row.id, row]));
  const isStale = ({ call }: RecordedCall) =>
    (stored.get(call.id)?.version ?? call.decoderVersion) < call.decoderVersion;
  const fresh = calls
    .filter((one) => !stored.has(one.call.id) || isStale(one))
    .map((one) => {
      const day = dayOf(one.call.startedAt);
      const before = stored.get(one.call.id);
      const callOn = before ? (before.bookedOn ?? day) : bookingDay(day, one.call.projectId, closed);
      return {
        ...one,
        payload: kept.contentFromMs !== null && one.call.startedAt < kept.contentFromMs ? null : one.payload,
        bookedOn: callOn === day ? null : callOn,
        linesOn: bookingDay(callOn, one.call.projectId, closed),
      };
    });
  return { fresh, stale: calls.filter(isStale).map(({ call }) => call.id), expired, closed, kept };
}

/** SQL that does what was planned, in this order. */
export const writePlanned = ({ fresh, stale }: Plan): string[] => [
  ...unfoldTouched(fresh, stale),
  ...(stale.length ? takeOut(stale, fresh) : []),
  ...(fresh.length ? insertCalls(fresh, stale) : []),
  ...(stale.length ? dropEmpty(stale, fresh) : []),
];

/** The plan without the calls that the database refuses: what an older decoder had stored of them stays. */
export const without = (plan: Plan, refused: ReadonlySet<string>): Plan => ({
  ...plan,
  fresh: plan.fresh.filter(({ call }) => !refused.has(call.id)),
  stale: plan.stale.filter((id) => !refused.has(id)),
});

/**
 * SQL that fails with MONTH_CLOSED when a month was closed since the plan, or retention went on. Either waits for whoever holds this
 * lock, and they for it (db/close-month.ts, db/retention.ts). First in a message.
 */
export const guardMonths = ({ closed, kept }: Plan): string => `
  lock table closed_periods in row share mode;
  do $months$ begin
    if (select count(*) from closed_periods) <> ${closed.length} or ${hasMoved(kept)} then
      raise exception 'a month was closed, or days were sealed' using errcode = '${MONTH_CLOSED}';
    end if;
  end $months$`;

/** The row is at fault, not the database: class 22 (data), 23 (integrity), 21 (cardinality), 54 (too long for an index). */
export const isDataError = (error: unknown): boolean => /^(2[123]|54)/.test(codeOf(error));

export const codeOf = (error: unknown): string => String((error as { code?: unknown }).code ?? "");
