import { database } from "#app/_data/database.ts";
import { isSameOrigin } from "#app/_data/is-same-origin.ts";
import { readFields } from "#app/_data/read-fields.ts";
import { textOf } from "../../read-wish.ts";
import { PROBLEMS, TYPED, TYPED_CHARACTERS_MAX } from "../said.ts";
import { type Change, changePrices } from "./change-prices.ts";

/**
 * What the forms of the price page ask for: `do` (price or term) and its fields, as a form or as JSON. A form gets the page again, with
 * what was done or what is wrong; a program a code and a sentence.
 */
export async function POST(request: Request) {
  if (!isSameOrigin(request.headers))
    return refuse(403, "price_foreign_origin", "Prices are added on this dashboard's own pages.");
  const read = await readFields(request, "price");
  if ("code" in read) return refuse(read.status, read.code, read.message);
  const change = await changePrices(database(), read.fields);
  if (request.headers.get("accept")?.includes("application/json")) return answerProgram(change);
  // Relative on purpose: the address that the browser used is the right one, whatever stands before this server.
  return new Response(null, { status: 303, headers: { location: placeOf(change, read.fields) } });
}

function placeOf(change: Change, fields: Readonly<Record<string, unknown>>): string {
  if ("done" in change) return `/settings/prices?${new URLSearchParams({ done: change.done })}`;
  const query = new URLSearchParams({ problem: change.problems.join(",") });
  for (const name of TYPED) {
    const text = textOf(fields[name]).slice(0, TYPED_CHARACTERS_MAX);
    if (text) query.set(name, text);
  }
  return `/settings/prices?${query}#add-${fields.do === "term" ? "term" : "price"}`;
}

function answerProgram(change: Change): Response {
  if ("done" in change) return Response.json({ id: change.id }, { headers: { "cache-control": "no-store" } });
  const [code = "price_unknown_action"] = change.problems;
  return refuse(code === "price_known" || code === "term_too_many" ? 409 : 400, code, PROBLEMS[code]);
}

const refuse = (status: number, code: string, message: string) =>
  Response.json({ error: { code, message } }, { status, headers: { "cache-control": "no-store" } });
