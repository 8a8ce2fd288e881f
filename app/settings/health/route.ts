import { database } from "#app/_data/database.ts";
import { isSameOrigin } from "#app/_data/is-same-origin.ts";
import { readFields } from "#app/_data/read-fields.ts";
import { doHealth } from "./do-health.ts";
import { HEALTH_ANSWERS } from "./health-answer.tsx";

/** The Health section's forms. A browser gets the page again, which says what was done; a program a code and a sentence. */
export async function POST(request: Request) {
  if (!isSameOrigin(request.headers))
    return refuse(403, "health_foreign_origin", "This is done on this dashboard's own pages.");
  const read = await readFields(request, "health");
  if ("code" in read) return refuse(read.status, read.code, read.message);
  const done = await doHealth(database("health"), read.fields);
  const { good, sentence } = HEALTH_ANSWERS[done];
  if (request.headers.get("accept")?.includes("application/json"))
    return good
      ? Response.json({ done }, { headers: { "cache-control": "no-store" } })
      : refuse(
          done === "refused" ? 503 : done === "unknown" ? 400 : 404,
          `health_${done.replaceAll("-", "_")}`,
          sentence,
        );
  // Relative on purpose: the address that the browser used is the right one, whatever stands before this server.
  return new Response(null, {
    status: 303,
    headers: { location: `/settings?${new URLSearchParams({ health: done })}#health` },
  });
}

const refuse = (status: number, code: string, message: string) =>
  Response.json({ error: { code, message } }, { status, headers: { "cache-control": "no-store" } });
