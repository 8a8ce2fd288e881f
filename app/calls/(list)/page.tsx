import type { Metadata } from "next";
import { readInParts } from "#app/_data/read-in-parts.ts";
import { requestedView } from "#app/_data/view.ts";
import { CallsTabs } from "#app/_frame/calls-tabs.tsx";
import { Computed } from "#app/_frame/computed.tsx";
import { EmptyByFilter } from "#app/_frame/empty-by-filter.tsx";
import { FilterBar } from "#app/_frame/filter-bar.tsx";
import { Frame } from "#app/_frame/frame.tsx";
import { TimeControls } from "#app/_frame/time-controls.tsx";
import { unservedBy } from "#app/_frame/unserved.ts";
import { hrefOf, isOpen, type Params, PROJECT, scopeOf, type View } from "#app/_frame/view.ts";
import { stripColumns } from "#app/calls/strip-columns.ts";
import { type Reader, ROLLED_UP, type Scope } from "#db/queries/call-filter.ts";
import { anyCall, type CallRow, callsOfPage, callsOverTime, roughCount } from "#db/queries/calls-page.ts";
import { watermarkMs } from "#db/queries/frame.ts";
import { type SpendTotal, spendTotal } from "#db/queries/spend-source.ts";
import { costOfBegun } from "#db/queries/waste.ts";
import { readConfig } from "#lib/config.ts";
import { type Buckets, cutIntoBuckets } from "#lib/range.ts";
import { CallsTable } from "./calls-table.tsx";
import { FindCall } from "./find-call.tsx";
import { FirstCall } from "./first-call.tsx";
import { Live } from "./live.tsx";
import { PAGE_ROWS } from "./page-rows.ts";
import { liveQuery, Pager } from "./pager.tsx";
import { Strip } from "./strip.tsx";
import { sumOf, Totals } from "./totals.tsx";

export const metadata: Metadata = { title: "Calls" };

const QUARTER_MS = 900_000;
const COUNT_ONE_BY_ONE = 200_000;

export default async function CallsPage({ searchParams }: { searchParams: Promise<Params> }) {
  const params = await searchParams;
  const view = await requestedView(params);
  const { head, rest } = await read(view);
  const { any, rows, freshness } = head;
  const onFirstPage = view.cursor === null;
  const live = isOpen(view) && onFirstPage;
  const frame = { title: "Calls", watermark: freshness, nowMs: view.nowMs, zone: view.zone };
  const ids = rows.shown.map(({ id }) => id);
  const computed = {
    reading: rest,
    of: hrefOf("/calls", view, { cursor: view.cursor }),
    scope: scopeOf(view),
    unserved: unservedBy(view.filter, ROLLED_UP),
  };
  // The same tree with and without calls: what follows the first call must live through its arrival to announce it.
  return (
    <Frame
      {...frame}
      controls={any && <TimeControls path="/calls" view={view} />}
      bar={any && <Filters view={view} missing={typeof params.missing === "string" ? params.missing : null} />}
    >
      <Live
        on={any ? live && view.live : true}
        waiting={!any}
        ids={ids}
        query={liveQuery(view)}
        toggleHref={any && live ? liveQuery({ ...view, live: !view.live }, "/calls") : null}
        above={
          <>
            <Complaints sentences={view.complaints} />
            {any && (
              <Computed {...computed} height="h-36">
                {({ buckets, slots }) => slots.length > 0 && <Strip view={view} buckets={buckets} slots={slots} />}
              </Computed>
            )}
          </>
        }
      >
        {!any && <FirstCall proxyPort={readConfig().proxyPort} />}
        {any && rows.shown.length === 0 && <EmptyByFilter view={view} path="/calls" />}
        {rows.shown.length > 0 && (
          <>
            <CallsTable rows={rows.shown} view={view} />
            <div className="flex flex-wrap items-start justify-between gap-x-6 gap-y-2 py-3">
              <Computed {...computed} height={null}>
                {({ slots, spent }) => (
                  <Totals total={sumOf(slots)} spent={spent} begun={view.filter.waste !== undefined} />
                )}
              </Computed>
              <Pager view={view} rows={rows} />
            </div>
          </>
        )}
      </Live>
    </Frame>
  );
}

function Filters({ view, missing }: { view: View; missing: string | null }) {
  return (
    <search aria-label="Filters" className="flex min-h-7 flex-wrap items-center gap-2">
      <CallsTabs here="/calls" view={view} />
      <FilterBar path="/calls" view={view} />
      <FindCall missing={missing} />
    </search>
  );
}

export interface PageRows {
  shown: CallRow[];
  older: boolean;
  newer: boolean;
}

/** Everything the page shows, as of one moment: the rows first, then what all calls of the view come to. */
function read(view: View) {
  const scope = scopeOf(view);
  const readHead = async (tx: Reader) => {
    const [found, freshness] = await Promise.all([callsOfPage(tx, scope, view.cursor, PAGE_ROWS), watermarkMs(tx)]);
    let rows = pageOf(found, view);
    if (view.cursor && "after" in view.cursor && !rows.newer) {
      // Nothing is newer than these: this is the first page, and it may have room for more.
      view.cursor = null;
      rows = pageOf(await callsOfPage(tx, scope, null, PAGE_ROWS), view);
    }
    const any = rows.shown.length > 0 || (await anyCall(tx, PROJECT));
    return { any, rows, freshness };
  };
  return readInParts("calls", readHead, async (tx, { rows }) => {
    const buckets = await bucketsOf(tx, view);
    const slots = await callsOverTime(tx, scope, buckets.edges);
    const spent = rows.shown.length > 0 ? await spentOn(tx, scope) : null;
    return { buckets, slots, spent };
  });
}

/** Waste is told of the calls that began in the range, everything else of what is booked in it. */
async function spentOn(tx: Reader, scope: Scope): Promise<SpendTotal | null> {
  if (scope.filter.waste) return costOfBegun(tx, scope, COUNT_ONE_BY_ONE);
  return spendTotal(tx, scope, (await roughCount(tx, scope)) <= COUNT_ONE_BY_ONE);
}

/** Buckets below a quarter of an hour are counted call by call: only where calls are few enough. */
async function bucketsOf(tx: Reader, view: View): Promise<Buckets> {
  const fine = cutIntoBuckets(view.interval, view.zone);
  if (fine.width.ms < QUARTER_MS && (await roughCount(tx, scopeOf(view))) <= COUNT_ONE_BY_ONE) return fine;
  return stripColumns(view);
}

function pageOf(found: CallRow[], { cursor }: View): PageRows {
  const more = found.length > PAGE_ROWS;
  if (cursor && "after" in cursor) return { shown: more ? found.slice(1) : found, newer: more, older: true };
  return { shown: found.slice(0, PAGE_ROWS), newer: cursor !== null, older: more };
}

function Complaints({ sentences }: { sentences: readonly string[] }) {
  if (!sentences.length) return null;
  return (
    <ul role="status" className="mb-4 rounded-md border border-warn px-3 py-2 text-warn">
      {sentences.map((sentence) => (
        <li key={sentence}>{sentence}</li>
      ))}
    </ul>
  );
}
