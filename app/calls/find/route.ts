import type { NextRequest } from "next/server";
import { database } from "#app/_data/database.ts";
import { PROJECT } from "#app/_frame/view.ts";
import { findCall } from "#db/queries/calls-page.ts";
import { snapshot } from "#db/queries/snapshot.ts";
import { readConfig } from "#lib/config.ts";

const WEEK_MS = 7 * 86_400_000;

/** From a pasted id to its call; without one, back to the list, which says so. */
export async function GET(request: NextRequest) {
  const text = (request.nextUrl.searchParams.get("id") ?? "").replaceAll("\u0000", "").trim().slice(0, 200);
  const upstreams = Object.keys(readConfig().upstreams);
  const id = text && (await snapshot(database(), (tx) => findCall(tx, PROJECT, upstreams, text, Date.now() - WEEK_MS)));
  const location = id ? `/calls/${id}` : text ? `/calls?missing=${encodeURIComponent(text)}` : "/calls";
  // Relative on purpose: the address that the browser used is the right one, whatever stands before this server.
  return new Response(null, { status: 303, headers: { location } });
}
