import { database } from "#app/_data/database.ts";
import { PROJECT } from "#app/_frame/view.ts";
import { DASHBOARD_RATER } from "#app/feedback/rater.ts";
import { wordsOfCall } from "#db/queries/call-feedback.ts";
import { READER, snapshot } from "#db/queries/snapshot.ts";
import { FeedbackForm } from "./feedback-form.tsx";
import { WORDS_MAX, Words } from "./words.tsx";

/** What people said about a call, and the place to say it. */
export async function FeedbackSection({ call, zone }: { call: { id: string; session: string | null }; zone: string }) {
  const limits = { as: `${READER}feedback` };
  const words = await snapshot(database(), (tx) => wordsOfCall(tx, PROJECT, call, WORDS_MAX), limits);
  const own = words.find(
    ({ about, item, rater, counts }) => counts && about === "call" && item === null && rater === DASHBOARD_RATER,
  );
  return (
    <>
      <FeedbackForm callId={call.id} rating={own?.rating ?? null} comment={own?.comment ?? ""} />
      {words.length === 0 ? (
        <p className="mt-3 text-muted">Nobody has said anything about this call.</p>
      ) : (
        <Words words={words} zone={zone} />
      )}
    </>
  );
}
