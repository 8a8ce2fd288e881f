import { ALERT_PROBLEMS, type AlertProblem } from "../problems.ts";
import { textOf } from "../read-wish.ts";
import { TYPED, TYPED_CHARACTERS_MAX } from "../said.ts";
import type { Change } from "./change-rules.ts";

/** Parts of the page's own address that lead back to it. */
const KEPT = ["r", "tz", "f"] as const;
const STATUS: Partial<Record<AlertProblem, number>> = { alert_unknown_rule: 404, alert_too_many: 409 };

/**
 * The answer to a form: for a browser the page again, whose address says what was done, or what is wrong and what had been typed.
 * For a program (it accepts JSON) the rule's id, or the first problem.
 */
export function answerForm(headers: Headers, fields: Readonly<Record<string, unknown>>, change: Change): Response {
  if (headers.get("accept")?.includes("application/json")) return answerProgram(change);
  const query = new URLSearchParams();
  const referer = headers.get("referer");
  const before = referer && URL.canParse(referer) ? new URL(referer).searchParams : new URLSearchParams();
  for (const name of KEPT) if (before.has(name)) query.set(name, before.get(name) as string);
  if ("done" in change) query.set("done", change.done);
  else {
    query.set("problem", change.problems.join(","));
    for (const name of TYPED) {
      const text = textOf(fields[name]).slice(0, TYPED_CHARACTERS_MAX);
      if (text) query.set(name, text);
    }
  }
  // Relative on purpose: the address that the browser used is the right one, whatever stands before this server.
  const place = "problems" in change && fields.do === "add" ? "add-rule" : "alerts";
  return new Response(null, { status: 303, headers: { location: `/settings?${query}#${place}` } });
}

function answerProgram(change: Change): Response {
  const headers = { "cache-control": "no-store" };
  if ("done" in change) return Response.json({ id: change.rule }, { headers });
  // Something is always wrong where nothing was done.
  const code = change.problems[0] as AlertProblem;
  const error = { code, message: ALERT_PROBLEMS[code].sentence };
  return Response.json({ error }, { status: STATUS[code] ?? 400, headers });
}
