import { hrefOf, type View } from "#app/_frame/view.ts";
import { Words } from "#app/calls/[id]/words.tsx";
import type { Word } from "#db/queries/call-feedback.ts";
import type { Session } from "#lib/session.ts";

interface Props {
  words: readonly Word[];
  session: Pick<Session, "session">;
  view: View;
}

/** Thumbs and comments on the session and on its answers, and how they get here. */
export function Feedback({ words, session: { session }, view }: Props) {
  if (words.length > 0) return <Words words={words} zone={view.zone} callHref={(id) => hrefOf(`/calls/${id}`, view)} />;
  return (
    <p className="max-w-4xl text-muted" data-testid="no-words">
      Nobody has said anything about it. An answer can be rated on its call’s page
      {session === null ? (
        "; the session as a whole once the application names it (x-omnimeter-session)."
      ) : (
        <>
          , the session as a whole by the application: <code>POST /omnimeter/v1/feedback</code> with{" "}
          <code className="[overflow-wrap:anywhere]">{JSON.stringify({ target: { session }, rating: "up" })}</code>.
        </>
      )}
    </p>
  );
}
