import { hrefOf, type View } from "#app/_frame/view.ts";
import { formatBytes, formatCount, formatDuration, formatShare, plural, UNKNOWN } from "#app/_ui/format.ts";
import { Link } from "#app/_ui/link.tsx";
import { ScrollBox } from "#app/_ui/scroll-box.tsx";
import { formatMoment } from "#app/_ui/time.ts";
import { type Fact, FactList } from "#app/calls/[id]/fact-list.tsx";
import type { Session } from "#lib/session.ts";
import { endInWords } from "./session-sentences.ts";
import { TRANSPORTS } from "./session-words.ts";

const given = (name: string, value: string | null): Fact | null => (value === null ? null : { name, value });
const id = (name: string, value: string | null): Fact | null => (value === null ? null : { name, value, id: value });

/** Whose session it was. */
export function Attribution({ session }: { session: Session }) {
  const tags = Object.entries(session.tags);
  return (
    <FactList
      facts={[
        given("Feature", session.feature),
        given("Customer", session.customer),
        given("End user", session.endUser),
        given("Session name", session.session),
        given("Release", session.release),
        given("Environment", session.environment),
        tags.length > 0 ? { name: "Tags", value: tags.map(([key, value]) => `${key}=${value}`).join(", ") } : null,
        id("Session id", session.id),
        id("Provider's session id", session.providerId),
        id("Provider's call id", session.providerCallId),
      ]}
    />
  );
}

interface Beside {
  session: Session;
  resumedFrom: string | null;
  /** Of the same name, begun after this one. */
  resumedBy: string | null;
  view: View;
}

/** The connection itself: how it went, and what went through it. */
export function ConnectionFacts({ session, resumedFrom, resumedBy, view }: Beside) {
  const moment = (ms: number | null) => (ms === null ? UNKNOWN : formatMoment(ms, view.zone));
  const link = (to: string) => (
    <Link className="text-link font-mono text-xs" href={hrefOf(`/sessions/${to}`, view)}>
      {to}
    </Link>
  );
  return (
    <FactList
      facts={[
        { name: "Transport", value: TRANSPORTS[session.transport] },
        given("Upstream", session.upstream),
        { name: "Began", value: moment(session.startedAt) },
        { name: "Ended", value: session.endedAt === null ? "still open" : moment(session.endedAt) },
        { name: "How", value: endInWords(session) },
        session.expiresAt === null ? null : { name: "Would expire", value: moment(session.expiresAt) },
        resumedFrom === null ? null : { name: "Goes on with", value: link(resumedFrom) },
        resumedBy === null ? null : { name: "Went on as", value: link(resumedBy) },
        { name: "Tool calls", value: formatCount(session.toolCalls) },
        { name: "Errors", value: formatCount(session.errors) },
        {
          name: "Client",
          value: `${plural(session.clientMessages, "message")}, ${formatBytes(session.clientBytes)}`,
        },
        {
          name: "Upstream's",
          value: `${plural(session.serverMessages, "message")}, ${formatBytes(session.serverBytes)}`,
        },
      ]}
    />
  );
}

/** What the provider last said was left. */
export function RateLimits({ session: { rateLimits, rateLimitEvents } }: { session: Session }) {
  const limits = Object.entries(rateLimits);
  if (limits.length === 0) return <p className="text-muted">The provider told no limits in this session.</p>;
  return (
    <>
      <ScrollBox name="Rate limits">
        <table className="figures" data-testid="table-limits">
          <caption className="sr-only">Rate limits as last told</caption>
          <thead>
            <tr>
              <th scope="col">Of</th>
              <th scope="col">Left</th>
              <th scope="col">Limit</th>
              <th scope="col">Share left</th>
              <th scope="col">Whole again in</th>
            </tr>
          </thead>
          <tbody>
            {limits.map(([name, { limit, remaining, resetSeconds }]) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td>{formatCount(remaining)}</td>
                <td>{formatCount(limit)}</td>
                <td>{limit === null || remaining === null ? UNKNOWN : formatShare(remaining, limit)}</td>
                <td>{formatDuration(resetSeconds === null ? null : resetSeconds * 1000)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </ScrollBox>
      <p className="mt-2 text-xs text-muted">
        As last told, of {plural(rateLimitEvents, "time")}. They are the account's, not this session's.
      </p>
    </>
  );
}
