import { uuid7Floor } from "#db/partitions.ts";
import type { Outcome, UsageSource } from "#lib/call.ts";
import type { Session, Turn } from "#lib/session.ts";
import { uuid7Ms } from "#lib/uuid7.ts";
import type { Reader } from "./call-filter.ts";
import { moneyOf } from "./calls-page.ts";

/** No provider lets a session live for longer: its calls began within so much of it. */
const LIVES_MS = 86_400_000;

export interface StoredSession {
  session: Session;
  resumedFrom: string | null;
  /** The session that goes on with this one. */
  resumedBy: string | null;
}

export async function sessionOf(sql: Reader, project: string, id: string): Promise<StoredSession | null> {
  const [row] = await sql<Row[]>`select * from sessions where project_id = ${project} and id = ${id}::uuid`;
  if (!row) return null;
  const { resumedFrom, startedAt, endedAt, expiresAt, ...session } = named(row);
  const [next] = await sql<{ id: string }[]>`
    select id from sessions
    where session = ${row.session as string | null} and resumed_from = ${id}::uuid and id > ${id}::uuid
      and id < ${uuid7Floor(uuid7Ms(id) + 2 * LIVES_MS)}::uuid
    order by id limit 1`;
  return {
    // The columns are the noun's (db/schema-sessions.ts); only moments are kept otherwise.
    session: { ...session, startedAt: msOf(startedAt), endedAt: msOf(endedAt), expiresAt: msOf(expiresAt) } as Session,
    resumedFrom: resumedFrom as string | null,
    resumedBy: next?.id ?? null,
  };
}

/** Its turns in order, at most `limit`. */
export async function turnsOf(sql: Reader, id: string, limit: number): Promise<Turn[]> {
  const rows = await sql<Row[]>`select * from turns where session_id = ${id}::uuid order by index limit ${limit}`;
  return rows.map((row) => named(row) as unknown as Turn);
}

/** A call that came out of the session. */
export interface CallOfSession {
  id: string;
  startedAt: Date;
  endpoint: string;
  model: string | null;
  outcome: Outcome;
  usageSource: UsageSource;
  inputTokens: number | null;
  cachedTokens: number | null;
  outputTokens: number | null;
  durationMs: number | null;
  problems: string[];
  errorCode: string | null;
  costUsd: string | null;
  unpriced: boolean;
}

/** Its calls in the order in which they began, at most `limit`. */
export async function callsOfSession(
  sql: Reader,
  project: string,
  id: string,
  limit: number,
): Promise<CallOfSession[]> {
  return sql<CallOfSession[]>`
    with child as (
      select
        id, started_at as "startedAt", endpoint, model, outcome, usage_source as "usageSource", input_tokens as "inputTokens",
        cached_tokens as "cachedTokens", output_tokens as "outputTokens", duration_ms as "durationMs", problems,
        error_code as "errorCode"
      from calls where ${childrenOf(sql, project, id)} order by calls.id limit ${limit}
    )
    select child.*, money.* from child cross join lateral (${moneyOf(sql, sql`child.id`)}) money order by child.id`;
}

/** A part of what all its calls cost: exact decimals, what has no price is in none. */
export interface CostOfSession {
  endpoint: string;
  direction: "input" | "output" | "tool";
  modality: string;
  cached: boolean;
  costUsd: string;
}

export async function costOfSession(
  sql: Reader,
  project: string,
  id: string,
): Promise<{ parts: CostOfSession[]; costUsd: string | null; calls: number; callsUnpriced: number }> {
  const [parts, [all]] = await Promise.all([
    sql<CostOfSession[]>`
      select
        endpoint, direction, modality, cache = 'read' as cached, trim_scale(sum(line.cost_usd))::text as "costUsd"
      from calls join usage_lines line on line.call_id = calls.id
      where ${childrenOf(sql, project, id)} and line.cost_usd is not null
        and line.call_id >= ${uuid7Floor(uuid7Ms(id))}::uuid and line.call_id < ${lastOf(id)}::uuid
      group by 1, 2, 3, 4 order by 1, 2, 3, 4`,
    sql<{ costUsd: string | null; calls: number; callsUnpriced: number }[]>`
      select
        trim_scale(sum(money."costUsd"::numeric))::text as "costUsd", count(*)::float8 as calls,
        (count(*) filter (where money.unpriced or 'usage_inconsistent' = any(problems)))::float8 as "callsUnpriced"
      from calls cross join lateral (${moneyOf(sql, sql`calls.id`)}) money
      where ${childrenOf(sql, project, id)}`,
  ]);
  return { parts, costUsd: all?.costUsd ?? null, calls: all?.calls ?? 0, callsUnpriced: all?.callsUnpriced ?? 0 };
}

/** SQL: of calls, those that came out of the session. A derived id begins with its own millisecond, which may be that of the session: from its floor on. */
const childrenOf = (sql: Reader, project: string, id: string) => sql`
  project_id = ${project} and parent_id = ${id}::uuid
  and calls.id >= ${uuid7Floor(uuid7Ms(id))}::uuid and calls.id < ${lastOf(id)}::uuid`;

const lastOf = (id: string) => uuid7Floor(uuid7Ms(id) + LIVES_MS);

type Row = Record<string, unknown>;

const named = (row: Row): Row => Object.fromEntries(Object.entries(row).map(([name, value]) => [camel(name), value]));
const camel = (name: string) => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
const msOf = (moment: unknown): number | null => (moment instanceof Date ? moment.getTime() : null);
