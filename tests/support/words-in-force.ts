import type { Sql } from "postgres";

/**
 * What `ratings` must hold, worked out from `feedback` and `calls` in another way than db/rate-calls.ts does: a word is in force when
 * no later one of the same rater on the same target is matched. Rows as `ratings` has them, in its order.
 */
export const wordsInForce = (sql: Sql) => sql`
  select
    c.id as call_id, f.id as word_id, f.project_id, c.started_at, c.environment, c.endpoint, c.outcome, c.feature, c.customer,
    c.template, c.template_version, c.unit_hash, c.release, c.request_model, c.model, f.rating,
    f.comment is not null and f.comment <> '' as has_comment, f.correction is not null and f.correction <> '' as has_correction
  from feedback f
  join calls c on c.project_id = f.project_id and c.id = case
    when f.target_kind <> 'session' then f.call_id
    else (array(
      select s.id from calls s where s.project_id = f.project_id and s.session = f.target_id order by s.id desc
    ))[1]
  end
  where f.matched_at is not null and not exists (
    select 1 from feedback later
    where (later.project_id, later.target_kind, later.target_id, later.rater)
        = (f.project_id, f.target_kind, f.target_id, f.rater)
      and later.item is not distinct from f.item
      and later.matched_at is not null
      and (later.received_at, later.id) > (f.received_at, f.id)
  )
  order by call_id, word_id`;

export const storedRatings = (sql: Sql) => sql`select * from ratings order by call_id, word_id`;
