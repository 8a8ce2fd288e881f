import type { NextRequest } from "next/server";
import type { MenuOptions } from "#app/_frame/filter-menu.tsx";
import { GET as optionsOfCalls } from "#app/calls/options/route.ts";
import { withDefaults } from "../query.ts";

/** What a filter menu lists: the same values and counts as on the list of calls, with this page's addresses. */
export async function GET(request: NextRequest) {
  const { r } = withDefaults(Object.fromEntries(request.nextUrl.searchParams));
  request.nextUrl.searchParams.set("r", String(r));
  const sort = request.nextUrl.searchParams.get("s");
  const answer = await optionsOfCalls(request);
  if (!answer.ok) return answer;
  const { options, restCalls } = (await answer.json()) as MenuOptions;
  const menu: MenuOptions = {
    options: options.map((one) => ({ ...one, href: hrefHere(one.href, sort) })),
    restCalls,
  };
  return Response.json(menu, { headers: { "cache-control": "no-store" } });
}

function hrefHere(hrefOfList: string, sort: string | null): string {
  const url = new URL(hrefOfList, "http://dashboard");
  if (sort) url.searchParams.set("s", sort);
  return `/templates${url.search}`;
}
