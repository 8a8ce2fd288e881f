import { database } from "#app/_data/database.ts";
import { isSameOrigin } from "#app/_data/is-same-origin.ts";
import { readFields } from "#app/_data/read-fields.ts";
import { refuse } from "#app/_data/refuse.ts";
import { PROJECT } from "#app/_frame/view.ts";
import { recordFeedback } from "#db/record-feedback.ts";
import { parseFeedback } from "#lib/feedback.ts";
import { redactText } from "#lib/privacy/redact.ts";
import { createUuid7 } from "#lib/uuid7.ts";
import { DASHBOARD_RATER } from "./rater.ts";

const nextId = createUuid7();

/**
 * A word about a call, said on its page: `call`, `rating` (up, down or none) and `comment`, as a form or as JSON. Stored when the
 * answer comes: 200 for a script, else back to the page.
 */
export async function POST(request: Request) {
  if (!isSameOrigin(request.headers))
    return refuse(403, "feedback_foreign_origin", "Feedback is given on this dashboard's own pages.");
  const read = await readFields(request, "feedback");
  if ("code" in read) return refuse(read.status, read.code, read.message);
  const { call, rating, comment } = read.fields;
  const word = parseFeedback(
    {
      target: { call },
      // Only "none" takes a thumb back: a comment alone is no word about it.
      ...(rating !== undefined && { rating: rating === "none" ? null : rating }),
      comment,
      rater: DASHBOARD_RATER,
    },
    nextId(),
    Date.now(),
  );
  if ("code" in word) return refuse(400, word.code, word.message);
  if (!(await recordFeedback(database(), PROJECT, { ...word, comment: word.comment && redactText(word.comment) })))
    return refuse(404, "feedback_no_call", "There is no call with this id, or it is not stored yet.");
  if (request.headers.get("accept")?.includes("application/json")) return Response.json({ id: word.id });
  // Relative on purpose: the address that the browser used is the right one, whatever stands before this server.
  const location = `/calls/${word.target.id}${queryOf(request.headers.get("referer"))}#feedback`;
  return new Response(null, { status: 303, headers: { location } });
}

const queryOf = (address: string | null) => (address && URL.canParse(address) ? new URL(address).search : "");
