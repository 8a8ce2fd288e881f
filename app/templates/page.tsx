import type { Metadata } from "next";
import { readInParts } from "#app/_data/read-in-parts.ts";
import { requestedView } from "#app/_data/view.ts";
import { Computed } from "#app/_frame/computed.tsx";
import { EmptyByFilter } from "#app/_frame/empty-by-filter.tsx";
import { FilterBar } from "#app/_frame/filter-bar.tsx";
import { Frame } from "#app/_frame/frame.tsx";
import { TimeControls } from "#app/_frame/time-controls.tsx";
import { unservedBy } from "#app/_frame/unserved.ts";
import { hrefOf, type Params, PROJECT, scopeOf, type View } from "#app/_frame/view.ts";
import { Complaints } from "#app/_ui/complaints.tsx";
import type { Reader } from "#db/queries/call-filter.ts";
import { anyCall } from "#db/queries/calls-page.ts";
import { watermarkMs } from "#db/queries/frame.ts";
import { SPEND_FILTERS } from "#db/queries/spend-source.ts";
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
  const { head, rest } = await read(view, sort);
  const { any, freshness } = head;
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
          <Computed
            reading={rest}
            of={hrefOf("/templates", view)}
            scope={scopeOf(view)}
            unserved={unservedBy(view.filter, SPEND_FILTERS)}
          >
            {({ templates, sealed, changes }) => (
              <>
                <Tiles templates={templates} view={view} />
                {templates.rows.length > 0 ? (
                  <TemplatesTable
                    {...{ view, sort, templates, changes, words: openWords(sealed, readConfig().dataDir) }}
                  />
                ) : (
                  <EmptyByFilter view={view} path="/templates" />
                )}
              </>
            )}
          </Computed>
        </div>
      )}
    </Frame>
  );
}

/** Everything the page shows, as of one moment. */
function read(view: View, sort: TemplateSort) {
  const readHead = async (tx: Reader) => {
    const [any, freshness] = await Promise.all([anyCall(tx, PROJECT), watermarkMs(tx)]);
    return { any, freshness };
  };
  return readInParts("templates", readHead, async (tx) => {
    const templates = await templatesOfPage(tx, scopeOf(view), sort, ROWS, VERSIONS);
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
    return { templates, sealed, changes };
  });
}
