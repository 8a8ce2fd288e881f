import type { NextRequest } from "next/server";
import type { MenuOptions } from "#app/_frame/filter-menu.tsx";
import { GET as optionsOfCalls } from "#app/calls/options/route.ts";
import { withDefaults } from "../query.ts";

/** What a filter menu lists: the same values and counts as on the list of calls, with this page's addresses. */
export async function GET(request: NextRequest) {
  const { r } = withDefaults(Object.fromEntries(request.nextUrl.searchParams));
  request.nextUrl.searchParams.set("r", String(r));
  const g = request.nextUrl.searchParams.get("g");
  const answer = await optionsOfCalls(request);
  if (!answer.ok) return answer;
  const { options, restCalls } = (await answer.json()) as MenuOptions;
  const menu: MenuOptions = {
    options: options.map((one) => ({ ...one, href: hrefHere(one.href, String(r), g) })),
    restCalls,
  };
  return Response.json(menu, { headers: { "cache-control": "no-store" } });
}

/** The list leaves its own default range out of addresses. */
function hrefHere(hrefOfList: string, range: string, grouping: string | null): string {
  const url = new URL(hrefOfList, "http://dashboard");
  if (!url.searchParams.has("r")) url.searchParams.set("r", range);
  if (grouping) url.searchParams.set("g", grouping);
  return `/quality${url.search}`;
}
