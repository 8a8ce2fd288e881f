import type { Sql } from "postgres";
import type { Feedback } from "#lib/feedback.ts";
import { rateWords } from "./rate-calls.ts";
import { feedbackRow, quoted, quotedJson } from "./rows.ts";

/**
 * Stores what somebody said about a call that is stored already, and counts it; earlier words stay, the last one counts. False: there
 * is no such call. What comes through the proxy waits for its call instead (db/match-feedback.ts).
 */
export async function recordFeedback(sql: Sql, project: string, word: Feedback): Promise<boolean> {
  const row = { ...feedbackRow(word, project), call_id: word.target.id, matched_at: new Date().toISOString() };
  const [lock, ...rate] = rateWords(`= ${quoted(word.id)}`);
  // One message, one implicit transaction: see record-batch.ts.
  const [, stored] = await sql.unsafe(
    [
      lock,
      `insert into feedback select said.* from json_populate_record(null::feedback, ${quotedJson(row)}::json) said
       where exists (select 1 from calls where project_id = said.project_id and id = said.call_id)
       returning id`,
      ...rate,
    ].join(";\n"),
  );
  return stored?.length === 1;
}
