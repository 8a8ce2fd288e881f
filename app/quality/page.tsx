import type { Metadata } from "next";
import { requestedView } from "#app/_data/view.ts";
import { Computed } from "#app/_frame/computed.tsx";
import { FilterBar } from "#app/_frame/filter-bar.tsx";
import { Frame } from "#app/_frame/frame.tsx";
import { TimeControls } from "#app/_frame/time-controls.tsx";
import { hrefOf, type Params, scopeOf, type View } from "#app/_frame/view.ts";
import { Complaints } from "#app/_ui/complaints.tsx";
import type { Grouping } from "#db/queries/quality-page.ts";
import { readConfig } from "#lib/config.ts";
import { Changes } from "./changes.tsx";
import { Comments } from "./comments.tsx";
import { Groups } from "./groups.tsx";
import { NoRatingsHere, NoRatingsYet } from "./no-ratings.tsx";
import { ownOf, readGrouping, withDefaults } from "./query.ts";
import { RateChart } from "./rate-chart.tsx";
import { type Quality, readQuality } from "./read.ts";
import { Tiles } from "./tiles.tsx";

export const metadata: Metadata = { title: "Quality" };

export default async function QualityPage({ searchParams }: { searchParams: Promise<Params> }) {
  const params = withDefaults(await searchParams);
  const grouping = readGrouping(params);
  const view = await requestedView(params, ownOf(grouping));
  const { head, rest } = await readQuality(view, grouping);
  const { anyCall, anyRating, freshness } = head;
  return (
    <Frame
      title="Quality"
      watermark={freshness}
      nowMs={view.nowMs}
      zone={view.zone}
      controls={anyCall && <TimeControls path="/quality" view={view} />}
      bar={anyCall && <Filters view={view} />}
    >
      <Complaints sentences={view.complaints} />
      {anyRating ? (
        <div className="results">
          <Computed reading={rest} of={hrefOf("/quality", view)} scope={scopeOf(view)} unserved={null}>
            {(quality) => <Figures quality={quality} view={view} grouping={grouping} />}
          </Computed>
        </div>
      ) : (
        <NoRatingsYet proxyPort={readConfig().proxyPort} anyCall={anyCall} />
      )}
    </Frame>
  );
}

function Figures({ quality, view, grouping }: { quality: Quality; view: View; grouping: Grouping }) {
  const rated = quality.total.up + quality.total.down > 0;
  return (
    <>
      <Tiles quality={quality} view={view} />
      {rated ? (
        <RateChart quality={quality} view={view} grouping={grouping} />
      ) : (
        <NoRatingsHere view={view} grouping={grouping} />
      )}
      <Changes changes={quality.changes} more={quality.moreChanges} view={view} />
      {rated && <Groups groups={quality.groups} grouping={grouping} view={view} />}
      <Comments comments={quality.comments} view={view} />
    </>
  );
}

function Filters({ view }: { view: View }) {
  return (
    <search aria-label="Filters" className="flex min-h-7 flex-wrap items-center gap-2">
      <FilterBar path="/quality" view={view} />
    </search>
  );
}
