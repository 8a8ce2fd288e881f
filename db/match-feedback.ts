import type { Sql } from "postgres";
import { rateWords } from "./rate-calls.ts";
import { quoted } from "./rows.ts";

/** How many words are matched and rated in one transaction: others that rate wait for it. */
const WORDS_MAX = 500;
/** No batch is being stored for so long: what a word's match did not see is there when it is looked at once more. */
const SETTLES = "10 minutes";

/**
 * Joins waiting feedback with its calls, and rates them: feedback may come before its call is stored, or in the same moment.
 * `recentOnly` looks at the last ten minutes, which is where nearly all of it finds its call. Otherwise what was said about
 * sessions is also rated again for a while, where a call of the session was stored in the same moment. Returns how many words it matched.
 * Costs as much as there are words that wait, each a look-up by key, however many calls there are.
 */
export async function matchFeedback(sql: Sql, recentOnly: boolean): Promise<number> {
  const found = await findCalls(sql, recentOnly);
  let matched = 0;
  for (const words of inParts(found)) matched += await match(sql, words);
  if (!recentOnly)
    for (const words of inParts(await freshSessionWords(sql))) await sql.unsafe(rateWords(anyOf(words)).join(";\n"));
  return matched;
}

/** `callId` null: a session that has a call. */
interface Found {
  id: string;
  callId: string | null;
}

function findCalls(sql: Sql, recentOnly: boolean): Promise<Found[]> {
  const since = recentOnly ? sql`and received_at > now() - interval '10 minutes'` : sql``;
  return sql<Found[]>`
    with recursive waiting as materialized (
      select id, project_id, target_kind, target_id from feedback where matched_at is null ${since}
    ),
    -- The few upstreams that there are, each found by key: with them a response is looked up by its whole key.
    upstreams as (
      (
        select project_id, upstream from provider_objects
        where project_id in (select project_id from waiting where target_kind = 'response')
        order by 1, 2 limit 1
      )
      union all
      select next.project_id, next.upstream
      from upstreams u cross join lateral (
        select project_id, upstream from provider_objects o
        where (o.project_id, o.upstream) > (u.project_id, u.upstream)
        order by 1, 2 limit 1
      ) next
    ),
    found as (
      select
        id,
        case target_kind
          when 'call' then (select c.id from calls c where c.id = target_id::uuid)
          when 'response' then (
            select o.call_id
            from upstreams u join provider_objects o using (project_id, upstream)
            where u.project_id = waiting.project_id and o.object_id = waiting.target_id
            order by upstream limit 1
          )
        end as call_id,
        target_kind = 'session' and exists (select 1 from calls c where c.session = target_id) as of_session
      from waiting
    )
    select id, call_id as "callId" from found where call_id is not null or of_session order by id`;
}

/** One message, one transaction: a word is matched and counts, or neither. */
async function match(sql: Sql, words: Found[]): Promise<number> {
  const rows = words.map(({ id, callId }) => `('${id}'::uuid, ${callId === null ? "null" : quoted(callId)}::uuid)`);
  const [lock, ...rate] = rateWords(anyOf(words));
  const [, matched] = await sql.unsafe(
    [
      lock,
      `update feedback f set call_id = found.call_id, matched_at = now()
       from (values ${rows.join(", ")}) found (id, call_id)
       where f.id = found.id and f.matched_at is null
       returning f.id`,
      ...rate,
    ].join(";\n"),
  );
  return matched?.length ?? 0;
}

/** Words about sessions that were matched a short while ago. */
const freshSessionWords = (sql: Sql): Promise<{ id: string }[]> => sql`
  select id from feedback
  where target_kind = 'session' and matched_at > now() - ${SETTLES}::interval
  order by id`;

function* inParts<T>(words: T[]): Generator<T[]> {
  for (let from = 0; from < words.length; from += WORDS_MAX) yield words.slice(from, from + WORDS_MAX);
}

const anyOf = (words: { id: string }[]): string => `= any('{${words.map(({ id }) => id).join(",")}}'::uuid[])`;
