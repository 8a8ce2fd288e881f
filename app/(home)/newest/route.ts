import { database } from "#app/_data/database.ts";
import { newestIds } from "#db/queries/calls-page.ts";
import { snapshot } from "#db/queries/snapshot.ts";
import { LIVE_ROWS } from "../live-rows.ts";
import { everything } from "../read-home.ts";

export const dynamic = "force-dynamic";

/** Ids of the newest calls: an open start page asks every second and renders again only when they changed. */
export async function GET() {
  const ids = await snapshot(database(), (tx) => newestIds(tx, everything(Date.now()), LIVE_ROWS), 2000);
  return Response.json({ ids }, { headers: { "cache-control": "no-store" } });
}
