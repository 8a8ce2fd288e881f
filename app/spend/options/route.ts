import type { NextRequest } from "next/server";
import { database } from "#app/_data/database.ts";
import { valueName } from "#app/_frame/filter-bar.tsx";
import type { MenuOptions } from "#app/_frame/filter-menu.tsx";
import { ATTRIBUTES, toggled } from "#app/_frame/filter-text.ts";
import { scopeOf } from "#app/_frame/view.ts";
import { OTHER } from "#db/queries/call-filter.ts";
import { snapshot } from "#db/queries/snapshot.ts";
import { spendOptions } from "#db/queries/spend-page.ts";
import { isMenu, MENUS } from "../filters.tsx";
import { readSpendView, spendHref } from "../spend-view.ts";

const MOST = 200;

/** Values of an attribute with their booked calls in range: what a filter menu lists. */
export async function GET(request: NextRequest) {
  const params = Object.fromEntries(request.nextUrl.searchParams);
  const attribute = ATTRIBUTES.find(({ key }) => key === params.by);
  if (!attribute || !isMenu(attribute.key)) return new Response("No such attribute.\n", { status: 400 });
  const { key, column } = attribute;
  const dimension = MENUS[attribute.key];
  const view = readSpendView(params);
  const { [column]: chosen, ...others } = view.filter;
  const { options, restCalls } = await snapshot(database(), (tx) =>
    spendOptions(tx, { ...scopeOf(view), filter: others }, dimension, MOST),
  );
  const wanted: readonly string[] = chosen ?? [];
  const named = options.filter(({ value }) => value !== OTHER);
  const folded = options.find(({ value }) => value === OTHER)?.calls ?? 0;
  // What is chosen stays listed where it has no calls: else it could not be taken out here.
  const absent = wanted.filter((value) => !named.some((option) => option.value === value));
  const answer: MenuOptions = {
    options: [...named, ...absent.map((value) => ({ value, calls: 0 }))].map(({ value, calls }) => ({
      value,
      calls,
      name: valueName(key, value),
      href: spendHref(view, { filter: toggled(view.filter, column, value) }),
      chosen: wanted.includes(value),
    })),
    restCalls: restCalls + folded,
  };
  return Response.json(answer, { headers: { "cache-control": "no-store" } });
}
