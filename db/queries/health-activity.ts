import type { Sql } from "postgres";
import type { Reader } from "./call-filter.ts";
import { READER } from "./snapshot.ts";

/** A query of ours that has been running for more than a second. */
export interface SlowQuery {
  pid: number;
  /** Names this query among those of its connection. */
  since: string;
  /** The connection's name: "omnimeter: spend …", or "omnimeter" for the recorder. */
  name: string;
  seconds: number;
  /** What it waits for, as Postgres names it; null: it computes. */
  waitsFor: string | null;
  /** Connections whose locks it waits for. */
  blockedBy: number;
  /** A page's or an export's: may be cancelled. What the recorder does would only be done again. */
  mayCancel: boolean;
}

/** Longest first, at most `limit`. Of the own database; of others' queries only the own user's can be seen. */
export async function slowQueries(sql: Reader, limit: number): Promise<SlowQuery[]> {
  return sql<SlowQuery[]>`
    select
      pid, query_start::text as since, application_name as name,
      extract(epoch from clock_timestamp() - query_start)::float8 as seconds,
      case when wait_event_type not in ('Activity', 'Client') then wait_event_type || ': ' || wait_event end as "waitsFor",
      cardinality(pg_blocking_pids(pid)) as "blockedBy",
      starts_with(application_name, ${READER}) as "mayCancel"
    from pg_stat_activity
    where datname = current_database() and state = 'active' and pid <> pg_backend_pid()
      and starts_with(application_name, 'omnimeter') and query_start < clock_timestamp() - interval '1 second'
    order by query_start
    limit ${limit}`;
}

/** Ends one of the dashboard's own reads, if it is still that one. */
export async function cancelSlowQuery(sql: Sql, pid: number, since: string): Promise<boolean> {
  const [row] = await sql<{ ended: boolean }[]>`
    select coalesce(bool_or(pg_cancel_backend(pid)), false) as ended from pg_stat_activity
    where pid = ${pid} and query_start::text = ${since} and state = 'active' and pid <> pg_backend_pid()
      and datname = current_database() and usename = current_user and starts_with(application_name, ${READER})`;
  return row?.ended ?? false;
}

export interface Statement {
  /** Its text with values left out, the beginning of it. */
  text: string;
  calls: number;
  meanMs: number;
  totalMs: number;
}

const TEXT_CHARACTERS = 200;

/** The statements that took the most time in all since the figures were reset. null: the extension is not there. */
export async function dearestStatements(sql: Reader, limit: number): Promise<Statement[] | null> {
  const [extension] = await sql<{ schema: string }[]>`
    select n.nspname as schema from pg_extension e join pg_namespace n on n.oid = e.extnamespace
    where extname = 'pg_stat_statements'`;
  if (!extension) return null;
  return sql<Statement[]>`
    select
      left(regexp_replace(query, '\\s+', ' ', 'g'), ${TEXT_CHARACTERS}) as text, calls,
      mean_exec_time as "meanMs", total_exec_time as "totalMs"
    from ${sql(extension.schema)}.pg_stat_statements
    where dbid = (select oid from pg_database where datname = current_database())
    order by total_exec_time desc
    limit ${limit}`;
}
