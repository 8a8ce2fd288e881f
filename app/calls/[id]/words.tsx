import { Link } from "#app/_ui/link.tsx";
import { ScrollBox } from "#app/_ui/scroll-box.tsx";
import { Rating } from "#app/_ui/thumb.tsx";
import { formatMoment, formatMomentFully } from "#app/_ui/time.ts";
import type { Word } from "#db/queries/call-feedback.ts";

export const WORDS_MAX = 100;

interface Props {
  words: readonly Word[];
  zone: string;
  /** Where a call is; left out where all words are about one. */
  callHref?: ((id: string) => string) | undefined;
}

/** What people said, newest first. */
export function Words({ words, zone, callHref }: Props) {
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
                <Said word={word} callHref={callHref} />
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

function Said({ word, callHref }: { word: Word; callHref: Props["callHref"] }) {
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
      {callHref && word.callId !== null && (
        <Link className="text-link" href={callHref(word.callId)}>
          about this answer
        </Link>
      )}
      {facts.length > 0 && <p className="text-muted">{facts.join(" · ")}</p>}
    </>
  );
}
