import type { Metadata } from "next";
import { readWhole } from "#app/_data/read-in-parts.ts";
import { requestedView } from "#app/_data/view.ts";
import { Frame } from "#app/_frame/frame.tsx";
import { hrefOf, type Params } from "#app/_frame/view.ts";
import { ZonePicker } from "#app/_frame/zone-picker.tsx";
import { Link } from "#app/_ui/link.tsx";
import { readConfig } from "#lib/config.ts";
import { FirstCall } from "../calls/(list)/first-call.tsx";
import { attentionOf } from "./attention.ts";
import { AttentionList } from "./attention-list.tsx";
import { Live } from "./live.tsx";
import { liveIds } from "./live-ids.ts";
import { LiveTable } from "./live-table.tsx";
import { readHome } from "./read-home.ts";
import { Tiles } from "./tiles.tsx";

export const metadata: Metadata = { title: "Home" };

/** Is data flowing, and is anything wrong? */
export default async function HomePage({ searchParams }: { searchParams: Promise<Params> }) {
  // The start page has its own ranges, and looks at everything.
  const view = await requestedView({ tz: (await searchParams).tz });
  const home = await readWhole("home", (tx) => readHome(tx, view));
  const any = home.newest.length > 0;
  // The same tree with and without calls: what follows the first call must live through its arrival to announce it.
  return (
    <Frame
      title="Home"
      watermark={home.facts.watermarkMs}
      nowMs={view.nowMs}
      zone={view.zone}
      controls={
        <ZonePicker
          zone={view.zone}
          pinned={view.zonePinned}
          hrefTemplate={hrefOf("/", view, { zone: "{zone}" }).replace("%7Bzone%7D", "{zone}")}
          hrefOwn={hrefOf("/", view, { zone: null })}
        />
      }
    >
      <Live
        waiting={!any}
        ids={liveIds(
          home.newest.map(({ id }) => id),
          home.facts.alerts.rules.flatMap(({ alert }) => alert?.id ?? []),
        )}
        above={
          any && (
            <>
              <Tiles home={home} view={view} />
              <AttentionList items={attentionOf(home.facts, view)} />
            </>
          )
        }
      >
        {any ? (
          <>
            <LiveTable rows={home.newest} view={view} />
            <p className="py-3">
              <Link href={hrefOf("/calls", view)} className="text-link inline-flex min-h-6 items-center">
                All calls
              </Link>
            </p>
          </>
        ) : (
          <FirstCall proxyPort={readConfig().proxyPort} />
        )}
      </Live>
    </Frame>
  );
}
