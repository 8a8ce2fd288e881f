import { uuid7Floor } from "#db/partitions.ts";
import type { Session } from "#lib/session.ts";
import type { CallFilter, Reader, Scope } from "./call-filter.ts";
import { type Cursor, moneyOf } from "./calls-page.ts";

/** No provider lets a session live for longer. */
const LIVES_MS = 86_400_000;

/** Attributes of the filter that a session has; the others say nothing about it. */
export const SESSION_FILTERS = ["feature", "customer", "model", "environment"] as const satisfies (keyof CallFilter)[];

export interface SessionRow
  extends Pick<
    Session,
    | "id"
    | "kind"
    | "transport"
    | "model"
    | "feature"
    | "customer"
    | "endReason"
    | "turns"
    | "bargeIns"
    | "falseBargeIns"
    | "wastedMs"
    | "errors"
    | "problems"
  > {
  startedAt: Date;
  /** null: still open. */
  endedAt: Date | null;
  /** Waits for the first audio: their median, and of how many turns. null: none answered in audio. */
  latencyMs: number | null;
  latencies: number;
  costUsd: string | null;
  callsUnpriced: number;
  calls: number;
}

/** One page of sessions, newest first, with one row more than `limit` where there are more in the cursor's direction. */
export async function sessionsOfPage(sql: Reader, scope: Scope, cursor: Cursor, limit: number): Promise<SessionRow[]> {
  const newer = cursor !== null && "after" in cursor;
  const { project, interval, filter } = scope;
  const rows = await sql<SessionRow[]>`
    with page as (
      select
        id, kind, transport, model, feature, customer, end_reason as "endReason", turns, barge_ins as "bargeIns",
        false_barge_ins as "falseBargeIns", wasted_ms as "wastedMs", errors, problems, started_at as "startedAt", ended_at as "endedAt"
      from sessions
      where project_id = ${project}
        and id >= ${uuid7Floor(interval.fromMs)}::uuid and id < ${uuid7Floor(interval.toMs)}::uuid
        ${SESSION_FILTERS.map((name) => oneOf(sql, name, filter[name])).reduce((all, one) => sql`${all} ${one}`)}
        ${cursor === null ? sql`` : "after" in cursor ? sql`and id > ${cursor.after}::uuid` : sql`and id < ${cursor.before}::uuid`}
      order by id ${newer ? sql`asc` : sql`desc`}
      limit ${limit + 1}
    )
    select page.*, waits.*, money.*
    from page
    cross join lateral (
      select percentile_disc(0.5) within group (order by latency_ms) as "latencyMs", count(latency_ms)::float8 as latencies
      from turns where session_id = page.id and first_audio_ms is not null
    ) waits
    cross join lateral (
      select
        trim_scale(sum(cost."costUsd"::numeric))::text as "costUsd", count(*)::float8 as calls,
        (count(*) filter (where cost.unpriced or 'usage_inconsistent' = any(calls.problems)))::float8 as "callsUnpriced"
      from calls cross join lateral (${moneyOf(sql, sql`calls.id`)}) cost
      where calls.project_id = ${project} and parent_id = page.id
        and calls.id >= ${uuid7Floor(interval.fromMs)}::uuid and calls.id < ${uuid7Floor(interval.toMs + LIVES_MS)}::uuid
        and calls.started_at >= page."startedAt" and calls.started_at < page."startedAt" + interval '1 day'
    ) money
    order by id ${newer ? sql`asc` : sql`desc`}`;
  return newer ? rows.reverse() : rows;
}

/** All sessions of a scope together. */
export interface SessionTotals {
  sessions: number;
  turns: number;
  bargeIns: number;
  falseBargeIns: number;
  wastedMs: number;
  /** What was generated for it and never heard; an exact decimal. null: no part of it has a price. */
  wastedUsd: string | null;
  /** Sessions with such audio, of which no price is known. */
  wastedUnpriced: number;
  /** Waits for the first audio over all turns, from raw values; null: there is none. */
  waits: { n: number; p50: number | null; p95: number | null; p99: number | null };
}

export async function sessionTotals(sql: Reader, scope: Scope): Promise<SessionTotals> {
  const [[all], [waits]] = await Promise.all([
    sql<Omit<SessionTotals, "waits">[]>`
      select
        count(*)::float8 as sessions, coalesce(sum(turns), 0)::float8 as turns, coalesce(sum(barge_ins), 0)::float8 as "bargeIns",
        coalesce(sum(false_barge_ins), 0)::float8 as "falseBargeIns", coalesce(sum(wasted_ms), 0)::float8 as "wastedMs",
        trim_scale(sum(wasted_usd))::text as "wastedUsd",
        (count(*) filter (where wasted_ms > 0 and wasted_usd is null))::float8 as "wastedUnpriced"
      from sessions where ${ofScope(sql, scope)}`,
    sql<SessionTotals["waits"][]>`
      select
        count(latency_ms)::float8 as n, percentile_disc(0.5) within group (order by latency_ms) as p50,
        percentile_disc(0.95) within group (order by latency_ms) as p95, percentile_disc(0.99) within group (order by latency_ms) as p99
      from sessions join turns on turns.session_id = sessions.id
      where ${ofScope(sql, scope)} and first_audio_ms is not null
        and session_id >= ${uuid7Floor(scope.interval.fromMs)}::uuid and session_id < ${uuid7Floor(scope.interval.toMs)}::uuid`,
  ]);
  const nothing = {
    sessions: 0,
    turns: 0,
    bargeIns: 0,
    falseBargeIns: 0,
    wastedMs: 0,
    wastedUsd: null,
    wastedUnpriced: 0,
  };
  return { ...(all ?? nothing), waits: waits ?? { n: 0, p50: null, p95: null, p99: null } };
}

/** What all sessions of a scope cost: the sum of the rows that the list shows, page after page. */
export interface SessionsCost {
  costUsd: string | null;
  /** Calls with a part that has no price: in no sum. */
  callsUnpriced: number;
  calls: number;
}

/** null: there are more than `mayRead` sessions, whose calls are not added up here. */
export async function sessionsCost(sql: Reader, scope: Scope, mayRead: number): Promise<SessionsCost | null> {
  const { project, interval } = scope;
  const [row] = await sql<(SessionsCost & { sessions: number })[]>`
    with session as materialized (
      select id, started_at from sessions where ${ofScope(sql, scope)} limit ${mayRead + 1}
    )
    select
      (select count(*) from session)::float8 as sessions, count(calls.id)::float8 as calls,
      trim_scale(sum(cost."costUsd"::numeric))::text as "costUsd",
      (count(*) filter (where cost.unpriced or 'usage_inconsistent' = any(calls.problems)))::float8 as "callsUnpriced"
    from session
    join calls on calls.parent_id = session.id and calls.project_id = ${project}
      and calls.id >= ${uuid7Floor(interval.fromMs)}::uuid and calls.id < ${uuid7Floor(interval.toMs + LIVES_MS)}::uuid
      and calls.started_at >= session.started_at and calls.started_at < session.started_at + interval '1 day'
    cross join lateral (${moneyOf(sql, sql`calls.id`)}) cost
    where (select count(*) from session) <= ${mayRead}`;
  if (!row || row.sessions > mayRead) return null;
  return { costUsd: row.costUsd, callsUnpriced: row.callsUnpriced, calls: row.calls };
}

/** Values of one attribute with their sessions in range, under the other filters; most first, at most `limit`. '' = none given. */
export async function sessionOptions(
  sql: Reader,
  { project, interval, filter }: Scope,
  attribute: (typeof SESSION_FILTERS)[number],
  limit: number,
): Promise<{ value: string; sessions: number }[]> {
  const others = SESSION_FILTERS.filter((name) => name !== attribute);
  return sql<{ value: string; sessions: number }[]>`
    select coalesce(${sql(attribute)}, '') as value, count(*)::float8 as sessions from sessions
    where project_id = ${project}
      and id >= ${uuid7Floor(interval.fromMs)}::uuid and id < ${uuid7Floor(interval.toMs)}::uuid
      ${others.map((name) => oneOf(sql, name, filter[name])).reduce((all, one) => sql`${all} ${one}`)}
    group by 1 order by 2 desc, 1 limit ${limit}`;
}

/** Has this project held a session, ever? */
export async function anySession(sql: Reader, project: string): Promise<boolean> {
  const [row] = await sql<{ any: boolean }[]>`
    select exists (select 1 from sessions where project_id = ${project}) as any`;
  return row?.any ?? false;
}

/** SQL: of sessions, those that began in the range, with the filter's attributes. */
export const ofScope = (sql: Reader, { project, interval, filter }: Scope) => sql`
  project_id = ${project} and id >= ${uuid7Floor(interval.fromMs)}::uuid and id < ${uuid7Floor(interval.toMs)}::uuid
  ${SESSION_FILTERS.map((name) => oneOf(sql, name, filter[name])).reduce((all, one) => sql`${all} ${one}`)}`;

function oneOf(sql: Reader, column: string, values: readonly string[] | undefined) {
  if (!values) return sql``;
  const named = values.filter((value) => value !== "");
  const given = named.length > 0 ? sql`${sql(column)} in ${sql(named)}` : sql`false`;
  return named.length === values.length ? sql`and ${given}` : sql`and (${given} or ${sql(column)} is null)`;
}
