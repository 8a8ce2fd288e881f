import type { ReactNode } from "react";
import { hrefOf, type View } from "#app/_frame/view.ts";
import { formatCount, formatDuration } from "#app/_ui/format.ts";
import { Link } from "#app/_ui/link.tsx";
import { Money } from "#app/_ui/money.tsx";
import { formatMomentFully } from "#app/_ui/time.ts";
import type { Session, Turn } from "#lib/session.ts";
import { waitsInWords, waitsOf } from "./quantiles.ts";
import { type SessionFigures, whatHappened, whatToDo } from "./session-sentences.ts";
import { SESSION_KINDS } from "./session-words.ts";

interface Props {
  session: Session;
  turns: readonly Turn[];
  cost: { costUsd: string | null; unpricedCalls: number };
  figures: SessionFigures;
  view: View;
}

/** Who, how long, how it ended and what it cost; then what happened, in words, and what to do about it. */
export function Head({ session, turns, cost, figures, view }: Props) {
  const text = waitsOf(turns, "text");
  return (
    <section aria-label="Summary" data-testid="summary">
      <dl className="flex flex-wrap gap-x-8 gap-y-3">
        <Figure name="Cost">
          {cost.unpricedCalls > 0 && Number(cost.costUsd ?? 0) !== 0 && <span title="A part has no price">≥ </span>}
          <Money usd={cost.costUsd} unknownCalls={cost.unpricedCalls} />
        </Figure>
        <Figure name="Lasted">{formatDuration(figures.lastedMs)}</Figure>
        <Figure name="Turns">{formatCount(session.turns)}</Figure>
        <Figure name="First audio">
          <span className="text-base">{waitsInWords(waitsOf(turns, "audio"))}</span>
        </Figure>
        {text.n > 0 && (
          <Figure name="First text">
            <span className="text-base">{waitsInWords(text)}</span>
          </Figure>
        )}
        <Figure name="Barge-ins">
          {formatCount(session.bargeIns)}
          {session.falseBargeIns > 0 && (
            <span className="ml-2 text-sm font-normal text-muted">and {formatCount(session.falseBargeIns)} false</span>
          )}
        </Figure>
        <Figure name="Audio in · out">
          {formatDuration(session.audioInMs)} · {formatDuration(session.audioOutMs)}
        </Figure>
        <Figure name="Idle">{formatDuration(session.idleMs)}</Figure>
      </dl>
      <p className="mt-3 flex flex-wrap items-center gap-x-4 gap-y-1 text-base">
        <span>{SESSION_KINDS[session.kind]}</span>
        <span className="font-semibold break-all">{session.model ?? "model unknown"}</span>
        <span className="[overflow-wrap:anywhere]">
          {session.feature === null ? (
            <span className="text-muted">no feature given</span>
          ) : (
            <Link className="text-link" href={hrefOf("/sessions", view, { filter: { feature: [session.feature] } })}>
              {session.feature}
            </Link>
          )}
        </span>
        <span className="text-muted">{formatMomentFully(session.startedAt, view.zone)}</span>
      </p>
      <Sentences sentences={whatHappened(figures)} testId="verdict" />
      <Advice sentences={whatToDo(figures)} />
    </section>
  );
}

function Sentences({ sentences, testId }: { sentences: readonly string[]; testId: string }) {
  return (
    <p className="mt-2 max-w-4xl text-base" data-testid={testId}>
      {sentences.join(" ")}
    </p>
  );
}

function Advice({ sentences }: { sentences: readonly string[] }) {
  if (sentences.length === 0) return null;
  return (
    <ul className="mt-2 grid max-w-4xl list-disc gap-1 pl-5" aria-label="What to do" data-testid="advice">
      {sentences.map((sentence) => (
        <li key={sentence}>{sentence}</li>
      ))}
    </ul>
  );
}

function Figure({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt className="text-xs text-muted">{name}</dt>
      <dd className="text-num font-semibold">{children}</dd>
    </div>
  );
}
