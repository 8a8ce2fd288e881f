import { database } from "#app/_data/database.ts";
import { PROJECT } from "#app/_frame/view.ts";
import { newestIds } from "#db/queries/calls-page.ts";
import { openAlertIds } from "#db/queries/settings-page.ts";
import { READER, snapshot } from "#db/queries/snapshot.ts";
import { liveIds } from "../live-ids.ts";
import { LIVE_ROWS } from "../live-rows.ts";
import { everything } from "../read-home.ts";

export const dynamic = "force-dynamic";

/** What an open start page asks every second, to render again only when it changed: the newest calls, and the open alerts. */
export async function GET() {
  const ids = await snapshot(
    database(),
    async (tx) => {
      const calls = await newestIds(tx, everything(Date.now()), LIVE_ROWS);
      return liveIds(calls, await openAlertIds(tx, PROJECT));
    },
    { timeoutMs: 2000, as: `${READER}newest` },
  );
  return Response.json({ ids }, { headers: { "cache-control": "no-store" } });
}
