/**
 * SQL that notes what calls show for the first time: a version of a template, the snapshot that an alias stands for. An earlier
 * call that is stored later moves the moment back. `which` is a condition on `calls`, made of ids and moments only.
 *
 * What is known already is left out before the insert: a conflict would lock its row, also where nothing is to be updated, and so
 * make all recorders that meet one template wait for each other until they commit.
 */
export const recordChanges = (which: string): string => `
  insert into changes as ch (project_id, kind, subject, value, first_call_id, first_call_at)
  select project_id, kind, subject, value, first_call_id, first_call_at
  from (
    select project_id, kind, subject, value, (array_agg(id order by id))[1] as first_call_id, min(started_at) as first_call_at
    from (
      select project_id, 'template_version' as kind, template as subject, template_version as value, id, started_at
      from calls where ${which} and template is not null and template_version is not null
      union all
      select project_id, 'snapshot', request_model, model, id, started_at
      from calls where ${which} and model <> request_model
    ) shown
    group by 1, 2, 3, 4
  ) seen
  where not exists (
    select 1 from changes known
    where (known.project_id, known.kind, known.subject, known.value) = (seen.project_id, seen.kind, seen.subject, seen.value)
      and known.first_call_at <= seen.first_call_at
  )
  order by 1, 2, 3, 4
  on conflict (project_id, kind, subject, value) do update
    set first_call_id = excluded.first_call_id, first_call_at = excluded.first_call_at
    where excluded.first_call_at < ch.first_call_at`;
