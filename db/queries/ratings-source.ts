import { uuid7Floor } from "#db/partitions.ts";
import { RATABLE } from "#db/ratable.ts";
import type { Interval } from "#lib/range.ts";
import { matching, type Reader, type Scope } from "./call-filter.ts";
import { between, joined } from "./folded-days.ts";
import { isRepeated, wordsInScope } from "./quality-words.ts";

const DAY_MS = 86_400_000;
const QUARTER_MS = 900_000;

/** What a row of a source can be told apart by, beside `at`. */
const ATTRIBUTES =
  "environment, endpoint, outcome, feature, customer, template, template_version, unit_hash, request_model, model";

/**
 * What was said about the calls of a scope: rows of (at, attributes, up, down, rated_calls, corrections) to be summed. Days that are
 * over come from `ratings_sums`, unless one of `edges` cuts them; the rest word by word. `by` time: the reader asks for no
 * attribute, and has days cut at quarters of an hour. `among`: a further condition on the words that are read one by one.
 */
export async function ratingsSource(
  sql: Reader,
  scope: Scope,
  { by, edges, among = sql`` }: { by: "time" | "attributes"; edges: readonly number[]; among?: ReturnType<Reader> },
) {
  const quarters =
    by === "time" && Object.keys(scope.filter).length === 0 && edges.slice(1, -1).every((at) => at % QUARTER_MS === 0);
  const { days, rest } = await stretchesOf(sql, "words", scope, quarters ? [] : edges);
  const rows = sql`
    (
      ${
        days.length > 0
          ? sql`
              select at, ${sql.unsafe(ATTRIBUTES)}, up, down, rated_calls, corrections
              from ${summed(sql, quarters ? "quarters" : "words", scope, days)} union all`
          : sql``
      }
      select
        started_at as at, ${sql.unsafe(ATTRIBUTES)}, (rating = 'up')::int as up, (rating = 'down')::int as down,
        first_on_call::int as rated_calls, has_correction::int as corrections
      from ${inStretches(sql, rest)} cross join lateral (
        select
          *, rating is not null and ${sql.unsafe(RATABLE)}
            and row_number() over (partition by call_id order by rating is null) = 1 as first_on_call
        from ratings
        where ${wordsInScope(sql, scope)} and call_id >= from_id and call_id < to_id ${among}
        -- Or all words would be read first.
        offset 0
      ) word
    )`;
  return { rows };
}

/** Days that `ratings_sums` answers for, and the rest of the interval: all of it where the filter asks for what is not summed. */
export async function stretchesOf(sql: Reader, part: "words" | "calls", scope: Scope, edges: readonly number[]) {
  const { interval, filter } = scope;
  const [first, end] = [Math.ceil(interval.fromMs / DAY_MS) * DAY_MS, Math.floor(interval.toMs / DAY_MS) * DAY_MS];
  if (first >= end || !Object.keys(filter).every((name) => isRepeated(name))) return { days: [], rest: [interval] };
  const cut = new Set(edges.filter((at) => at % DAY_MS !== 0).map((at) => Math.floor(at / DAY_MS) * DAY_MS));
  const rows = await sql<{ day: string }[]>`
    select day::text from ratings_folded
    where part = ${part} and day >= ${dateOf(first)}::date and day < ${dateOf(end)}::date
    order by day`;
  const days = joined(rows.map(({ day }) => Date.parse(day)).filter((ms) => !cut.has(ms)));
  return { days, rest: between(interval, days) };
}

/** However many stretches there are, each is looked up by itself. */
const inStretches = (sql: Reader, stretches: readonly Interval[]) => sql`
  unnest(
    ${stretches.map(({ fromMs }) => new Date(fromMs).toISOString())}::timestamptz[],
    ${stretches.map(({ toMs }) => new Date(toMs).toISOString())}::timestamptz[],
    ${stretches.map(({ fromMs }) => uuid7Floor(fromMs))}::uuid[], ${stretches.map(({ toMs }) => uuid7Floor(toMs))}::uuid[]
  ) as stretch(from_at, to_at, from_id, to_id)`;

/** Rows of `ratings_sums` of some days. */
export const summed = (
  sql: Reader,
  part: "words" | "quarters" | "calls",
  { project, interval, filter }: Scope,
  days: readonly Interval[],
) => sql`
  ${inStretches(sql, days)} cross join lateral (
    select * from ratings_sums
    where part = ${part} and project_id = ${project} and at >= from_at and at < to_at ${matching(sql, filter, interval)}
  ) summed`;

const dateOf = (ms: number) => new Date(ms).toISOString().slice(0, 10);
