import type { Metadata } from "next";
import { notFound } from "next/navigation";
import type { ReactNode } from "react";
import { openSaid } from "#app/_data/content.ts";
import { isUuid } from "#app/_data/is-uuid.ts";
import { readWhole } from "#app/_data/read-in-parts.ts";
import { requestedView } from "#app/_data/view.ts";
import { Frame } from "#app/_frame/frame.tsx";
import { hrefOf, type Params, PROJECT, type View } from "#app/_frame/view.ts";
import { ZonePicker } from "#app/_frame/zone-picker.tsx";
import { plural } from "#app/_ui/format.ts";
import { childrenOfCall } from "#db/queries/call-children.ts";
import { type KeptMedia, mediaOf } from "#db/queries/call-media.ts";
import {
  attemptsOf,
  type CallFacts,
  callFacts,
  costOfCall,
  linesOfCall,
  neighboursOf,
  oldestPayloadMs,
  payloadOf,
  toolCallsOf,
  usageOfCall,
} from "#db/queries/call-page.ts";
import { parentOf } from "#db/queries/call-parent.ts";
import { comparableCalls } from "#db/queries/comparable-calls.ts";
import { watermarkMs } from "#db/queries/frame.ts";
import { relatedCalls } from "#db/queries/related-calls.ts";
import { readConfig } from "#lib/config.ts";
import { Attempts } from "./attempts.tsx";
import { Audio } from "./audio.tsx";
import { ownOf, readAxisKind } from "./axis.ts";
import { Booked } from "./booked.tsx";
import { ChildTiming } from "./child-timing.tsx";
import { compare } from "./comparison.ts";
import { ContentSection } from "./content.tsx";
import { Attribution, Ids, RequestFacts } from "./facts.tsx";
import { FeedbackSection } from "./feedback.tsx";
import { Pace } from "./pace.tsx";
import { Related } from "./related.tsx";
import { SendAgain } from "./send-again.tsx";
import { Summary } from "./summary.tsx";
import { Timing } from "./timing.tsx";
import { Tools } from "./tools.tsx";
import { Usage } from "./usage.tsx";
import { Way } from "./way.tsx";

const ATTEMPTS_MAX = 50;

interface Props {
  params: Promise<{ id: string }>;
  searchParams: Promise<Params>;
}

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  return { title: `Call ${(await params).id.slice(0, 8)}` };
}

export default async function CallPage({ params, searchParams }: Props) {
  const { id } = await params;
  if (!isUuid(id)) notFound();
  const wanted = await searchParams;
  const kind = readAxisKind(wanted);
  const view = await requestedView(wanted, ownOf(id, kind));
  const found = await read(id.toLowerCase(), view);
  if (!found) notFound();
  const { call, lines, booked, cost, tools, payload, oldestMs, attempts, comparable, neighbours, freshness } = found;
  const { media, parent, related, cameOut } = found;
  const startedAtMs = call.startedAt.getTime();
  const said = openSaid(payload, { startedAtMs, problems: call.problems, oldestMs });
  const comparison = compare(call, comparable);
  const isChild = call.parentId !== null;
  return (
    <Frame
      title="Call"
      watermark={freshness}
      nowMs={view.nowMs}
      zone={view.zone}
      controls={<Zone id={id} view={view} />}
      bar={<Way call={call} parent={parent} kind={kind} view={view} neighbours={neighbours} />}
    >
      <Summary call={call} lines={lines} cost={cost} view={view} />
      <Section id="timing" title="Timing">
        {isChild ? (
          <ChildTiming call={call} parent={parent} view={view} />
        ) : (
          <Timing call={call} comparison={comparison} kind={kind} view={view} />
        )}
      </Section>
      <Section id="pace" title="Pace">
        <Pace call={call} comparison={comparison} />
      </Section>
      {attempts.length > 1 && (
        <Section id="attempts" title={`${Math.min(attempts.length, ATTEMPTS_MAX)} calls of one operation`}>
          <Attempts
            call={call}
            rows={attempts.slice(0, ATTEMPTS_MAX)}
            isCut={attempts.length > ATTEMPTS_MAX}
            view={view}
          />
        </Section>
      )}
      <Section id="usage" title="Usage">
        <Usage call={call} lines={lines} />
      </Section>
      <Section id="money" title="Money">
        <Booked
          lines={booked}
          costUsd={cost.costUsd}
          model={call.model}
          cameOut={cameOut}
          childHref={(child) => hrefOf(`/calls/${child}`, view)}
        />
      </Section>
      {hasAudio(call, media) && (
        <Section id="audio" title="Audio">
          <Audio call={call} media={media} keepsAudio={readConfig().keepAudio} />
        </Section>
      )}
      <Section id="content" title="Messages">
        <ContentSection said={said} callId={call.id} media={media} />
      </Section>
      {!isChild && (
        <Section id="again" title="Send it again">
          <SendAgain call={call} said={said} proxyPort={readConfig().proxyPort} />
        </Section>
      )}
      {related.length > 0 && (
        <Section id="related" title="The same conversation">
          <Related calls={related} view={view} />
        </Section>
      )}
      <Section id="feedback" title="Feedback">
        <FeedbackSection call={call} zone={view.zone} />
      </Section>
      {tools.length > 0 && (
        <Section id="tools" title={plural(tools.length, "tool call")}>
          <Tools tools={tools} said={said} />
        </Section>
      )}
      <div className="grid gap-x-8 lg:grid-cols-2">
        <div className="min-w-0">
          <Section id="attribution" title="Attribution">
            <Attribution call={call} />
          </Section>
          <Section id="ids" title="Ids">
            <Ids call={call} />
          </Section>
        </div>
        <div className="min-w-0">
          <Section id="request" title="Request">
            <RequestFacts call={call} />
          </Section>
        </div>
      </div>
    </Frame>
  );
}

const hasAudio = (call: CallFacts, media: readonly KeptMedia[]) =>
  media.length > 0 || [...call.inputModalities, ...call.outputModalities].includes("audio");

function read(id: string, view: View) {
  return readWhole("call", async (tx) => {
    const [call, freshness] = await Promise.all([callFacts(tx, PROJECT, id), watermarkMs(tx)]);
    if (!call) return null;
    const [lines, booked, cost, tools, payload, oldestMs, attempts, comparable, neighbours, media, parent] =
      await Promise.all([
        usageOfCall(tx, id),
        linesOfCall(tx, id),
        costOfCall(tx, id),
        toolCallsOf(tx, id),
        payloadOf(tx, id),
        oldestPayloadMs(tx),
        attemptsOf(tx, PROJECT, call, ATTEMPTS_MAX + 1),
        comparableCalls(tx, PROJECT, call),
        neighboursOf(tx, PROJECT, id, view.filter),
        mediaOf(tx, id),
        parentOf(tx, PROJECT, call.parentId),
      ]);
    // What is billed itself has none.
    const cameOut = call.usageSource === "none" ? await childrenOfCall(tx, PROJECT, id) : null;
    const beside = { media, parent, related: await relatedCalls(tx, call), cameOut, neighbours, freshness };
    return { call, lines, booked, cost, tools, payload, oldestMs, attempts, comparable, ...beside };
  });
}

function Zone({ id, view }: { id: string; view: View }) {
  const path = `/calls/${id}`;
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
