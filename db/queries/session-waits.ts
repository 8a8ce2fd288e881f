import { uuid7Floor } from "#db/partitions.ts";
import type { Reader, Scope } from "./call-filter.ts";
import { ofScope } from "./session-list.ts";

/** Waits for the first audio: from the end of the user's input. Raw values, nearest rank. */
export interface WaitsInSlot {
  /** From 1: which of the stretches between the edges. */
  slot: number;
  n: number;
  p50Ms: number;
  p95Ms: number;
  p99Ms: number;
}

/**
 * The waits of a scope's sessions over time, by when the user stopped; stretches without any are left out. Sessions belong to the range
 * in which they began: a turn beyond its end counts in the last stretch.
 */
export async function waitsOverTime(sql: Reader, scope: Scope, edges: readonly number[]): Promise<WaitsInSlot[]> {
  const moments = edges.map((ms) => new Date(ms).toISOString());
  return sql<WaitsInSlot[]>`
    select
      least(width_bucket(started_at + make_interval(secs => coalesce(input_end_ms, created_ms, 0) / 1000), ${moments}::timestamptz[]), ${edges.length - 1})::int as slot,
      count(*)::float8 as n, percentile_disc(0.5) within group (order by latency_ms) as "p50Ms",
      percentile_disc(0.95) within group (order by latency_ms) as "p95Ms", percentile_disc(0.99) within group (order by latency_ms) as "p99Ms"
    from sessions join turns on turns.session_id = sessions.id
    where ${ofScope(sql, scope)} and ${answeredIn(sql, scope)}
    group by 1 order by 1`;
}

/** Sessions of one feature and model, and what people waited for in them. */
export interface WaitsOfGroup {
  feature: string | null;
  model: string | null;
  sessions: number;
  /** Turns that were answered in audio, with their wait known. */
  n: number;
  /** null: there is none. */
  p50Ms: number | null;
  p95Ms: number | null;
  /** Means over the `n`, which sum to the mean wait: until the end of the user's input was noticed and an answer begun, in the application's tools, and the rest. */
  noticedMs: number | null;
  toolMs: number | null;
  modelMs: number | null;
  bargeIns: number;
  wastedMs: number;
  /** Exact decimals; null: no part of it has a price. */
  wastedUsd: string | null;
  /** Sessions with audio that was never heard, of which no price is known. */
  wastedUnpriced: number;
}

/** By feature and model, most turns first, at most `limit`. */
export async function waitsByGroup(sql: Reader, scope: Scope, limit: number): Promise<WaitsOfGroup[]> {
  return sql<WaitsOfGroup[]>`
    with session as (
      select id, feature, model, barge_ins, wasted_ms, wasted_usd from sessions where ${ofScope(sql, scope)}
    ),
    waits as (
      select
        feature, model, count(*)::float8 as n, percentile_disc(0.5) within group (order by latency_ms) as "p50Ms",
        percentile_disc(0.95) within group (order by latency_ms) as "p95Ms",
        avg(noticed_ms) as "noticedMs", avg(tool) as "toolMs", avg(latency_ms - noticed_ms - tool) as "modelMs"
      from (
        select feature, model, latency_ms, noticed_ms, least(coalesce(tool_ms, 0), latency_ms - noticed_ms) as tool
        from (
          select feature, model, latency_ms, tool_ms, greatest(0, least(created_ms - input_end_ms, latency_ms)) as noticed_ms
          from session join turns on turns.session_id = session.id where ${answeredIn(sql, scope)}
        ) part
      ) parts
      group by feature, model
    ),
    grouped as (
      select
        feature, model, count(*)::float8 as sessions, sum(barge_ins)::float8 as "bargeIns", sum(wasted_ms) as "wastedMs",
        trim_scale(sum(wasted_usd))::text as "wastedUsd",
        (count(*) filter (where wasted_ms > 0 and wasted_usd is null))::float8 as "wastedUnpriced"
      from session group by feature, model
    )
    select
      grouped.*, coalesce(waits.n, 0) as n, "p50Ms", "p95Ms", "noticedMs", "toolMs", "modelMs"
    from grouped left join waits
      on waits.feature is not distinct from grouped.feature and waits.model is not distinct from grouped.model
    order by n desc, sessions desc, feature, model limit ${limit}`;
}

/** SQL: of turns, those that were answered in audio, whose wait is known. */
const answeredIn = (sql: Reader, { interval }: Scope) => sql`
  first_audio_ms is not null and latency_ms is not null
  and turns.session_id >= ${uuid7Floor(interval.fromMs)}::uuid and turns.session_id < ${uuid7Floor(interval.toMs)}::uuid`;
