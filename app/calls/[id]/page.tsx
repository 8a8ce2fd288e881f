import type { Metadata } from "next";
import { notFound } from "next/navigation";
import type { ReactNode } from "react";
import { openSaid, type Said } from "#app/_data/content.ts";
import { database } from "#app/_data/database.ts";
import { requestedView } from "#app/_data/view.ts";
import { Frame } from "#app/_frame/frame.tsx";
import { hrefOf, type Params, PROJECT, type View } from "#app/_frame/view.ts";
import { ZonePicker } from "#app/_frame/zone-picker.tsx";
import { Cost } from "#app/_ui/cost.tsx";
import { formatBytes, formatCount, formatDuration, plural } from "#app/_ui/format.ts";
import { Glyph } from "#app/_ui/glyph.tsx";
import { Link } from "#app/_ui/link.tsx";
import { ScrollBox } from "#app/_ui/scroll-box.tsx";
import { Status } from "#app/_ui/status.tsx";
import { formatMoment, formatMomentFully } from "#app/_ui/time.ts";
import { Tokens } from "#app/_ui/tokens.tsx";
import {
  type AttemptRow,
  attemptsOf,
  type CallFacts,
  callFacts,
  costOfCall,
  linesOfCall,
  neighboursOf,
  oldestPayloadMs,
  payloadOf,
  type ToolRow,
  toolCallsOf,
  usageOfCall,
} from "#db/queries/call-page.ts";
import { watermarkMs } from "#db/queries/frame.ts";
import { snapshot } from "#db/queries/snapshot.ts";
import type { Outcome, UsageSource } from "#lib/call.ts";
import { ContentSection } from "./content.tsx";
import { Attribution, Ids, RequestFacts } from "./facts.tsx";
import { FeedbackSection } from "./feedback.tsx";
import { Money } from "./money.tsx";
import { outcomeSentence } from "./outcome-sentence.ts";
import { problemSentence } from "./problem-sentence.ts";
import { Usage } from "./usage.tsx";
import { Waterfall } from "./waterfall.tsx";

const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

interface Props {
  params: Promise<{ id: string }>;
  searchParams: Promise<Params>;
}

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  return { title: `Call ${(await params).id.slice(0, 8)}` };
}

export default async function CallPage({ params, searchParams }: Props) {
  const { id } = await params;
  if (!UUID.test(id)) notFound();
  const view = await requestedView(await searchParams);
  const found = await read(id.toLowerCase(), view);
  if (!found) notFound();
  const { call, lines, booked, cost, tools, payload, oldestMs, attempts, neighbours, freshness } = found;
  const startedAtMs = call.startedAt.getTime();
  const said = openSaid(payload, { startedAtMs, problems: call.problems, oldestMs });
  return (
    <Frame
      title="Call"
      watermark={freshness}
      nowMs={view.nowMs}
      zone={view.zone}
      controls={<Zone id={id} view={view} />}
      bar={<Way call={call} view={view} neighbours={neighbours} />}
    >
      <Summary call={call} cost={cost} view={view} />
      <Section id="timing" title="Timing">
        <Waterfall moments={call} />
      </Section>
      <Section id="usage" title="Usage">
        <Usage call={call} lines={lines} />
      </Section>
      <Section id="money" title="Money">
        <Money lines={booked} costUsd={cost.costUsd} />
      </Section>
      <Section id="content" title="Messages">
        <ContentSection said={said} />
      </Section>
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
          {attempts.length > 1 && (
            <Section id="attempts" title={`${attempts.length} calls of one operation`}>
              <Attempts call={call} attempts={attempts} view={view} />
            </Section>
          )}
        </div>
      </div>
    </Frame>
  );
}

function read(id: string, view: View) {
  return snapshot(database(), async (tx) => {
    const [call, freshness] = await Promise.all([callFacts(tx, PROJECT, id), watermarkMs(tx)]);
    if (!call) return null;
    const [lines, booked, cost, tools, payload, oldestMs, attempts, neighbours] = await Promise.all([
      usageOfCall(tx, id),
      linesOfCall(tx, id),
      costOfCall(tx, id),
      toolCallsOf(tx, id),
      payloadOf(tx, id),
      oldestPayloadMs(tx),
      attemptsOf(tx, PROJECT, call),
      neighboursOf(tx, PROJECT, id, view.filter),
    ]);
    return { call, lines, booked, cost, tools, payload, oldestMs, attempts, neighbours, freshness };
  });
}

/** The list that this call was chosen from, and the calls beside it there. */
function Way({
  call,
  view,
  neighbours,
}: {
  call: CallFacts;
  view: View;
  neighbours: { older: string | null; newer: string | null };
}) {
  const to = (id: string | null, label: string, rel: string) =>
    id ? (
      <Link className="control" href={hrefOf(`/calls/${id}`, view)} rel={rel}>
        {label}
      </Link>
    ) : (
      <span className="px-2 text-muted">{rel === "prev" ? "No newer call" : "No older call"}</span>
    );
  return (
    <nav aria-label="Calls" className="flex w-full flex-wrap items-center gap-2">
      <Link className="control" href={hrefOf("/calls", view)}>
        ← All calls
      </Link>
      {call.feature !== null && (
        <Link
          className="control min-w-0 max-w-full"
          href={hrefOf("/calls", view, { filter: { feature: [call.feature] } })}
        >
          <span className="truncate">Calls of {call.feature}</span>
        </Link>
      )}
      <span className="ml-auto flex flex-wrap items-center gap-2">
        {to(neighbours.newer, "↑ Newer", "prev")}
        {to(neighbours.older, "↓ Older", "next")}
      </span>
    </nav>
  );
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

interface SummaryProps {
  call: CallFacts;
  cost: { costUsd: string | null; unpriced: boolean };
  view: View;
}

function Summary({ call, cost, view }: SummaryProps) {
  const source = call.usageSource as UsageSource;
  const at = call.startedAt.getTime();
  return (
    <section aria-label="Summary" data-testid="summary">
      <dl className="flex flex-wrap gap-x-8 gap-y-3">
        <Figure name="Cost">
          <Cost {...cost} usageSource={source} problems={call.problems} />
        </Figure>
        <Figure name="Duration">{formatDuration(call.durationMs)}</Figure>
        <Figure name="First token">{formatDuration(call.firstTokenMs)}</Figure>
        <Figure name="Tokens in">
          <Tokens count={call.inputTokens} source={source} low={call.inputTokensLow} high={call.inputTokensHigh} />
          {call.cachedTokens !== null && call.cachedTokens > 0 && (
            <span className="ml-2 text-sm font-normal text-muted">{formatCount(call.cachedTokens)} cached</span>
          )}
        </Figure>
        <Figure name="Tokens out">
          <Tokens count={call.outputTokens} source={source} low={call.outputTokensLow} high={call.outputTokensHigh} />
        </Figure>
      </dl>
      <p className="mt-3 flex flex-wrap items-center gap-x-4 gap-y-1 text-base">
        <Status outcome={call.outcome as Outcome} status={call.status} />
        <span className="font-semibold break-all">{call.model ?? call.requestModel ?? "model unknown"}</span>
        <span className="[overflow-wrap:anywhere]">
          {call.feature ?? <span className="text-muted">no feature given</span>}
        </span>
        <span className="text-muted">{formatMomentFully(at, view.zone)}</span>
      </p>
      <p className="mt-2 text-base" data-testid="verdict">
        {outcomeSentence(call)}
      </p>
      {call.errorMessage && (
        <blockquote className="mt-2 border-l-2 border-bad pl-3 text-base whitespace-pre-wrap [overflow-wrap:anywhere]">
          {call.errorMessage}
        </blockquote>
      )}
      {call.problems.length > 0 && <Problems codes={call.problems} />}
    </section>
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

function Problems({ codes }: { codes: readonly string[] }) {
  return (
    <ul className="mt-3 grid gap-1" aria-label="Problems">
      {codes.map((code) => (
        <li key={code} className="flex items-baseline gap-2 text-warn">
          <Glyph name="warn" />
          <span className="min-w-0">
            {problemSentence(code)} <code className="font-mono text-xs text-muted break-all">{code}</code>
          </span>
        </li>
      ))}
    </ul>
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

function Tools({ tools, said }: { tools: readonly ToolRow[]; said: Said }) {
  return (
    <>
      <ScrollBox name="Tool calls">
        <table className="figures">
          <thead>
            <tr>
              <th scope="col">Tool</th>
              <th scope="col">Type</th>
              <th scope="col">Arguments</th>
              <th scope="col">Choice</th>
              <th scope="col">Id</th>
            </tr>
          </thead>
          <tbody>
            {tools.map((tool) => (
              <tr key={tool.index}>
                <th scope="row" className="font-mono">
                  {tool.name}
                </th>
                <td>{tool.type}</td>
                <td>{formatBytes(tool.argumentBytes)}</td>
                <td>{tool.choice + 1}</td>
                <td className="font-mono text-xs">{tool.toolCallId ?? "—"}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </ScrollBox>
      <p className="mt-2 text-muted">
        {"why" in said
          ? "Their arguments are content, which is not here."
          : "Their arguments stand in the output above."}
      </p>
    </>
  );
}

function Attempts({ call, attempts, view }: { call: CallFacts; attempts: readonly AttemptRow[]; view: View }) {
  return (
    <ScrollBox name="Calls of the operation">
      <table className="figures">
        <thead>
          <tr>
            <th scope="col">Started</th>
            <th scope="col">Attempt</th>
            <th scope="col">Duration</th>
            <th scope="col">Ended</th>
          </tr>
        </thead>
        <tbody>
          {attempts.map((one) => (
            <tr key={one.id}>
              <th scope="row">
                {one.id === call.id ? (
                  <span aria-current="page">{formatMoment(one.startedAt.getTime(), view.zone)}, this call</span>
                ) : (
                  <Link className="text-link" href={hrefOf(`/calls/${one.id}`, view)}>
                    {formatMoment(one.startedAt.getTime(), view.zone)}
                  </Link>
                )}
              </th>
              <td>{one.attempt + 1}</td>
              <td>{formatDuration(one.durationMs)}</td>
              <td>
                <Status outcome={one.outcome as Outcome} status={one.status} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollBox>
  );
}
