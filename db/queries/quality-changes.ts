import { inScope, type Reader, type Scope } from "./call-filter.ts";
import { ratingsSource } from "./ratings-source.ts";

const BASELINE_MS = 28 * 86_400_000;

/** A version or snapshot that was seen for the first time, when its subject had another one before. */
export interface Change {
  kind: "template_version" | "snapshot";
  /** The template, or the model name that was asked for. */
  subject: string;
  value: string;
  /** The newest of the values before. */
  valueBefore: string;
  firstCallId: string;
  atMs: number;
  /** The calls it is compared with: those of the subject's other values from here to the change, four weeks at most. */
  beforeFromMs: number;
  /** Where the subject's next change ends the calls after it; else now. */
  afterToMs: number;
}

const SIDES = ["before", "after"] as const;

interface Side {
  /** Which change, from 1, in the order given. */
  change: number;
  side: (typeof SIDES)[number];
}

/** The changes whose first call lies in range, newest first: at most `limit`, and one more where there are more. */
export async function changesInRange(sql: Reader, scope: Scope, nowMs: number, limit: number): Promise<Change[]> {
  const rows = await sql<(Omit<Change, "atMs" | "beforeFromMs" | "afterToMs"> & { at: Date; nextAt: Date | null })[]>`
    with history as (
      select
        kind, subject, value, first_call_id, first_call_at,
        lag(value) over subjects as value_before,
        lead(first_call_at) over subjects as next_at
      from changes
      where project_id = ${scope.project}
      window subjects as (partition by kind, subject order by first_call_at, first_call_id, value)
    )
    select
      kind, subject, value, value_before as "valueBefore", first_call_id as "firstCallId", first_call_at as at,
      next_at as "nextAt"
    from history
    where value_before is not null
      and first_call_at >= ${new Date(scope.interval.fromMs).toISOString()}::timestamptz
      and first_call_at < ${new Date(scope.interval.toMs).toISOString()}::timestamptz
    order by first_call_at desc, kind, subject, value
    limit ${limit + 1}`;
  return rows.map(({ at, nextAt, ...change }) => ({
    ...change,
    atMs: at.getTime(),
    beforeFromMs: at.getTime() - BASELINE_MS,
    afterToMs: nextAt?.getTime() ?? nowMs,
  }));
}

/** Ratings of the calls before and after each change. A side that nobody rated is left out. */
export async function ratingsAroundChanges(
  sql: Reader,
  scope: Scope,
  changes: readonly Change[],
): Promise<(Side & { up: number; down: number })[]> {
  if (changes.length === 0) return [];
  const interval = {
    fromMs: Math.min(...changes.map(({ beforeFromMs }) => beforeFromMs)),
    toMs: Math.max(...changes.map(({ afterToMs }) => afterToMs)),
  };
  const sides = changes.flatMap((change, i) =>
    SIDES.map((side) => ({ ...change, number: i + 1, side, ...stretchOf(change, side) })),
  );
  const all = <T>(pick: (row: (typeof sides)[number]) => T) => sides.map(pick);
  const subjects = changes.map(({ subject }) => subject);
  const { rows } = await ratingsSource(
    sql,
    { ...scope, interval },
    {
      by: "attributes",
      edges: sides.flatMap(({ fromMs, toMs }) => [fromMs, toMs]),
      among: sql`and (template = any(${subjects}) or request_model = any(${subjects}))`,
    },
  );
  return sql<(Side & { up: number; down: number })[]>`
    with said as materialized (
      select at, template, template_version, request_model, model, up, down from ${rows} said where up + down > 0
    ),
    sides as (
      select * from unnest(
        ${all(({ number }) => number)}::int[], ${all(({ side }) => side)}::text[], ${all(({ kind }) => kind)}::text[],
        ${all(({ subject }) => subject)}::text[], ${all(({ value }) => value)}::text[],
        ${all(({ fromMs }) => new Date(fromMs).toISOString())}::timestamptz[],
        ${all(({ toMs }) => new Date(toMs).toISOString())}::timestamptz[]
      ) as s(change, side, kind, subject, value, from_at, to_at)
    ),
    -- Each with its subject as an equation: pairs are looked up, not tried.
    told as (
      select change, side, up, down
      from sides join said on template = subject and at >= from_at and at < to_at
      where kind = 'template_version' and (template_version is not distinct from value) = (side = 'after')
      union all
      select change, side, up, down
      from sides join said on request_model = subject and at >= from_at and at < to_at
      where kind = 'snapshot' and (model = value) = (side = 'after')
    )
    select change, side, sum(up)::bigint as up, sum(down)::bigint as down
    from told group by 1, 2 order by 1, 2`;
}

export interface CallsOnSide {
  /** At most `nearest`: there may be more. */
  calls: number;
  /** Those with a known cost, whose mean this is. Decimal strings; null: too few to have one. */
  pricedCalls: number;
  costMean: string | null;
  costVariance: string | null;
  /** Of the completed ones, ascending. */
  durationsMs: number[];
}

/** Cost and duration of the calls on one side of a change, of the `nearest` ones to it where there are more. */
export async function callsOnSide(
  sql: Reader,
  scope: Scope,
  change: Change,
  side: Side["side"],
  nearest: number,
): Promise<CallsOnSide> {
  const interval = stretchOf(change, side);
  const [row] = await sql<CallsOnSide[]>`
    with near as materialized (
      select id, problems, case when outcome = 'completed' then duration_ms end as duration_ms
      from calls
      where ${inScope(sql, { ...scope, interval })} and ${ofSide(sql, change, side)}
      order by id ${side === "before" ? sql`desc` : sql`asc`}
      limit ${nearest}
    ),
    priced as (
      select near.*, cost.usd
      from near
      cross join lateral (
        -- Known only where every quantity has a price and the counts agree; a call without usage has no line at all.
        select case
          when coalesce(sum(quantity) filter (where cost_usd is null), 0) = 0
            and not 'usage_inconsistent' = any(near.problems)
          then sum(cost_usd) end as usd
        from usage_lines where call_id = near.id
      ) cost
    )
    select
      count(*) as calls,
      count(usd) as "pricedCalls",
      avg(usd)::text as "costMean",
      var_samp(usd)::text as "costVariance",
      coalesce(array_agg(duration_ms order by duration_ms) filter (where duration_ms is not null), '{}') as "durationsMs"
    from priced`;
  return row as CallsOnSide;
}

/** After a change its own value counts, before it every other one of the subject. As in `ratingsAroundChanges`. */
function ofSide(sql: Reader, { kind, subject, value }: Change, side: Side["side"]) {
  if (kind === "snapshot")
    return sql`request_model = ${subject} and ${side === "after" ? sql`model = ${value}` : sql`model <> ${value}`}`;
  return sql`
    template = ${subject}
    and ${side === "after" ? sql`template_version = ${value}` : sql`template_version is distinct from ${value}`}`;
}

const stretchOf = ({ beforeFromMs, atMs, afterToMs }: Change, side: Side["side"]) =>
  side === "before" ? { fromMs: beforeFromMs, toMs: atMs } : { fromMs: atMs, toMs: afterToMs };
