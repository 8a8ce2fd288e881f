import type { Metadata } from "next";
import { cookies } from "next/headers";
import { MOST_SERIES } from "#app/_charts/series-colours.ts";
import { readInParts } from "#app/_data/read-in-parts.ts";
import { Computed } from "#app/_frame/computed.tsx";
import { Frame } from "#app/_frame/frame.tsx";
import { ZONE_COOKIE } from "#app/_frame/preferences.ts";
import { unservedBy } from "#app/_frame/unserved.ts";
import { type Params, PROJECT, scopeOf } from "#app/_frame/view.ts";
import { Complaints } from "#app/_ui/complaints.tsx";
import { Link } from "#app/_ui/link.tsx";
import { FirstCall } from "#app/calls/(list)/first-call.tsx";
import { anyCall } from "#db/queries/calls-page.ts";
import { watermarkMs } from "#db/queries/frame.ts";
import {
  closedMonths,
  SPEND_GROUPINGS,
  type Spend,
  spendOf,
  unpricedModels,
  unpricedProducts,
} from "#db/queries/spend-page.ts";
import { SPEND_FILTERS } from "#db/queries/spend-source.ts";
import { type WasteFigures, wasteIn } from "#db/queries/waste.ts";
import { readConfig } from "#lib/config.ts";
import { ByDay } from "./by-day.tsx";
import { ClosedMonths } from "./closed-months.tsx";
import { SpendControls } from "./controls.tsx";
import { EmptySpend } from "./empty.tsx";
import { SpendFilters } from "./filters.tsx";
import { GroupTable } from "./group-table.tsx";
import { GROUPINGS } from "./groupings.ts";
import { INVOICE_ZONE, readSpendView, type SpendView, spendBuckets, spendHref } from "./spend-view.ts";
import { Tiles } from "./tiles.tsx";
import { TokenMatrix } from "./token-matrix.tsx";
import { Waste } from "./waste.tsx";

export const metadata: Metadata = { title: "Spend" };

const MOST_ROWS = 200;
const MOST_UNPRICED_MODELS = 3;

export default async function SpendPage({ searchParams }: { searchParams: Promise<Params> }) {
  const view = readSpendView(await searchParams);
  const browserZone = (await cookies()).get(ZONE_COOKIE)?.value;
  const { head, rest } = await read(view);
  const { any, closed, freshness } = head;
  return (
    <Frame
      title="Spend"
      watermark={freshness}
      nowMs={view.nowMs}
      zone={view.zone}
      controls={any && <SpendControls view={view} browserZone={browserZone && decodeURIComponent(browserZone)} />}
      bar={any && <SpendFilters view={view} />}
    >
      {!any && (
        <>
          <p className="mb-3 text-base text-muted">Nothing is recorded yet. The first call brings its cost here.</p>
          <FirstCall proxyPort={readConfig().proxyPort} />
        </>
      )}
      {any && (
        <>
          <Complaints sentences={view.complaints} />
          <div className="mb-3 flex flex-wrap items-center justify-between gap-x-6 gap-y-2">
            <Zone view={view} />
            <ClosedMonths months={closed} zone={view.zone} />
          </div>
          <Computed
            reading={rest}
            of={spendHref(view)}
            scope={scopeOf(view)}
            unserved={unservedBy(view.filter, SPEND_FILTERS)}
          >
            {(found) => <Figures view={view} {...found} />}
          </Computed>
        </>
      )}
    </Frame>
  );
}

interface Found {
  spend: Spend;
  unpriced: { model: string; calls: number }[];
  products: string[];
  waste: WasteFigures;
}

function Figures({ view, spend, unpriced, products, waste }: Found & { view: SpendView }) {
  return (
    <div className="results grid gap-6">
      <Tiles view={view} total={spend.total} unpriced={unpriced} products={products} />
      {spend.total.calls > 0 && <Waste view={view} waste={waste} spendUsd={spend.total.costUsd} />}
      {spend.groups.length === 0 ? (
        <EmptySpend view={view} />
      ) : (
        <>
          <ByDay view={view} spend={spend} buckets={spendBuckets(view)} />
          <section aria-labelledby="groups-title" className="min-w-0">
            <div className="flex flex-wrap items-center gap-x-4 gap-y-1">
              <h2 id="groups-title" className="text-lg font-semibold">
                What was it spent on?
              </h2>
              <GroupingPicker view={view} />
              <a className="control ml-auto" href={spendHref(view, {}, "/spend/csv")} download data-testid="csv">
                Download CSV
              </a>
            </div>
            <GroupTable view={view} spend={spend} />
          </section>
          <TokenMatrix total={spend.total} />
          {spend.from === "calls" && (
            <p className="text-xs text-muted">
              Added up call by call: this filter or range is finer than what is kept summed.
            </p>
          )}
        </>
      )}
    </div>
  );
}

/** Everything the page shows, as of one moment. */
function read(view: SpendView) {
  const scope = scopeOf(view);
  return readInParts(
    "spend",
    async (tx) => {
      const [any, closed, freshness] = await Promise.all([
        anyCall(tx, PROJECT),
        closedMonths(tx, PROJECT, view.interval),
        watermarkMs(tx),
      ]);
      return { any, closed, freshness };
    },
    async (tx): Promise<Found> => {
      const limits = { rows: MOST_ROWS, series: MOST_SERIES };
      const spend = await spendOf(tx, scope, view.grouping, spendBuckets(view).edges, limits);
      const unpriced = spend.total.callsUnpriced > 0 ? await unpricedModels(tx, scope, MOST_UNPRICED_MODELS) : [];
      const products = unpriced.length > 0 ? await unpricedProducts(tx, scope, MOST_UNPRICED_MODELS) : [];
      const waste = await wasteIn(tx, scope);
      return { spend, unpriced, products, waste };
    },
  );
}

/** OpenAI invoices days of UTC: whoever compares should look at the same days. */
function Zone({ view }: { view: SpendView }) {
  if (view.zone === INVOICE_ZONE)
    return (
      <p className="rounded-sm border border-control px-2" data-testid="invoice-time">
        Invoice time (UTC)
      </p>
    );
  return (
    <p className="text-muted" data-testid="invoice-time">
      Days of {view.zone.replaceAll("_", " ")}; invoices are of UTC days:{" "}
      <Link className="text-link" href={spendHref(view, { zone: INVOICE_ZONE })}>
        show invoice time
      </Link>
    </p>
  );
}

function GroupingPicker({ view }: { view: SpendView }) {
  return (
    <nav aria-label="Group by" className="flex flex-wrap items-center gap-1">
      {SPEND_GROUPINGS.map((grouping) => (
        <Link
          key={grouping}
          className="control aria-[current=true]:!border-fg aria-[current=true]:!bg-surface aria-[current=true]:font-semibold"
          aria-current={grouping === view.grouping ? "true" : undefined}
          href={spendHref(view, { grouping })}
        >
          {GROUPINGS[grouping].label}
        </Link>
      ))}
    </nav>
  );
}
