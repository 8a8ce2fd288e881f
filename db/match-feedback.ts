import type { Sql } from "postgres";

/**
 * Joins waiting feedback with its calls: feedback may come before its call is stored, or in the same moment. `recentOnly`
 * looks at the last ten minutes, which is where nearly all of it finds its call.
 */
export async function matchFeedback(sql: Sql, recentOnly: boolean): Promise<number> {
  const since = recentOnly ? sql`and f.received_at > now() - interval '10 minutes'` : sql``;
  const rows = await sql`
    with found as (
      select f.id, coalesce(c.id, o.call_id) as call_id
      from feedback f
      left join calls c on f.target_kind = 'call' and c.id = case when f.target_kind = 'call' then f.target_id::uuid end
      left join provider_objects o on f.target_kind = 'response' and o.project_id = f.project_id and o.object_id = f.target_id
      where f.matched_at is null ${since}
        and (
          c.id is not null or o.call_id is not null
          or (f.target_kind = 'session' and exists (select 1 from calls s where s.session = f.target_id))
        )
    )
    update feedback f set call_id = found.call_id, matched_at = now() from found where f.id = found.id returning f.id`;
  return rows.length;
}
