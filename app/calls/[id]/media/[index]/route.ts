import { join } from "node:path";
import { database } from "#app/_data/database.ts";
import { isSameOrigin } from "#app/_data/is-same-origin.ts";
import { isUuid } from "#app/_data/is-uuid.ts";
import { refuse } from "#app/_data/refuse.ts";
import { sealedMedia } from "#db/queries/call-media.ts";
import { READER, snapshot } from "#db/queries/snapshot.ts";
import { readConfig } from "#lib/config.ts";
import { readKey } from "#lib/keys.ts";
import { openBytes } from "#lib/privacy/seal.ts";
import { partOf } from "./part-of.ts";

interface Props {
  params: Promise<{ id: string; index: string }>;
}

/**
 * Audio that is kept of a call, opened with the content key. For this dashboard's own player: it asks for parts, so that one can
 * jump, and nothing of it stays in a cache.
 */
export async function GET(request: Request, { params }: Props) {
  const { id, index } = await params;
  if (!isSameOrigin(request.headers))
    return refuse(403, "media_foreign_origin", "Audio is played on this dashboard's own pages.");
  const known = isUuid(id) && /^\d{1,6}$/.test(index);
  const found =
    known && (await snapshot(database(), (tx) => sealedMedia(tx, id, Number(index)), { as: `${READER}media` }));
  if (!found) return refuse(404, "media_none", "No such audio is kept: it never was, or its retention is over.");
  let bytes: Buffer;
  try {
    bytes = openBytes(found.sealed, readKey(join(readConfig().dataDir, "keys", "content.key")));
  } catch (error) {
    const why = error instanceof Error ? `${error.message}.` : "";
    return refuse(500, "media_sealed", `The audio is stored but cannot be opened here. ${why}`.trim());
  }
  return answer(bytes, found.mediaType, request.headers.get("range"));
}

function answer(bytes: Buffer, mediaType: string, range: string | null): Response {
  const headers = {
    // What was recorded decides no more than which sound it is: nothing else is ever interpreted.
    "content-type": /^audio\/[\w.+-]{1,60}$/.test(mediaType) ? mediaType : "application/octet-stream",
    "accept-ranges": "bytes",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
  };
  const part = partOf(range, bytes.length);
  if (part === "none") {
    const all = { ...headers, "content-range": `bytes */${bytes.length}` };
    return new Response(null, { status: 416, headers: all });
  }
  if (part === "all") return new Response(new Uint8Array(bytes), { headers });
  const { from, to } = part;
  return new Response(new Uint8Array(bytes.subarray(from, to + 1)), {
    status: 206,
    headers: { ...headers, "content-range": `bytes ${from}-${to}/${bytes.length}` },
  });
}
