import type { OfCalls } from "./of-calls.ts";
import { uuid7Floor } from "./partitions.ts";
import { quoted } from "./rows.ts";

const DAY_MS = 86_400_000;
/** Whoever writes `ratings` or sums it holds this lock to the end of the transaction: each sees what the one before it has written. */
export const RATINGS_LOCK = "pg_advisory_xact_lock(5727110447)";

/** What a row repeats, under the same names: of its call what pages filter and group by, of the word what they count. */
const OF_CALL = [
  "started_at",
  "environment",
  "endpoint",
  "outcome",
  "feature",
  "customer",
  "template",
  "template_version",
  "unit_hash",
  "release",
  "request_model",
  "model",
];
const OF_WORD = ["project_id", "rating", "has_comment", "has_correction"];

/** SQL, several statements, that rates what these words speak of. `ids` is what a word's id is compared with: `= any(…)`. */
export const rateWords = (ids: string): string[] => [
  `select ${RATINGS_LOCK}`,
  // Many may speak of one target: it is looked at once.
  ...rate(`select distinct project_id, target_kind, target_id from feedback where id ${ids}`),
];

/** SQL, several statements, that rates calls stored anew in this transaction: what was said about them, and about their sessions. */
export const rateCalls = (which: OfCalls): string[] => [`select ${RATINGS_LOCK}`, ...rate(spokenOf(which))];

/** SQL, several statements, that makes the rows of a UTC day anew; `dayMs` is its midnight. */
export function rateDay(dayMs: number): string[] {
  const which: OfCalls = (id) => `${id} >= '${uuid7Floor(dayMs)}' and ${id} < '${uuid7Floor(dayMs + DAY_MS)}'`;
  return [
    ...rateCalls(which),
    `delete from ratings r where ${which("call_id")} and not exists (select 1 from feedback where id = r.word_id)`,
    unfoldRatings([new Date(dayMs).toISOString().slice(0, 10)]),
  ];
}

/**
 * SQL, one statement, for calls that were stored for the first time: a session that somebody spoke of has a new last call. Mostly
 * nobody did, and looking is all. A word that is stored in the same moment is not seen (db/match-feedback.ts looks again).
 */
export const rateGrown = (which: OfCalls): string => `
  do $rate$ begin
    if exists (
      select 1 from calls c
      join feedback f on f.target_kind = 'session' and f.target_id = c.session and f.project_id = c.project_id
      where ${which("c.id")}
    ) then
      perform ${RATINGS_LOCK};
      ${rate(spokenOf(which)).join(";\n")};
    end if;
  end $rate$`;

/** Also what is rated there now: a session may have left the call since. */
const spokenOf = (which: OfCalls): string => `
  select project_id, target_kind, target_id from feedback where ${which("call_id")}
  union
  select f.project_id, f.target_kind, f.target_id
  from ratings r join feedback f on f.id = r.word_id
  where ${which("r.call_id")}
  union
  select f.project_id, f.target_kind, f.target_id
  from (select distinct project_id, session from calls where ${which("id")} and session is not null) s
  join feedback f on f.target_kind = 'session' and f.target_id = s.session and f.project_id = s.project_id`;

/**
 * The only definition of `ratings`: one row per word in force, which is the last one of a rater on a target. It stands on the call
 * that it was matched with; what was said about a session on the session's last call. A word that waits for its call has no
 * row. Rows of calls whose facts are no longer kept stay: nothing could make them again. `targets` is a query for (project_id,
 * target_kind, target_id). Each statement sees what was committed before it began, so the lock must be held by then.
 */
function rate(targets: string): string[] {
  const rated = `
    target as materialized (${targets}),
    spoken as materialized (select f.* from target join feedback f using (project_id, target_kind, target_id)),
    word as (
      select distinct on (project_id, target_kind, target_id, item, rater)
        id, project_id, target_kind, target_id, call_id, rating,
        coalesce(comment, '') <> '' as has_comment, coalesce(correction, '') <> '' as has_correction
      from spoken
      where matched_at is not null and (call_id is not null or target_kind = 'session')
      order by project_id, target_kind, target_id, item, rater, received_at desc, id desc
    ),
    placed as (
      select *, call_id as on_id from word where target_kind <> 'session'
      union all
      select word.*, last_call.id
      from word
      cross join lateral (
        select id from calls c
        where c.session = word.target_id and c.project_id = word.project_id
        order by id desc limit 1
      ) last_call
      where target_kind = 'session'
    ),
    rated as materialized (
      select c.id as call_id, p.id as word_id, ${OF_WORD.map((name) => `p.${name}`).join(", ")}, ${OF_CALL.map((name) => `c.${name}`).join(", ")}
      from placed p join calls c on c.id = p.on_id and c.project_id = p.project_id
    )`;
  const columns = [...OF_WORD, ...OF_CALL];
  const all = (row: string) => columns.map((name) => `${row}.${name}`).join(", ");
  return [
    `with ${rated},
    written as (
      insert into ratings as r (call_id, word_id, ${columns.join(", ")})
      select call_id, word_id, ${columns.join(", ")} from rated
      order by call_id, word_id
      on conflict (call_id, word_id) do update set ${columns.map((name) => `${name} = excluded.${name}`).join(", ")}
      where (${all("r")}) is distinct from (${all("excluded")})
      returning started_at
    )
    ${unfoldDaysOf("written")}`,
    `with ${rated},
    gone as (
      delete from ratings where (call_id, word_id) in (
        select r.call_id, r.word_id
        from spoken join ratings r on r.word_id = spoken.id
        where (r.call_id, r.word_id) not in (select call_id, word_id from rated)
          and (
            r.word_id in (select word_id from rated)
            or exists (select 1 from calls c where c.id = r.call_id)
          )
      )
      returning started_at
    )
    ${unfoldDaysOf("gone")}`,
  ];
}

/** SQL that says of days (YYYY-MM-DD) that nothing of them is summed: for what is stored that late. The lock must be held. */
export const unfoldRatings = (days: readonly string[]): string =>
  `delete from ratings_folded where day in (${days.map(quoted).join(", ")})`;

/** Rest of a statement whose CTE `rows` has rows of `ratings` that changed: the sums of their days are not what they were (db/fold-ratings.ts). */
export const unfoldDaysOf = (rows: string): string => `
    delete from ratings_folded where part = 'words' and day in (select (started_at at time zone 'UTC')::date from ${rows})`;
