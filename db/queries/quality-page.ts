import { RATABLE } from "#db/ratable.ts";
import type { Interval } from "#lib/range.ts";
import { inScope, matchingRollup, OTHER, type Reader, type Scope, servedByRollup } from "./call-filter.ts";
import { wordsInScope } from "./quality-words.ts";
import { ratingsSource, stretchesOf, summed } from "./ratings-source.ts";

const QUARTER_MS = 900_000;

/** What people said about calls. */
export interface Ratings {
  up: number;
  down: number;
  /** Ratable calls with at least one rating. */
  ratedCalls: number;
}

export interface RatingsInSlot extends Ratings {
  /** From 1: which of the stretches between the edges. */
  slot: number;
  corrections: number;
}

/** Ratings by the time of the rated call, between edges (milliseconds, ascending). Slots where nothing was said are left out. */
export async function ratingsOverTime(sql: Reader, scope: Scope, edges: readonly number[]): Promise<RatingsInSlot[]> {
  const { rows } = await ratingsSource(sql, scope, { by: "time", edges });
  return sql<RatingsInSlot[]>`
    select
      width_bucket(at, ${instants(edges)}::timestamptz[]) as slot,
      ${RATINGS(sql)},
      sum(corrections)::bigint as corrections
    from ${rows} said
    group by 1
    having sum(up + down + corrections) > 0
    order by 1`;
}

/** Columns of `Ratings`. */
const RATINGS = (sql: Reader) => sql`
  sum(up)::bigint as up, sum(down)::bigint as down, sum(rated_calls)::bigint as "ratedCalls"`;

/** Calls that could have been rated, between edges: what rated calls are a share of. */
export async function ratableOverTime(
  sql: Reader,
  scope: Scope,
  edges: readonly number[],
): Promise<{ slot: number; calls: number }[]> {
  const inner = edges.slice(1, -1);
  const exact = !inner.every((edge) => edge % QUARTER_MS === 0) || !(await rollupKnows(sql, scope, null));
  const { rows } = await ratableCalls(sql, scope, edges, exact);
  return sql<{ slot: number; calls: number }[]>`
    select width_bucket(at, ${instants(edges)}::timestamptz[]) as slot, sum(calls)::bigint as calls
    from ${rows} part
    group by 1 order by 1`;
}

export const GROUPINGS = ["feature", "template", "version", "snapshot", "customer"] as const;
export type Grouping = (typeof GROUPINGS)[number];

export interface RatingsOfGroup extends Ratings {
  /** '' = none given. For versions the template's name. */
  name: string;
  /** Only for versions; '' = none given. */
  version: string;
  ratableCalls: number;
}

/** Ratings by an attribute of the rated call. Groups that nobody rated are left out; most rated first, at most `limit`. */
export async function ratingsByGroup(
  sql: Reader,
  scope: Scope,
  grouping: Grouping,
  limit: number,
): Promise<RatingsOfGroup[]> {
  const { name, version, rolledUp } = GROUP_COLUMNS[grouping];
  const exact = rolledUp === null || !(await rollupKnows(sql, scope, rolledUp));
  const key = sql`coalesce(${name(sql)}, '') as name, ${version ? sql`coalesce(template_version, '')` : sql`''::text`} as version`;
  const edges = [scope.interval.fromMs, scope.interval.toMs];
  const said = await ratingsSource(sql, scope, { by: "attributes", edges });
  const possible = await ratableCalls(sql, scope, edges, exact);
  return sql<RatingsOfGroup[]>`
    with rated as (
      select ${key}, ${RATINGS(sql)}
      from ${said.rows} said
      group by 1, 2
      having sum(up + down) > 0
      order by sum(up + down) desc, 1, 2
      limit ${limit}
    ),
    possible as (
      select ${key}, sum(calls)::bigint as calls
      from ${possible.rows} part
      group by 1, 2
    )
    select rated.*, coalesce(possible.calls, 0)::bigint as "ratableCalls"
    from rated left join possible using (name, version)
    order by up + down desc, name, version`;
}

const GROUP_COLUMNS: Record<
  Grouping,
  { name: (sql: Reader) => ReturnType<Reader>; version: boolean; rolledUp: "feature" | "model" | null }
> = {
  feature: { name: (sql) => sql`feature`, version: false, rolledUp: "feature" },
  template: { name: (sql) => sql`template`, version: false, rolledUp: null },
  version: { name: (sql) => sql`template`, version: true, rolledUp: null },
  // The model that answered; before an answer named one, the one that was asked for.
  snapshot: { name: (sql) => sql`coalesce(model, request_model)`, version: false, rolledUp: "model" },
  customer: { name: (sql) => sql`customer`, version: false, rolledUp: null },
};

/**
 * Ratable calls of a scope with what they can be told apart by. Where no sums of whole days are, whole quarters of an hour come from
 * `rollup_calls`, unless `exact`: it cannot tell these calls apart. All count the same.
 */
async function ratableCalls(sql: Reader, scope: Scope, edges: readonly number[], exact: boolean) {
  const { days, rest } = await stretchesOf(sql, "calls", scope, edges);
  const parts = [
    ...(days.length > 0 ? [daysOfCalls(sql, scope, days)] : []),
    ...rest.flatMap((interval) =>
      exact ? [callByCall(sql, scope, interval)] : byQuarters(sql, { ...scope, interval }),
    ),
  ];
  return { rows: sql`(${parts.reduce((before, part) => sql`${before} union all ${part}`)})` };
}

function byQuarters(sql: Reader, scope: Scope) {
  const { fromMs, toMs } = scope.interval;
  const { wholeFromMs, wholeToMs } = wholeQuarters(scope);
  if (wholeFromMs >= wholeToMs) return [callByCall(sql, scope, scope.interval)];
  return [
    sql`
      select bucket as at, feature, customer, template, template_version, request_model, model, calls
      from (select *, null as customer, null as template, null as template_version, null as request_model from rollup_calls) r
      where ${inQuarters(sql, scope)} and ${sql.unsafe(RATABLE)}`,
    ...(fromMs < wholeFromMs ? [callByCall(sql, scope, { fromMs, toMs: wholeFromMs })] : []),
    ...(wholeToMs < toMs ? [callByCall(sql, scope, { fromMs: wholeToMs, toMs })] : []),
  ];
}

const daysOfCalls = (sql: Reader, scope: Scope, days: readonly Interval[]) => sql`
  select at, feature, customer, template, template_version, request_model, model, calls
  from ${summed(sql, "calls", scope, days)}`;

const callByCall = (sql: Reader, scope: Scope, interval: Interval) => sql`
  select started_at as at, feature, customer, template, template_version, request_model, model, 1 as calls
  from calls
  where ${inScope(sql, { ...scope, interval })} and ${sql.unsafe(RATABLE)}`;

/** Can the rollup tell these calls apart? Not by a filter it does not keep, nor where it folded values of one away. */
async function rollupKnows(sql: Reader, scope: Scope, by: "feature" | "model" | null): Promise<boolean> {
  if (!servedByRollup(scope.filter)) return false;
  const { wholeFromMs, wholeToMs } = wholeQuarters(scope);
  if (wholeFromMs >= wholeToMs) return false;
  const asked = (["feature", "model"] as const).filter((one) => one === by || scope.filter[one]);
  if (asked.length === 0) return true;
  const [row] = await sql<{ folded: boolean }[]>`
    select exists (
      select 1 from rollup_calls where ${inQuarters(sql, scope)}
      and (${asked.map((one, i) => sql`${i ? sql`or` : sql``} ${sql(one)} = ${OTHER}`)})
    ) as folded`;
  return row?.folded === false;
}

const inQuarters = (sql: Reader, scope: Scope) => sql`
  project_id = ${scope.project}
  and bucket >= ${instant(wholeQuarters(scope).wholeFromMs)}::timestamptz
  and bucket < ${instant(wholeQuarters(scope).wholeToMs)}::timestamptz
  ${matchingRollup(sql, scope.filter)}`;

const wholeQuarters = ({ interval: { fromMs, toMs } }: Scope) => ({
  wholeFromMs: Math.ceil(fromMs / QUARTER_MS) * QUARTER_MS,
  wholeToMs: Math.floor(toMs / QUARTER_MS) * QUARTER_MS,
});

/** Feedback whose call is not stored (yet), by what it speaks of. It is in no rate. */
export interface Waiting {
  kind: "call" | "response" | "session";
  count: number;
  oldestAt: Date;
}

export async function waitingFeedback(sql: Reader, project: string): Promise<Waiting[]> {
  return sql<Waiting[]>`
    select target_kind as kind, count(*) as count, min(received_at) as "oldestAt"
    from feedback
    where project_id = ${project} and matched_at is null
    group by 1 order by 1`;
}

/** Has anybody rated anything, ever? */
export async function anyRating(sql: Reader, project: string): Promise<boolean> {
  const [row] = await sql<{ any: boolean }[]>`
    select exists (select 1 from feedback where project_id = ${project} and rating is not null) as any`;
  return row?.any ?? false;
}

export interface Comment {
  id: string;
  callId: string;
  rating: "up" | "down" | null;
  comment: string;
  correction: string | null;
  rater: string;
  saidAt: Date;
  feature: string | null;
  template: string | null;
  templateVersion: string | null;
  model: string | null;
}

/** What people wrote about calls in range: thumbs-down first, then what has no thumb, then thumbs-up; newest first in each. */
export async function newestComments(sql: Reader, scope: Scope, limit: number): Promise<Comment[]> {
  return sql<Comment[]>`
    with newest as (
      ${THUMBS.map(
        (thumb, rank) => sql`
          ${rank > 0 ? sql`union all` : sql``}
          (
            -- A word's id begins with the millisecond at which it came. Only with its thumb does this name the order of the index.
            select
              word_id, call_id, ${rank}::int as rank, rating, feature, template, template_version,
              coalesce(model, request_model) as model
            from ratings
            where ${wordsInScope(sql, scope)} and rating ${thumb === null ? sql`is null` : sql`= ${thumb}`}
              and (has_comment or has_correction)
            order by rating desc, word_id desc
            limit ${limit}
          )`,
      )}
    )
    select
      id, newest.call_id as "callId", newest.rating, coalesce(comment, '') as comment, nullif(correction, '') as correction,
      rater, received_at as "saidAt", feature, template, template_version as "templateVersion", model
    from newest join feedback on id = word_id
    order by rank, id desc
    limit ${limit}`;
}

/** In the order in which people want to read what was written with them. */
const THUMBS = ["down", null, "up"] as const;

const instant = (ms: number) => new Date(ms).toISOString();
const instants = (edges: readonly number[]) => edges.map(instant);
