import type { Metadata } from "next";
import { readWhole } from "#app/_data/read-in-parts.ts";
import { requestedView } from "#app/_data/view.ts";
import { CallsTabs } from "#app/_frame/calls-tabs.tsx";
import { FilterBar } from "#app/_frame/filter-bar.tsx";
import { Frame } from "#app/_frame/frame.tsx";
import { rangePhrase } from "#app/_frame/range-name.ts";
import { TimeControls } from "#app/_frame/time-controls.tsx";
import { hrefOf, type Params, PROJECT, scopeOf, type View } from "#app/_frame/view.ts";
import { Complaints } from "#app/_ui/complaints.tsx";
import { Link } from "#app/_ui/link.tsx";
import { FirstCall } from "#app/calls/(list)/first-call.tsx";
import { watermarkMs } from "#db/queries/frame.ts";
import { anySession, SESSION_FILTERS, sessionsOfPage, sessionTotals } from "#db/queries/session-list.ts";
import { readConfig } from "#lib/config.ts";
import { SessionsTable } from "./sessions-table.tsx";
import { Totals } from "./totals.tsx";

export const metadata: Metadata = { title: "Sessions" };

const PATH = "/sessions";
const PAGE_ROWS = 50;

export default async function SessionsPage({ searchParams }: { searchParams: Promise<Params> }) {
  const view = await requestedView(await searchParams);
  const { any, rows, totals, freshness } = await read(view);
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
      {any && rows.shown.length === 0 && <NoneHere view={view} />}
      {rows.shown.length > 0 && (
        <>
          <Totals totals={totals} />
          <SessionsTable rows={rows.shown} view={view} />
          <Pager view={view} rows={rows} />
        </>
      )}
    </Frame>
  );
}

function read(view: View) {
  return readWhole("sessions", async (tx) => {
    const [found, totals, freshness] = await Promise.all([
      sessionsOfPage(tx, scopeOf(view), view.cursor, PAGE_ROWS),
      sessionTotals(tx, scopeOf(view)),
      watermarkMs(tx),
    ]);
    const more = found.length > PAGE_ROWS;
    const rows =
      view.cursor && "after" in view.cursor
        ? { shown: more ? found.slice(1) : found, newer: more, older: true }
        : { shown: found.slice(0, PAGE_ROWS), newer: view.cursor !== null, older: more };
    return { any: found.length > 0 || (await anySession(tx, PROJECT)), rows, totals, freshness };
  });
}

interface PageRows {
  shown: Awaited<ReturnType<typeof sessionsOfPage>>;
  newer: boolean;
  older: boolean;
}

function Pager({ view, rows: { shown, newer, older } }: { view: View; rows: PageRows }) {
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
