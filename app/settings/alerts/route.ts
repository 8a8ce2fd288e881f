import { database } from "#app/_data/database.ts";
import { isSameOrigin } from "#app/_data/is-same-origin.ts";
import { readFields } from "#app/_data/read-fields.ts";
import { answerForm } from "./answer-form.ts";
import { changeRules } from "./change-rules.ts";

/**
 * What the settings page's forms ask for: `do` (add, change, on, off, delete), `rule` (the id, but for add) and the fields of the
 * rule, as a form or as JSON. A form gets the page again, with what was done or what is wrong; a program a code and a sentence.
 */
export async function POST(request: Request) {
  if (!isSameOrigin(request.headers))
    return refuse(403, "alert_foreign_origin", "Rules are changed on this dashboard's own pages.");
  const read = await readFields(request, "alert");
  if ("code" in read) return refuse(read.status, read.code, read.message);
  return answerForm(request.headers, read.fields, await changeRules(database(), read.fields));
}

const refuse = (status: number, code: string, message: string) =>
  Response.json({ error: { code, message } }, { status, headers: { "cache-control": "no-store" } });
