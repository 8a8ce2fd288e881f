import type { Metadata } from "next";
import { requestedView } from "#app/_data/view.ts";
import { Computed } from "#app/_frame/computed.tsx";
import { FilterBar } from "#app/_frame/filter-bar.tsx";
import { Frame } from "#app/_frame/frame.tsx";
import { rangePhrase } from "#app/_frame/range-name.ts";
import { TimeControls } from "#app/_frame/time-controls.tsx";
import { unservedBy } from "#app/_frame/unserved.ts";
import { type Params, scopeOf } from "#app/_frame/view.ts";
import { Complaints } from "#app/_ui/complaints.tsx";
import { Link } from "#app/_ui/link.tsx";
import { LATENCY_DIMENSIONS } from "#db/rollup-latency.ts";
import { readConfig } from "#lib/config.ts";
import { MODALITIES } from "#lib/modalities.ts";
import { FirstCall } from "../calls/(list)/first-call.tsx";
import { Heatmap } from "./heatmap.tsx";
import { LATENCY_PATH, type LatencyView, latencyHref, toLatencyView } from "./latency-view.ts";
import { Measures } from "./measures.tsx";
import { OverTime } from "./over-time.tsx";
import { type Latency, readLatency } from "./read.ts";
import { RoutesTable } from "./routes-table.tsx";
import { SlowestTable } from "./slowest-table.tsx";
import { Strips } from "./strips.tsx";
import { VerdictLine } from "./verdict-line.tsx";

export const metadata: Metadata = { title: "Latency" };

/**
 * What got slow, for whom, since when, and whose doing is it? There is no loading shape of the whole page: only a script can put it
 * in its place, and the fields below a heatmap select without one.
 */
export default async function LatencyPage({ searchParams }: { searchParams: Promise<Params> }) {
  const params = await searchParams;
  const view = toLatencyView(await requestedView(params), params);
  const { head, rest } = await readLatency(view);
  const { any, freshness } = head;
  return (
    <Frame
      title="Latency"
      watermark={freshness}
      nowMs={view.nowMs}
      zone={view.zone}
      controls={any && <TimeControls path={LATENCY_PATH} view={view} />}
      bar={
        any && (
          <search aria-label="Filters" className="flex min-h-7 flex-wrap items-center gap-2">
            <FilterBar path={LATENCY_PATH} view={view} />
          </search>
        )
      }
    >
      <Complaints sentences={view.complaints} />
      {!any && <FirstCall proxyPort={readConfig().proxyPort} />}
      {any && (
        <div className="results">
          <Computed
            reading={rest}
            of={latencyHref(view)}
            scope={scopeOf(view)}
            unserved={unservedBy(view.filter, LATENCY_DIMENSIONS)}
          >
            {(latency) =>
              latency.strips.length > 0 ? <Figures latency={latency} view={view} /> : <NoCalls view={view} />
            }
          </Computed>
        </div>
      )}
    </Frame>
  );
}

function Figures({ latency, view }: { latency: Latency; view: LatencyView }) {
  const { paces } = latency;
  // A selection that names no modality is of the first.
  const selected = view.selection && paces.find(({ modality }) => modality === (view.selection?.modality ?? modality));
  return (
    <>
      <Measures view={view} />
      <Strips latency={latency} view={view} />
      <VerdictLine paces={paces} view={view} />
      {paces.map((pace) => (
        <section key={pace.modality} className="mt-8" aria-labelledby={`over-${pace.modality}`}>
          <h3 id={`over-${pace.modality}`} className="text-lg font-semibold">
            {MODALITIES.find(({ name }) => name === pace.modality)?.label} over time
          </h3>
          <div className="mt-1 grid gap-x-6 gap-y-4 xl:grid-cols-[3fr_2fr]">
            <Heatmap pace={pace} view={view} isSelected={pace === selected} />
            <OverTime pace={pace} view={view} />
          </div>
        </section>
      ))}
      <RoutesTable routes={latency.routes} view={view} />
      <SlowestTable calls={latency.slowest} view={view} />
    </>
  );
}

function NoCalls({ view }: { view: LatencyView }) {
  const filtered = Object.keys(view.filter).length > 0;
  return (
    <section className="mt-8 max-w-2xl rounded-md border border-rule p-4" data-testid="empty-filter">
      <h2 className="text-lg font-semibold">No calls match</h2>
      <p className="mt-1 text-base text-muted first-letter:uppercase">
        {rangePhrase(view)} holds no calls{filtered && " with these filters"}.
      </p>
      {filtered && (
        <p className="mt-4">
          <Link className="control" href={latencyHref(view, { filter: {} })}>
            Remove all filters
          </Link>
        </p>
      )}
    </section>
  );
}
