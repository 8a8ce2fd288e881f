import { database } from "#app/_data/database.ts";
import type { Freshness } from "#app/_frame/watermark.tsx";
import { watermarkMs } from "#db/queries/frame.ts";

export const dynamic = "force-dynamic";

/** How fresh the data is, for pages that stay open. */
export async function GET() {
  const freshness: Freshness = { watermarkMs: await watermarkMs(database()), nowMs: Date.now() };
  return Response.json(freshness, { headers: { "cache-control": "no-store" } });
}
