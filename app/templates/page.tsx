import type { Metadata } from "next";
import { database } from "#app/_data/database.ts";
import { requestedView } from "#app/_data/view.ts";
import { EmptyByFilter } from "#app/_frame/empty-by-filter.tsx";
import { FilterBar } from "#app/_frame/filter-bar.tsx";
import { Frame } from "#app/_frame/frame.tsx";
import { TimeControls } from "#app/_frame/time-controls.tsx";
import { type Params, PROJECT, scopeOf, type View } from "#app/_frame/view.ts";
import { Complaints } from "#app/_ui/complaints.tsx";
import { anyCall } from "#db/queries/calls-page.ts";
import { watermarkMs } from "#db/queries/frame.ts";
import { snapshot } from "#db/queries/snapshot.ts";
import { instructionsOf, lastChangesOf, type TemplateSort, templatesOfPage } from "#db/queries/templates-page.ts";
import { readConfig } from "#lib/config.ts";
import { FirstCall } from "../calls/(list)/first-call.tsx";
import { ownOf, readSort, withDefaults } from "./query.ts";
import { TemplatesTable } from "./templates-table.tsx";
import { Tiles } from "./tiles.tsx";
import { openWords } from "./words.ts";

export const metadata: Metadata = { title: "Templates" };

const ROWS = 200;
const VERSIONS = 20;

export default async function TemplatesPage({ searchParams }: { searchParams: Promise<Params> }) {
  const params = withDefaults(await searchParams);
  const sort = readSort(params);
  const view = await requestedView(params, ownOf(sort));
  const { any, freshness, templates, words, changes } = await read(view, sort);
  return (
    <Frame
      title="Templates"
      watermark={freshness}
      nowMs={view.nowMs}
      zone={view.zone}
      controls={any && <TimeControls path="/templates" view={view} />}
      bar={
        any && (
          <search aria-label="Filters" className="flex min-h-7 flex-wrap items-center gap-2">
            <FilterBar path="/templates" view={view} />
          </search>
        )
      }
    >
      <Complaints sentences={view.complaints} />
      {!any && <FirstCall proxyPort={readConfig().proxyPort} />}
      {any && (
        <div className="results">
          <Tiles templates={templates} view={view} />
          {templates.rows.length > 0 ? (
            <TemplatesTable {...{ view, sort, templates, words, changes }} />
          ) : (
            <EmptyByFilter view={view} path="/templates" />
          )}
        </div>
      )}
    </Frame>
  );
}

/** Everything the page shows, as of one moment. */
async function read(view: View, sort: TemplateSort) {
  const { sealed, ...known } = await snapshot(database(), async (tx) => {
    const [any, freshness, templates] = await Promise.all([
      anyCall(tx, PROJECT),
      watermarkMs(tx),
      templatesOfPage(tx, scopeOf(view), sort, ROWS, VERSIONS),
    ]);
    const named = (pick: (row: (typeof templates.rows)[number]) => string) => templates.rows.map(pick).filter(Boolean);
    const [sealed, changes] = await Promise.all([
      instructionsOf(
        tx,
        PROJECT,
        named(({ unitHash }) => unitHash),
      ),
      lastChangesOf(
        tx,
        PROJECT,
        named(({ template }) => template),
      ),
    ]);
    return { any, freshness, templates, sealed, changes };
  });
  return { ...known, words: openWords(sealed, readConfig().dataDir) };
}
