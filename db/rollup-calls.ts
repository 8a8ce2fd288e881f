import type { OfCalls } from "./of-calls.ts";
import { keptValues, OTHER } from "./rollup-limit.ts";

/**
 * SQL that adds calls to `rollup_calls`. The only definition of that table's figures: the recorder runs it for the ids it
 * has just stored, rebuild-rollups for a whole period. `sign` -1 takes calls out again (before they are replaced).
 * `which` is a condition on `calls`, made of ids by the caller and of nothing that came from outside. Rows of before there were
 * operations and costs hold null for them, and stay unknown whatever is added, until their day is counted again (`rollups_due`).
 */
export const rollUpCalls = (which: string, sign: 1 | -1 = 1): string => `
  with summed as (
    select
      project_id,
      date_bin('15 minutes', started_at, 'epoch') as bucket,
      spool as writer,
      environment,
      coalesce(feature, '') as feature,
      coalesce(model, request_model, '') as model,
      endpoint,
      outcome,
      count(*) as calls,
      coalesce(sum(input_tokens) filter (where usage_source = 'reported'), 0) as input_tokens,
      coalesce(sum(cached_tokens) filter (where usage_source = 'reported'), 0) as cached_tokens,
      coalesce(sum(output_tokens) filter (where usage_source = 'reported'), 0) as output_tokens,
      coalesce(sum(input_tokens) filter (where usage_source = 'estimated'), 0) as input_tokens_estimated,
      coalesce(sum(output_tokens) filter (where usage_source = 'estimated'), 0) as output_tokens_estimated,
      count(*) filter (where usage_source = 'none') as calls_without_usage,
      count(*) filter (where attempt = 0) as operations,
      coalesce(sum(money.usd), 0) as cost_usd,
      coalesce(sum(money.estimated_usd), 0) as cost_estimated_usd,
      count(*) filter (where money.unpriced or 'usage_inconsistent' = any(problems)) as calls_unpriced
    from calls
    cross join lateral (${MONEY}) money
    where ${which}
    group by 1, 2, 3, 4, 5, 6, 7, 8
  ),
  places as materialized (
    select p.*, ${keptValues("rollup_calls", "feature")} as features, ${keptValues("rollup_calls", "model")} as models
    from (select distinct project_id, bucket, writer from summed) p
  )
  insert into rollup_calls as r (
    project_id, bucket, writer, environment, feature, model, endpoint, outcome,
    calls, input_tokens, cached_tokens, output_tokens, input_tokens_estimated, output_tokens_estimated, calls_without_usage,
    operations, cost_usd, cost_estimated_usd, calls_unpriced
  )
  select
    project_id, bucket, writer, environment,
    case when feature = any(features) then feature else '${OTHER}' end,
    case when model = any(models) then model else '${OTHER}' end,
    endpoint, outcome,
    ${sign} * sum(calls), ${sign} * sum(input_tokens), ${sign} * sum(cached_tokens), ${sign} * sum(output_tokens),
    ${sign} * sum(input_tokens_estimated), ${sign} * sum(output_tokens_estimated), ${sign} * sum(calls_without_usage),
    ${sign} * sum(operations), ${sign} * sum(cost_usd), ${sign} * sum(cost_estimated_usd),
    ${sign} * sum(calls_unpriced)
  from summed join places using (project_id, bucket, writer)
  group by 1, 2, 3, 4, 5, 6, 7, 8
  order by 1, 2, 3, 4, 5, 6, 7, 8
  on conflict (project_id, bucket, writer, environment, feature, model, endpoint, outcome) do update set
    calls = r.calls + excluded.calls,
    input_tokens = r.input_tokens + excluded.input_tokens,
    cached_tokens = r.cached_tokens + excluded.cached_tokens,
    output_tokens = r.output_tokens + excluded.output_tokens,
    input_tokens_estimated = r.input_tokens_estimated + excluded.input_tokens_estimated,
    output_tokens_estimated = r.output_tokens_estimated + excluded.output_tokens_estimated,
    calls_without_usage = r.calls_without_usage + excluded.calls_without_usage,
    operations = r.operations + excluded.operations,
    cost_usd = r.cost_usd + excluded.cost_usd,
    cost_estimated_usd = r.cost_estimated_usd + excluded.cost_estimated_usd,
    calls_unpriced = r.calls_unpriced + excluded.calls_unpriced`;

/** One row: what the lines of the call `id` come to, on whatever days they are booked; `unpriced` as db/rollup-spend.ts has it. */
const MONEY = `
  select
    sum(cost_usd) filter (where source <> 'estimated') as usd,
    sum(cost_usd) filter (where source = 'estimated') as estimated_usd,
    coalesce(sum(quantity) filter (where cost_usd is null), 0) <> 0 as unpriced
  from usage_lines where call_id = id`;

/** SQL that removes rows of nothing; `which` are the calls that were replaced (db/rollup-spend.ts, dropEmptySpend). */
export const dropEmptyCalls = (which: OfCalls): string => `
  delete from rollup_calls
  where (project_id, bucket, writer) in (
      select project_id, date_bin('15 minutes', started_at, 'epoch'), spool from calls where ${which("id")}
    )
    and calls = 0`;
