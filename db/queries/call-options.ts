import { attributedParts, ofDays } from "./attributed-days.ts";
import { folded, inScope, matchingRollup, type Reader, type Scope, servedByRollup } from "./call-filter.ts";
import { unionAll } from "./union-all.ts";

const QUARTER_MS = 900_000;

interface Option {
  value: string;
  calls: number;
}

/**
 * Values of one attribute with their calls in range, under the other filters. Most used first; at most `limit`, and
 * how many calls the rest has.
 */
export async function optionsOf(
  sql: Reader,
  scope: Scope,
  attribute: "feature" | "model" | "outcome" | "environment",
  limit: number,
): Promise<{ options: Option[]; rest: Option }> {
  const { [attribute]: _, ...others } = scope.filter;
  const { project, interval } = scope;
  const column = sql(attribute);
  const counted = (part: Scope) => sql`
    select coalesce(${attribute === "model" ? sql`model, request_model` : column}, '') as value, 1 as calls from calls
    where ${inScope(sql, part)}`;
  const within = (fromMs: number, toMs: number) => ({ project, interval: { fromMs, toMs }, filter: others });
  const wholeFromMs = Math.min(interval.toMs, Math.ceil(interval.fromMs / QUARTER_MS) * QUARTER_MS);
  const wholeToMs = Math.max(wholeFromMs, Math.floor(interval.toMs / QUARTER_MS) * QUARTER_MS);
  const isServed = servedByRollup(others);
  const all = within(interval.fromMs, interval.toMs);
  const { days, calls } = (isServed ? null : await attributedParts(sql, all, [])) ?? { days: [], calls: [all] };
  const part = isServed
    ? sql`
      select ${column} as value, calls from rollup_calls
      where project_id = ${project}
        and bucket >= ${instant(wholeFromMs)}::timestamptz and bucket < ${instant(wholeToMs)}::timestamptz
        ${matchingRollup(sql, others)} and not ${folded(sql, others)}
      union all ${counted(within(interval.fromMs, wholeFromMs))}
      union all ${counted(within(wholeToMs, interval.toMs))}`
    : unionAll(sql, [
        ...days.map((one) => sql`select ${column} as value, calls from rollup_attributed where ${ofDays(sql, one)}`),
        ...calls.map(counted),
      ]);
  const rows = await sql<Option[]>`
    with part as (${part}),
    ranked as (
      select value, sum(calls)::bigint as calls, row_number() over (order by sum(calls) desc, value) as rank
      from part group by value
    )
    select case when rank <= ${limit} then value end as value, sum(calls)::bigint as calls
    from ranked group by 1 order by (case when min(rank) <= ${limit} then min(rank) end) nulls last`;
  const options = rows.filter((row) => row.value !== null);
  return { options, rest: { value: "", calls: rows.find((row) => row.value === null)?.calls ?? 0 } };
}

const instant = (ms: number) => new Date(ms).toISOString();
