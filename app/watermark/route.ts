import { database } from "#app/_data/database.ts";
import type { Freshness } from "#app/_frame/watermark.tsx";
import { watermarkMs } from "#db/queries/frame.ts";
import { READER, snapshot } from "#db/queries/snapshot.ts";

export const dynamic = "force-dynamic";

/** How fresh the data is, for pages that stay open. */
export async function GET() {
  const limits = { timeoutMs: 2000, as: `${READER}watermark` };
  const known = await snapshot(database(), (tx) => watermarkMs(tx), limits);
  const freshness: Freshness = { watermarkMs: known, nowMs: Date.now() };
  return Response.json(freshness, { headers: { "cache-control": "no-store" } });
}
