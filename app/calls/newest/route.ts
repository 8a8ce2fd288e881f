import type { NextRequest } from "next/server";
import { database } from "#app/_data/database.ts";
import { requestedView } from "#app/_data/view.ts";
import { scopeOf } from "#app/_frame/view.ts";
import { PAGE_ROWS } from "#app/calls/(list)/page-rows.ts";
import { newestIds } from "#db/queries/calls-page.ts";
import { READER, snapshot } from "#db/queries/snapshot.ts";

/** Ids of the newest calls of a view: an open page asks every second and renders again only when they changed. */
export async function GET(request: NextRequest) {
  const view = await requestedView(Object.fromEntries(request.nextUrl.searchParams));
  const ids = await snapshot(database(), (tx) => newestIds(tx, scopeOf(view), PAGE_ROWS), {
    timeoutMs: 2000,
    as: `${READER}newest`,
  });
  return Response.json({ ids }, { headers: { "cache-control": "no-store" } });
}
