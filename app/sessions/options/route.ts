import type { NextRequest } from "next/server";
import { database } from "#app/_data/database.ts";
import { requestedView } from "#app/_data/view.ts";
import { valueName } from "#app/_frame/filter-bar.tsx";
import type { MenuOptions } from "#app/_frame/filter-menu.tsx";
import { ATTRIBUTES, toggled } from "#app/_frame/filter-text.ts";
import { hrefOf, scopeOf } from "#app/_frame/view.ts";
import { SESSION_FILTERS, sessionOptions } from "#db/queries/session-list.ts";
import { snapshot } from "#db/queries/snapshot.ts";

const MOST = 200;

/** Values of an attribute with their sessions in range: what a filter menu of the list lists. */
export async function GET(request: NextRequest) {
  const params = Object.fromEntries(request.nextUrl.searchParams);
  const attribute = ATTRIBUTES.find(({ key }) => key === params.by);
  const column = SESSION_FILTERS.find((name) => name === attribute?.column);
  if (!attribute || !column) return new Response("No such attribute.\n", { status: 400 });
  const view = await requestedView(params);
  const found = await snapshot(database(), (tx) => sessionOptions(tx, scopeOf(view), column, MOST));
  const wanted: readonly string[] = view.filter[column] ?? [];
  // What is chosen stays listed where it has none: else it could not be taken out here.
  const absent = wanted.filter((value) => !found.some((option) => option.value === value));
  const answer: MenuOptions = {
    options: [...found, ...absent.map((value) => ({ value, sessions: 0 }))].map(({ value, sessions }) => ({
      value,
      calls: sessions,
      name: valueName(attribute.key, value),
      href: hrefOf("/sessions", view, { filter: toggled(view.filter, column, value) }),
      chosen: wanted.includes(value),
    })),
    restCalls: 0,
  };
  return Response.json(answer, { headers: { "cache-control": "no-store" } });
}
