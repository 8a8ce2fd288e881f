import { hrefOf, type View } from "#app/_frame/view.ts";
import { Link } from "#app/_ui/link.tsx";
import { Rating } from "#app/_ui/thumb.tsx";
import { formatMoment } from "#app/_ui/time.ts";
import type { Comment } from "#db/queries/quality-page.ts";
import { COMMENTS_MAX } from "./read.ts";

/** What people wrote, complaints first. Each leads to its call. */
export function Comments({ comments, view }: { comments: readonly Comment[]; view: View }) {
  return (
    <section aria-labelledby="comments-title" data-testid="comments" className="mt-8">
      <h2 id="comments-title" className="text-lg font-semibold">
        Comments
      </h2>
      {comments.length === 0 ? (
        <p className="mt-1 text-muted">Nobody wrote a comment or a correction in this range.</p>
      ) : (
        <>
          <ul className="mt-2 grid max-w-4xl gap-3">
            {comments.map((comment) => (
              <Entry key={comment.id} comment={comment} view={view} />
            ))}
          </ul>
          {comments.length === COMMENTS_MAX && (
            <p className="py-2 text-xs text-muted">The newest {COMMENTS_MAX}, thumbs-down first; there may be more.</p>
          )}
        </>
      )}
    </section>
  );
}

function Entry({ comment, view }: { comment: Comment; view: View }) {
  const { template, templateVersion } = comment;
  const version = template === null ? null : templateVersion === null ? template : `${template}@${templateVersion}`;
  const about = [comment.feature, version, comment.model].filter((part) => part !== null);
  return (
    <li className="border-l-2 border-rule pl-3">
      <p className="flex flex-wrap items-center gap-x-3 text-muted">
        {comment.rating ? <Rating rating={comment.rating} /> : <span>no thumb</span>}
        <span>{formatMoment(comment.saidAt.getTime(), view.zone)}</span>
        {comment.rater && <span className="max-w-60 truncate">{comment.rater}</span>}
        <span className="[overflow-wrap:anywhere]">{about.join(" · ")}</span>
        <Link
          className="text-link inline-flex min-h-6 items-center"
          href={hrefOf(`/calls/${comment.callId}`, view)}
          aria-label={`Call ${comment.callId.slice(0, 8)} that this is about`}
        >
          call
        </Link>
      </p>
      {comment.comment && (
        <p className="text-base line-clamp-6 whitespace-pre-wrap [overflow-wrap:anywhere]">{comment.comment}</p>
      )}
      {comment.correction && (
        <p className="text-base line-clamp-6 whitespace-pre-wrap [overflow-wrap:anywhere]">
          <span className="text-muted">Correction: </span>
          {comment.correction}
        </p>
      )}
    </li>
  );
}
