import { openSaid } from "#app/_data/content.ts";
import { database } from "#app/_data/database.ts";
import { isSameOrigin } from "#app/_data/is-same-origin.ts";
import { isUuid } from "#app/_data/is-uuid.ts";
import { refuse } from "#app/_data/refuse.ts";
import { PROJECT } from "#app/_frame/view.ts";
import { callFacts, linesOfCall, oldestPayloadMs, payloadOf, toolCallsOf } from "#db/queries/call-page.ts";
import { READER, snapshot } from "#db/queries/snapshot.ts";
import { readConfig } from "#lib/config.ts";
import { toRecording } from "#lib/openai/export/to-recording.ts";
import { toRecordable } from "./to-recordable.ts";

/** The call as a file that `npm run decode` reads, and that can be shown to others: redacted, as everything that is stored. */
export async function GET(request: Request, { params }: { params: Promise<{ id: string }> }) {
  const { id } = await params;
  if (!isSameOrigin(request.headers))
    return refuse(403, "recording_foreign_origin", "A call is exported from this dashboard's own pages.");
  const found = isUuid(id) ? await snapshot(database(), (tx) => read(tx, id), { as: `${READER}recording` }) : null;
  if (!found) return refuse(404, "recording_no_call", "There is no call with this id, or it is not stored yet.");
  const { call, lines, tools, payload, oldestMs } = found;
  const said = openSaid(payload, { startedAtMs: call.startedAt.getTime(), problems: call.problems, oldestMs });
  const { upstreams } = readConfig();
  const upstream = Object.hasOwn(upstreams, call.upstream) ? (upstreams[call.upstream] as string) : null;
  const recording = toRecording({
    ...toRecordable(call, lines, tools),
    content: "why" in said ? null : said.content,
    host: upstream === null ? "api.openai.com" : new URL(upstream).host,
  });
  return new Response(`${JSON.stringify(recording, null, 2)}\n`, {
    headers: {
      "content-type": "application/json; charset=utf-8",
      "content-disposition": `attachment; filename="${call.endpoint}-${call.id}.json"`,
      "cache-control": "no-store",
    },
  });
}

type Reader = Parameters<typeof callFacts>[0];

async function read(tx: Reader, id: string) {
  const call = await callFacts(tx, PROJECT, id);
  if (!call) return null;
  const [lines, tools, payload, oldestMs] = await Promise.all([
    linesOfCall(tx, id),
    toolCallsOf(tx, id),
    payloadOf(tx, id),
    oldestPayloadMs(tx),
  ]);
  return { call, lines, tools, payload, oldestMs };
}
