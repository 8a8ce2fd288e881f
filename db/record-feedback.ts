import type { Sql } from "postgres";
import type { Feedback } from "#lib/feedback.ts";

/**
 * Stores what somebody said about a call that is stored already; earlier words stay, the last one counts. False: there is no such
 * call. What comes through the proxy waits for its call instead (db/match-feedback.ts).
 */
export async function recordFeedback(sql: Sql, project: string, word: Feedback): Promise<boolean> {
  const rows = await sql`
    insert into feedback (
      id, project_id, target_kind, target_id, item, rater, received_at, rating, score, comment, correction, labels,
      call_id, matched_at
    )
    select
      ${word.id}, project_id, 'call', id::text, ${storable(word.item)}, ${storable(word.rater)},
      ${new Date(word.receivedAtMs).toISOString()}, ${word.rating}, ${word.score}, ${storable(word.comment)},
      ${storable(word.correction)}, ${word.labels.map(storable)}::text[], id, now()
    from calls
    where project_id = ${project} and id = ${word.target.id}::uuid
    returning id`;
  return rows.length === 1;
}

/** Postgres keeps no U+0000. */
const storable = <T extends string | null>(text: T) => text?.replaceAll("\u0000", "\ufffd") ?? null;
