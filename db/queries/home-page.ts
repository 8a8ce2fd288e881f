import type { Interval } from "#lib/range.ts";
import type { Reader } from "./call-filter.ts";
import { spendSource } from "./spend-source.ts";

const DAY_MS = 86_400_000;

/** Money of a stretch of time; decimal strings. Unpriced calls are in no amount. */
export interface Spent {
  calls: number;
  callsUnpriced: number;
  callsWithoutUsage: number;
  /** Of reported and of estimated usage. */
  costUsd: string;
  /** The estimated part of it. */
  costEstimatedUsd: string;
  /** Cost of calls without a feature, a customer or a template; and of those that lack each. */
  unallocatedUsd: string;
  withoutUsd: Record<"feature" | "customer" | "template", string>;
  /** `unallocatedUsd` of all cost; null: nothing cost anything. */
  unallocatedShare: number | null;
}

/** Reads rollup_spend between two moments, and the calls of the broken quarters of an hour at its ends. */
export async function spentIn(sql: Reader, project: string, interval: Interval): Promise<Spent> {
  const { rows } = await spendSource(sql, { project, interval, filter: {} });
  const [row] = await sql<(Omit<Spent, "withoutUsd"> & Record<"feature" | "customer" | "template", string>)[]>`
    select
      coalesce(sum(calls), 0)::bigint as calls,
      coalesce(sum(calls_unpriced), 0)::bigint as "callsUnpriced",
      coalesce(sum(calls_without_usage), 0)::bigint as "callsWithoutUsage",
      trim_scale(coalesce(sum(usd), 0))::text as "costUsd",
      trim_scale(coalesce(sum(cost_estimated_usd), 0))::text as "costEstimatedUsd",
      trim_scale(coalesce(sum(usd) filter (where '' in (feature, customer, template)), 0))::text as "unallocatedUsd",
      trim_scale(coalesce(sum(usd) filter (where feature = ''), 0))::text as feature,
      trim_scale(coalesce(sum(usd) filter (where customer = ''), 0))::text as customer,
      trim_scale(coalesce(sum(usd) filter (where template = ''), 0))::text as template,
      (coalesce(sum(usd) filter (where '' in (feature, customer, template)), 0) / nullif(sum(usd), 0))::float8
        as "unallocatedShare"
    from (select *, cost_usd + cost_estimated_usd as usd from ${rows} spent) spent`;
  // Sums without "group by" are always one row.
  const { feature, customer, template, ...sums } = row as NonNullable<typeof row>;
  return { ...sums, withoutUsd: { feature, customer, template } };
}

export interface ModelUse {
  /** The model that answered, or else the one asked for; '' = neither is known, '(other)' = several. */
  model: string;
  calls: number;
  callsUnpriced: number;
}

/** Models by their calls in a stretch of time, most used first, at most `limit`. Reads as much as `spentIn`. */
export async function modelsIn(sql: Reader, project: string, interval: Interval, limit: number): Promise<ModelUse[]> {
  const { rows } = await spendSource(
    sql,
    { project, interval, filter: {} },
    { told: ["model"], measures: ["calls", "calls_unpriced"] },
  );
  return sql<ModelUse[]>`
    select
      model, sum(calls)::bigint as calls, sum(calls_unpriced)::bigint as "callsUnpriced"
    from ${rows} spent
    group by 1 having sum(calls) <> 0 or sum(calls_unpriced) <> 0
    order by sum(calls_unpriced) > 0 desc, 2 desc, 1
    limit ${limit}`;
}

/**
 * Start of the newest quarter of an hour in which an unpriced call is booked, of the newest day of UTC that has any that is unpriced still;
 * null: none has. Days are read as `modelsIn` reads them, and the quarters of one day.
 */
export async function newestUnpricedQuarter(sql: Reader, project: string, interval: Interval): Promise<number | null> {
  const { fromMs, toMs } = interval;
  const midnights: number[] = [];
  for (let at = (Math.floor(fromMs / DAY_MS) + 1) * DAY_MS; at < toMs; at += DAY_MS) midnights.push(at);
  const { rows } = await spendSource(
    sql,
    { project, interval, filter: {} },
    { edges: [fromMs, ...midnights, toMs], told: ["model"], measures: ["calls_unpriced"] },
  );
  const [newest] = await sql<{ day: string }[]>`
    select (bucket at time zone 'UTC')::date::text as day from ${rows} spent
    group by 1 having sum(calls_unpriced) > 0 order by 1 desc limit 1`;
  if (!newest) return null;
  const dayMs = Date.parse(newest.day);
  const [from, to] = [Math.max(fromMs, dayMs), Math.min(toMs, dayMs + DAY_MS)].map((ms) => new Date(ms).toISOString());
  const [row] = await sql<{ bucket: Date }[]>`
    select bucket from rollup_spend
    where project_id = ${project} and calls_unpriced > 0
      and bucket >= ${from as string}::timestamptz and bucket < ${to as string}::timestamptz
    order by bucket desc limit 1`;
  return row?.bucket.getTime() ?? null;
}

export interface Losses {
  /** Calls that were relayed and not recorded, by reason. */
  dropped: Record<string, number>;
  /** When the first of the worker lives that dropped them began. */
  droppedSince: Date | null;
  /** Calls that were recorded and could not be stored: kept, to be tried again. */
  setAside: number;
  setAsideSince: Date | null;
}

/**
 * What is not among the calls: drops of the worker lives that were heard of since a moment (when each call was dropped is
 * not known), and everything set aside. One row per worker life and per call set aside, of which at most 10,000 are counted.
 */
export async function lossesSince(sql: Reader, sinceMs: number): Promise<Losses> {
  const reasons = await sql<{ reason: string; calls: number; since: Date }[]>`
    select reason, sum(calls::bigint)::bigint as calls, min(first_seen_at) as since
    from spool_runs cross join lateral jsonb_each_text(dropped) as d(reason, calls)
    where updated_at >= ${new Date(sinceMs).toISOString()}::timestamptz and calls::bigint > 0
    group by 1 order by 2 desc, 1`;
  const [aside] = await sql<{ calls: number; since: Date | null }[]>`
    select count(*) as calls, min(set_aside_at) as since from (select set_aside_at from set_aside limit 10000) aside`;
  const times = reasons.map(({ since }) => since.getTime());
  return {
    dropped: Object.fromEntries(reasons.map(({ reason, calls }) => [reason, calls])),
    droppedSince: times.length ? new Date(Math.min(...times)) : null,
    setAside: aside?.calls ?? 0,
    setAsideSince: aside?.since ?? null,
  };
}
