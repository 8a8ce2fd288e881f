import type { Metadata } from "next";
import { notFound } from "next/navigation";
import type { ReactNode } from "react";
import { isUuid } from "#app/_data/is-uuid.ts";
import { readWhole } from "#app/_data/read-in-parts.ts";
import { requestedView } from "#app/_data/view.ts";
import { Frame } from "#app/_frame/frame.tsx";
import { hrefOf, type Params, PROJECT, type View } from "#app/_frame/view.ts";
import { ZonePicker } from "#app/_frame/zone-picker.tsx";
import { plural } from "#app/_ui/format.ts";
import { Link } from "#app/_ui/link.tsx";
import { Problems } from "#app/calls/[id]/problems.tsx";
import { WORDS_MAX } from "#app/calls/[id]/words.tsx";
import { wordsOfSession } from "#db/queries/call-feedback.ts";
import { watermarkMs } from "#db/queries/frame.ts";
import { callsOfSession, costOfSession, sessionOf, turnsOf } from "#db/queries/session-view.ts";
import type { Session, Turn } from "#lib/session.ts";
import { CallsTable } from "./calls-table.tsx";
import { contextOf } from "./context.ts";
import { ContextTable } from "./context-table.tsx";
import { CostTable } from "./cost.tsx";
import { Attribution, ConnectionFacts, RateLimits } from "./facts.tsx";
import { Feedback } from "./feedback.tsx";
import { Head } from "./head.tsx";
import { Timeline } from "./timeline.tsx";
import { TurnsTable } from "./turns-table.tsx";

/** An hour of quick turns; of what is more the page says so. */
const TURNS_MAX = 500;
const CALLS_MAX = 1000;

interface Props {
  params: Promise<{ id: string }>;
  searchParams: Promise<Params>;
}

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  return { title: `Session ${(await params).id.slice(0, 8)}` };
}

export default async function SessionPage({ params, searchParams }: Props) {
  const { id } = await params;
  if (!isUuid(id)) notFound();
  const view = await requestedView(await searchParams);
  const found = await read(id.toLowerCase());
  if (!found) notFound();
  const { session, resumedFrom, resumedBy, turns, calls, cost, words, freshness } = found;
  const responses = calls.filter(({ endpoint }) => endpoint !== "realtime_transcription");
  const context = contextOf(responses, turns);
  const lastedMs = lasted(session, turns);
  const figures = { session, lastedMs, turns, context, unpriced: cost.callsUnpriced };
  return (
    <Frame
      title="Session"
      watermark={freshness}
      nowMs={view.nowMs}
      zone={view.zone}
      controls={<Zone id={session.id} view={view} />}
      bar={
        <nav aria-label="Sessions">
          <Link className="control" href={hrefOf("/sessions", view)}>
            ← All sessions
          </Link>
        </nav>
      }
    >
      <Head
        session={session}
        turns={turns}
        cost={{ ...cost, unpricedCalls: cost.callsUnpriced }}
        figures={figures}
        view={view}
      />
      {session.problems.length > 0 && <Problems codes={session.problems} />}
      {turns.length > 0 && (
        <Section id="timeline" title="Turn by turn">
          <Timeline turns={turns} turnsInAll={session.turns} />
        </Section>
      )}
      <Section id="cost" title="Cost">
        <CostTable parts={cost.parts} totalUsd={cost.costUsd} session={session} />
      </Section>
      {turns.length > 0 && (
        <Section id="turns" title={plural(turns.length, "turn")}>
          <TurnsTable turns={turns} view={view} />
        </Section>
      )}
      {responses.length > 0 && (
        <Section id="context" title="The conversation, paid for again">
          <ContextTable context={context} view={view} />
        </Section>
      )}
      <Section id="feedback" title="What people said">
        <Feedback words={words} session={session} view={view} />
      </Section>
      <Section id="calls" title={plural(cost.calls, "call")}>
        <CallsTable calls={calls} startedAtMs={session.startedAt} inAll={cost.calls} view={view} />
      </Section>
      <Section id="limits" title="Rate limits">
        <RateLimits session={session} />
      </Section>
      <div className="grid gap-x-8 lg:grid-cols-2">
        <Section id="attribution" title="Attribution">
          <Attribution session={session} />
        </Section>
        <Section id="connection" title="Connection">
          <ConnectionFacts session={session} resumedFrom={resumedFrom} resumedBy={resumedBy} view={view} />
        </Section>
      </div>
    </Frame>
  );
}

function read(id: string) {
  return readWhole("session", async (tx) => {
    const [found, freshness] = await Promise.all([sessionOf(tx, PROJECT, id), watermarkMs(tx)]);
    if (!found) return null;
    const [turns, calls, cost] = await Promise.all([
      turnsOf(tx, id, TURNS_MAX),
      callsOfSession(tx, PROJECT, id, CALLS_MAX),
      costOfSession(tx, PROJECT, id),
    ]);
    const callIds = calls.map((call) => call.id);
    const words = await wordsOfSession(tx, PROJECT, { session: found.session.session, callIds }, WORDS_MAX);
    return { ...found, turns, calls, cost, words, freshness };
  });
}

/** To its end; of one that is open, to the last that is known of it. */
function lasted({ startedAt, endedAt }: Session, turns: readonly Turn[]): number | null {
  if (endedAt !== null) return endedAt - startedAt;
  const last = turns.at(-1);
  return last ? (last.doneMs ?? last.createdMs ?? last.inputEndMs) : null;
}

function Zone({ id, view }: { id: string; view: View }) {
  const path = `/sessions/${id}`;
  return (
    <ZonePicker
      zone={view.zone}
      pinned={view.zonePinned}
      hrefTemplate={hrefOf(path, view, { zone: "{zone}" }).replace("%7Bzone%7D", "{zone}")}
      hrefOwn={hrefOf(path, view, { zone: null })}
    />
  );
}

function Section({ id, title, children }: { id: string; title: string; children: ReactNode }) {
  return (
    <section id={id} aria-labelledby={`${id}-title`} className="mt-6 min-w-0 border-t border-rule pt-4">
      <h2 id={`${id}-title`} className="mb-2 text-lg font-semibold">
        {title}
      </h2>
      {children}
    </section>
  );
}
