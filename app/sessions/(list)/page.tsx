import type { Metadata } from "next";
import { requestedView } from "#app/_data/view.ts";
import { CallsTabs } from "#app/_frame/calls-tabs.tsx";
import { Computed } from "#app/_frame/computed.tsx";
import { FilterBar } from "#app/_frame/filter-bar.tsx";
import { Frame } from "#app/_frame/frame.tsx";
import { rangePhrase } from "#app/_frame/range-name.ts";
import { TimeControls } from "#app/_frame/time-controls.tsx";
import { hrefOf, type Params, scopeOf, type View } from "#app/_frame/view.ts";
import { Complaints } from "#app/_ui/complaints.tsx";
import { Link } from "#app/_ui/link.tsx";
import { FirstCall } from "#app/calls/(list)/first-call.tsx";
import { SESSION_FILTERS } from "#db/queries/session-list.ts";
import { readConfig } from "#lib/config.ts";
import { type FoundSessions, readSessions } from "./read-sessions.ts";
import { SessionsTable } from "./sessions-table.tsx";
import { Totals } from "./totals.tsx";
import { Waits } from "./waits.tsx";

export const metadata: Metadata = { title: "Sessions" };

const PATH = "/sessions";

export default async function SessionsPage({ searchParams }: { searchParams: Promise<Params> }) {
  const view = await requestedView(await searchParams);
  const { head, rest } = await readSessions(view);
  const { any, freshness } = head;
  const ignored = Object.keys(view.filter).filter((name) => !SESSION_FILTERS.some((one) => one === name));
  return (
    <Frame
      title="Sessions"
      watermark={freshness}
      nowMs={view.nowMs}
      zone={view.zone}
      controls={any && <TimeControls path={PATH} view={view} />}
      bar={
        <search aria-label="Filters" className="flex min-h-7 flex-wrap items-center gap-2">
          <CallsTabs here={PATH} view={view} />
          {any && <FilterBar path={PATH} view={view} only={SESSION_FILTERS} />}
        </search>
      }
    >
      <Complaints
        sentences={[
          ...view.complaints,
          ...(any && ignored.length > 0
            ? [`A session has no ${ignored.join(", ")}: these filters say nothing here and are left out.`]
            : []),
        ]}
      />
      {!any && <None />}
      {any && (
        <div className="results">
          <Computed reading={rest} of={hrefOf(PATH, view)} scope={scopeOf(view)} unserved={null}>
            {(found) => <Found {...found} view={view} />}
          </Computed>
        </div>
      )}
    </Frame>
  );
}

function Found({ rows, totals, cost, waits, view }: FoundSessions & { view: View }) {
  if (rows.shown.length === 0) return <NoneHere view={view} />;
  return (
    <>
      <Totals totals={totals} cost={cost} />
      <Waits waits={waits} view={view} />
      <SessionsTable rows={rows.shown} view={view} />
      <Pager view={view} rows={rows} />
    </>
  );
}

function Pager({ view, rows: { shown, newer, older } }: { view: View; rows: FoundSessions["rows"] }) {
  const [first, last] = [shown[0]?.id, shown.at(-1)?.id];
  if (!first || !last || (!newer && !older)) return null;
  return (
    <nav aria-label="Pages" className="flex flex-wrap items-center gap-2 py-3">
      {newer && (
        <Link className="control" href={hrefOf(PATH, view, { cursor: { after: first } })} rel="prev">
          ← Newer
        </Link>
      )}
      {older && (
        <Link className="control" href={hrefOf(PATH, view, { cursor: { before: last } })} rel="next">
          Older →
        </Link>
      )}
    </nav>
  );
}

/** Nobody opened a socket yet. */
function None() {
  const { proxyPort } = readConfig();
  return (
    <section className="max-w-6xl" data-testid="no-sessions">
      <h2 className="text-lg font-semibold">No session is recorded yet</h2>
      <p className="mt-1 mb-4 max-w-3xl text-base">
        A session is a WebSocket that holds many calls: Realtime voice, or Responses over a WebSocket. Point the client
        at <code className="font-mono">ws://127.0.0.1:{proxyPort}/v1/realtime</code> instead of OpenAI's address; the
        header <code className="font-mono">x-omnimeter-session</code> names it, so that the one which goes on after a
        break is found.
      </p>
      <FirstCall proxyPort={proxyPort} />
    </section>
  );
}

function NoneHere({ view }: { view: View }) {
  const filtered = Object.keys(view.filter).length > 0;
  return (
    <section className="mt-4 max-w-2xl rounded-md border border-rule p-4" data-testid="empty-filter">
      <h2 className="text-lg font-semibold">No sessions match</h2>
      <p className="mt-1 text-base text-muted first-letter:uppercase">
        {rangePhrase(view)} holds no sessions{filtered && " with these filters"}.
      </p>
      {filtered && (
        <p className="mt-4">
          <Link className="control" href={hrefOf(PATH, view, { filter: {} })}>
            Remove all filters
          </Link>
        </p>
      )}
    </section>
  );
}
