import type { Sql } from "postgres";
import type { Call } from "#lib/call.ts";
import { ensurePartitionsFor, uuid7Floor } from "./partitions.ts";
import { codeOf, guardMonths, isDataError, isOvertaken, planCalls, writePlanned } from "./plan-calls.ts";
import { quoted } from "./rows.ts";
import type { RecordedCall } from "./stored-calls.ts";

/** What cannot be stored, kept for another try. */
export interface SetAside {
  id: string;
  origin: { spool: string; run: string; seq: number };
  reason: string;
  /** With the spool's key: an exchange, or the facts of a call (lib/recorder/set-aside.ts). */
  sealed: Buffer;
  /** Of a call that is no exchange of its own: it is in no equation. */
  isChild?: boolean;
}

const REASON_CHARACTERS = 500;
/** `tries` is a smallint. */
const TRIES_MAX = 32_000;

/** SQL that keeps them; `spool_runs` counts them (db/run-counts.ts). */
export const insertSetAside = (some: readonly SetAside[]): string => `
  insert into set_aside (id, spool, run, seq, reason, sealed) values ${some
    .map(
      ({ id, origin, reason, sealed }) =>
        `(${quoted(id)}::uuid, ${quoted(origin.spool)}, ${quoted(origin.run)}, ${origin.seq}, ${quoted(shortened(reason))}, '\\x${sealed.toString("hex")}')`,
    )
    .join(", ")}
  on conflict do nothing`;

/** Asks that it be tried again: one, or all of them. The recorder that has the key of its spool does. Returns how many there are. */
export async function askRetry(sql: Sql, which: { id: string } | "all"): Promise<number> {
  const one = which === "all" ? sql`` : sql`where id = ${which.id}::uuid`;
  const rows = await sql`update set_aside set retry_asked_at = now() ${one} returning 1`;
  return rows.length;
}

export interface Asked {
  id: string;
  spool: string;
  sealed: Buffer;
  /** For how long it has been waiting. */
  askedSeconds: number;
}

/** The next one that somebody wants to be tried again, longest asked first, of those that are not in `skip`. */
export async function nextAsked(sql: Sql, skip: readonly string[]): Promise<Asked | null> {
  const [row] = await sql<Asked[]>`
    select id, spool, sealed, extract(epoch from now() - retry_asked_at)::float8 as "askedSeconds"
    from set_aside where retry_asked_at is not null and id <> all(${[...skip]}::uuid[])
    order by retry_asked_at, id limit 1`;
  return row ?? null;
}

/**
 * Says that a try begins, and that nobody else need begin one. False: somebody has. A recorder that dies in the middle leaves this
 * sentence, and does not try again by itself: what killed it could kill it for ever.
 */
export async function beginRetry(sql: Sql, id: string): Promise<boolean> {
  const rows = await sql`
    update set_aside set
      retry_asked_at = null, tries = least(tries + 1, ${TRIES_MAX}), tried_at = now(),
      reason = 'the last try did not come to its end: the recorder or the database went away'
    where id = ${id} and retry_asked_at is not null returning 1`;
  return rows.length === 1;
}

/** It was tried and cannot be stored now either: it stays, with what was wrong. */
export async function keepSetAside(sql: Sql, id: string, reason: string): Promise<void> {
  await sql`update set_aside set reason = ${shortened(reason)} where id = ${id}`;
}

/** The next one behind an id (null: the first), of calls that began before a moment (milliseconds) and of these spools. */
export async function nextOldAside(
  sql: Sql,
  spools: readonly string[],
  beforeMs: number,
  after: string | null,
): Promise<{ id: string; sealed: Buffer } | null> {
  const [row] = await sql<{ id: string; sealed: Buffer }[]>`
    select id, sealed from set_aside
    where spool = any(${[...spools]}) and id > ${after ?? uuid7Floor(0)} and id < ${uuid7Floor(beforeMs)}
    order by id limit 1`;
  return row ?? null;
}

/** Puts another form of it in the place of what is kept. Nothing happens when it was stored meanwhile. */
export async function resealAside(sql: Sql, id: string, sealed: Buffer): Promise<void> {
  await sql`update set_aside set sealed = ${sealed} where id = ${id}`;
}

const GONE = "OMGON";

/**
 * Stores a call that was set aside, and what came out of the same exchange, takes it out of the list, and moves it in the equation of its
 * run, all in one transaction: a second try of the same finds it gone. Returns why the database refuses it, or null when it is stored (or somebody else did it).
 * @throws the database's error when the call is not at fault; nothing has happened then.
 */
export async function storeSetAside(
  sql: Sql,
  id: string,
  one: RecordedCall,
  derived: readonly RecordedCall[] = [],
): Promise<string | null> {
  const now = Date.now();
  if (isAhead(one.call, now)) return aheadReason(one.call);
  const plan = await planCalls(sql, [one, ...derived.filter(({ call }) => !isAhead(call, now))]);
  if (plan.expired.has(one.call.id)) return "calls of its day are no longer kept (OMNIMETER_FACTS_DAYS)";
  await ensurePartitionsFor(
    sql,
    plan.fresh.map(({ call }) => call.startedAt),
  );
  try {
    // The equation last: the spool's recorder locks its rows in this order too, or the two could wait for each other.
    await sql.unsafe([guardMonths(plan), takeFromList(id), ...writePlanned(plan), ...moveInRun(one.call)].join(";\n"));
    return null;
  } catch (error) {
    if (codeOf(error) === GONE) return null;
    if (await isOvertaken(sql, error, plan)) return storeSetAside(sql, id, one, derived);
    if (isDataError(error)) return (error as Error).message;
    throw error;
  }
}

const takeFromList = (id: string): string => `
  do $taken$ begin
    delete from set_aside where id = ${quoted(id)}::uuid;
    if not found then raise exception 'it is no longer set aside' using errcode = '${GONE}'; end if;
  end $taken$`;

const moveInRun = ({ origin, parentId }: Call): string[] =>
  parentId === null
    ? [
        `update spool_runs set stored = stored + 1, set_aside = set_aside - 1, updated_at = now()
         where spool = ${quoted(origin.spool)} and run = ${quoted(origin.run)}`,
      ]
    : [];

/** The clock of a host that is further ahead than this was wrong when the call was made. */
const AHEAD_MAX_MS = 3_600_000;

export const isAhead = ({ startedAt }: Pick<Call, "startedAt">, nowMs: number): boolean =>
  startedAt > nowMs + AHEAD_MAX_MS;

export const aheadReason = ({ startedAt }: Call): string =>
  `it began at ${new Date(startedAt).toISOString()}, which is more than an hour from now: a clock was wrong, or this one is`;

const shortened = (reason: string): string => reason.replaceAll("\u0000", "\ufffd").slice(0, REASON_CHARACTERS);
