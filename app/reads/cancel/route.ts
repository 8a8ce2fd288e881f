import { isSameOrigin } from "#app/_data/is-same-origin.ts";
import { readFields } from "#app/_data/read-fields.ts";
import { cancelReading } from "#app/_data/read-in-parts.ts";

/**
 * Ends what a page is computing: `read` is the token that the page was given. The answer is empty, whether there was something to
 * end or not: the page that computes shows it.
 */
export async function POST(request: Request) {
  if (!isSameOrigin(request.headers))
    return refuse(403, "read_foreign_origin", "Pages are cancelled on this dashboard's own pages.");
  const posted = await readFields(request, "read");
  if ("code" in posted) return refuse(posted.status, posted.code, posted.message);
  await cancelReading(String(posted.fields.read ?? ""));
  return new Response(null, { status: 204 });
}

const refuse = (status: number, code: string, message: string) =>
  Response.json({ error: { code, message } }, { status, headers: { "cache-control": "no-store" } });
