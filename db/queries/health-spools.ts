import type { Reader } from "./call-filter.ts";

/** accepted = stored + set aside + dropped + open, of all runs of a spool that the recorder has read from. */
export interface SpoolHealth {
  spool: string;
  runs: number;
  accepted: number;
  stored: number;
  setAside: number;
  dropped: number;
  /** Of the run that is being read: in flight, or in the spool, when the recorder stored last. */
  open: number;
  /** Of runs that are over, which leave nothing open: calls that are nowhere. */
  missing: number;
  /** Calls that ended more often than they were accepted. */
  surplus: number;
  /** Everything before is stored. null: nothing was read of it yet. */
  watermarkAt: Date | null;
  /** By the database's clock. */
  behindSeconds: number | null;
  /** A recorder holds it now. */
  held: boolean;
}

export interface EquationOfAll extends Omit<SpoolHealth, "spool" | "watermarkAt" | "behindSeconds" | "held"> {
  spools: number;
  /** Calls whose client had its answer's end before that was written: stored, unless the worker died right then. */
  atRisk: number;
}

/** Spools in the order in which they moved last, at most `limit`, and one more where there are more. */
export async function spoolHealth(sql: Reader, limit: number): Promise<SpoolHealth[]> {
  return sql<SpoolHealth[]>`
    with counted as (${runCounts(sql)})
    select
      spool,
      count(counted.run)::int as runs,
      coalesce(sum(accepted), 0)::bigint as accepted, coalesce(sum(stored), 0)::bigint as stored,
      coalesce(sum(set_aside), 0)::bigint as "setAside", coalesce(sum(dropped), 0)::bigint as dropped,
      ${rests(sql)},
      max(p.updated_at) as "watermarkAt",
      extract(epoch from now() - max(p.updated_at))::float8 as "behindSeconds",
      coalesce(bool_or(p.lease is not null and p.leased_until > now()), false) as held
    from counted full join spool_positions p using (spool)
    group by spool
    order by max(p.updated_at) desc nulls last, spool
    limit ${limit + 1}`;
}

/** The same of all spools together. */
export async function equationOfAll(sql: Reader): Promise<EquationOfAll> {
  const [row] = await sql<EquationOfAll[]>`
    with counted as (${runCounts(sql)})
    select
      count(distinct spool)::int as spools, count(*)::int as runs,
      coalesce(sum(accepted), 0)::bigint as accepted, coalesce(sum(stored), 0)::bigint as stored,
      coalesce(sum(set_aside), 0)::bigint as "setAside", coalesce(sum(dropped), 0)::bigint as dropped,
      ${rests(sql)},
      coalesce(sum(at_risk), 0)::bigint as "atRisk"
    from counted`;
  // Sums without groups are one row.
  return row as EquationOfAll;
}

const rests = (sql: Reader) => sql`
  coalesce(sum(rest) filter (where present and rest > 0), 0)::bigint as open,
  coalesce(sum(rest) filter (where not present and rest > 0), 0)::bigint as missing,
  coalesce(-sum(rest) filter (where rest < 0), 0)::bigint as surplus`;

/** One row per run. `present`: it is the one that its spool is being read of. */
const runCounts = (sql: Reader) => sql`
  select
    r.spool, r.run, r.accepted, r.stored, r.set_aside, r.at_risk, d.dropped,
    r.accepted - r.stored - r.set_aside - d.dropped as rest,
    coalesce(r.run = at.run, false) as present
  from spool_runs r
  left join spool_positions at on at.spool = r.spool
  cross join lateral (select coalesce(sum(value::bigint), 0) as dropped from jsonb_each_text(r.dropped)) d`;

export interface Drop {
  reason: string;
  calls: number;
  spools: number;
  /** Calls were dropped between these moments: the beginning of the first run that did, and the last word of the last. */
  firstAt: Date;
  lastAt: Date;
}

/** Most calls first. */
export async function dropsByReason(sql: Reader): Promise<Drop[]> {
  return sql<Drop[]>`
    select
      key as reason, sum(value::bigint)::bigint as calls, count(distinct spool)::int as spools,
      min(first_seen_at) as "firstAt", max(updated_at) as "lastAt"
    from spool_runs cross join lateral jsonb_each_text(dropped)
    where value::bigint <> 0
    group by key order by 2 desc, 1`;
}
