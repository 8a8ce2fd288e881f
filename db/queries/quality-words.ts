import { uuid7Floor } from "#db/partitions.ts";
import type { Interval } from "#lib/range.ts";
import type { Reader } from "./call-filter.ts";

/**
 * Feedback in force, each with the call it belongs to: (call_id, word_id, rating, comment, correction, rater, said_at). The last word of a
 * rater on a target counts, and it counts at the time of the call, whenever it came. What was said about a session counts
 * once, at the session's last call in the interval. Feedback that still waits for its call is left out.
 */
export const wordsOnCalls = (sql: Reader, project: string, interval: Interval) => {
  const inInterval = (id: "call_id" | "id") => sql`
    ${sql(id)} >= ${uuid7Floor(interval.fromMs)}::uuid and ${sql(id)} < ${uuid7Floor(interval.toMs)}::uuid`;
  const word = sql`f.id as word_id, f.rating, f.comment, f.correction, f.rater, f.received_at as said_at`;
  return sql`
    (
      select f.call_id, ${word}
      from (
        -- As feedback_current, among these calls only: all words on a target belong to one call.
        select distinct on (target_kind, target_id, item, rater) * from feedback
        where project_id = ${project} and target_kind <> 'session' and ${inInterval("call_id")}
        order by target_kind, target_id, item, rater, received_at desc, id desc
      ) f
      union all
      select last_call.id, ${word}
      from feedback_current f
      cross join lateral (
        select id from calls
        where project_id = ${project} and session = f.target_id and ${inInterval("id")}
        order by id desc limit 1
      ) last_call
      where f.project_id = ${project} and f.target_kind = 'session'
    )`;
};

/**
 * Calls that a person could have rated: completed, and of an endpoint that generates what people see or hear (embeddings are
 * not rated). The names are those of the `endpoint` column.
 */
const RATABLE_ENDPOINTS = [
  "chat_completions",
  "responses",
  "completions",
  "audio_transcriptions",
  "audio_translations",
  "audio_speech",
  "images_generations",
  "images_edits",
  "images_variations",
  "realtime",
  "realtime_translations",
  "threads_run",
];

/** A condition on `calls` or `rollup_calls`. */
export const ratable = (sql: Reader) => sql`(outcome = 'completed' and endpoint in ${sql(RATABLE_ENDPOINTS)})`;
