import type { NextRequest } from "next/server";
import { database } from "#app/_data/database.ts";
import { requestedView } from "#app/_data/view.ts";
import { valueName } from "#app/_frame/filter-bar.tsx";
import type { MenuOptions } from "#app/_frame/filter-menu.tsx";
import { ATTRIBUTES, hasMenu, toggled } from "#app/_frame/filter-text.ts";
import { hrefOf, scopeOf } from "#app/_frame/view.ts";
import { OTHER } from "#db/queries/call-filter.ts";
import { optionsOf } from "#db/queries/call-options.ts";
import { snapshot } from "#db/queries/snapshot.ts";

const MOST = 200;

/** Values of an attribute with their calls in range: what a filter menu lists. */
export async function GET(request: NextRequest) {
  const params = Object.fromEntries(request.nextUrl.searchParams);
  const attribute = ATTRIBUTES.find(({ key }) => key === params.by);
  if (!attribute || !hasMenu(attribute)) return new Response("No such attribute.\n", { status: 400 });
  const { key, column } = attribute;
  const view = await requestedView(params);
  const { options, rest } = await snapshot(database(), (tx) => optionsOf(tx, scopeOf(view), column, MOST));

  const wanted: readonly string[] = view.filter[column] ?? [];
  const named = options.filter(({ value }) => value !== OTHER);
  const folded = options.find(({ value }) => value === OTHER)?.calls ?? 0;
  // What is chosen stays listed where it has no calls: else it could not be taken out here.
  const absent = wanted.filter((value) => !named.some((option) => option.value === value));
  const answer: MenuOptions = {
    options: [...named, ...absent.map((value) => ({ value, calls: 0 }))].map(({ value, calls }) => ({
      value,
      calls,
      name: valueName(key, value),
      href: hrefOf("/calls", view, { filter: toggled(view.filter, column, value) }),
      chosen: wanted.includes(value),
    })),
    restCalls: rest.calls + folded,
  };
  return Response.json(answer, { headers: { "cache-control": "no-store" } });
}
