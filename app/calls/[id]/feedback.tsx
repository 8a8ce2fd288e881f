import { database } from "#app/_data/database.ts";
import { PROJECT } from "#app/_frame/view.ts";
import { ScrollBox } from "#app/_ui/scroll-box.tsx";
import { Rating } from "#app/_ui/thumb.tsx";
import { formatMoment, formatMomentFully } from "#app/_ui/time.ts";
import { DASHBOARD_RATER } from "#app/feedback/rater.ts";
import { type Word, wordsOfCall } from "#db/queries/call-feedback.ts";
import { READER, snapshot } from "#db/queries/snapshot.ts";
import { FeedbackForm } from "./feedback-form.tsx";

const WORDS_MAX = 100;

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

function Words({ words, zone }: { words: readonly Word[]; zone: string }) {
  return (
    <ScrollBox name="What was said" className="mt-3">
      <table className="facts" data-testid="words">
        <thead>
          <tr>
            <th scope="col">When</th>
            <th scope="col">Who</th>
            <th scope="col">Rating</th>
            <th scope="col">What</th>
            <th scope="col">Counts</th>
          </tr>
        </thead>
        <tbody>
          {words.map((word) => (
            <tr key={word.id} className={word.counts ? "" : "text-muted"}>
              <td className="whitespace-nowrap" title={formatMomentFully(word.saidAt.getTime(), zone)}>
                {formatMoment(word.saidAt.getTime(), zone)}
              </td>
              <td className="max-w-48 min-w-24 [overflow-wrap:anywhere]">{word.rater || "no name given"}</td>
              <td>{word.rating ? <Rating rating={word.rating} /> : <span className="text-muted">none</span>}</td>
              <td className="min-w-64 [overflow-wrap:anywhere]">
                <Said word={word} />
              </td>
              <td className="whitespace-nowrap">{word.counts ? "yes" : "no, replaced"}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {words.length === WORDS_MAX && (
        <p className="py-2 text-muted">These are the newest {WORDS_MAX}; there may be more.</p>
      )}
    </ScrollBox>
  );
}

function Said({ word }: { word: Word }) {
  const { about, item, score, comment, correction, labels } = word;
  const facts = [
    about === "session" && "about the whole session",
    item !== null && `about “${item}”`,
    score !== null && `score ${score}`,
    labels.length > 0 && `labels: ${labels.join(", ")}`,
  ].filter(Boolean);
  return (
    <>
      {comment !== null && <p className="whitespace-pre-wrap">{comment}</p>}
      {correction !== null && (
        <p className="whitespace-pre-wrap">
          <span className="text-muted">Correction: </span>
          {correction}
        </p>
      )}
      {facts.length > 0 && <p className="text-muted">{facts.join(" · ")}</p>}
    </>
  );
}
