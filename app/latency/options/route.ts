import type { NextRequest } from "next/server";
import type { MenuOptions } from "#app/_frame/filter-menu.tsx";
import { GET as optionsOfCalls } from "#app/calls/options/route.ts";

/** Parameters of this page that the list of calls does not know. */
const OWN = ["m", "p", "sel"] as const;

/** What a filter menu lists: the same values and counts as on the list of calls, with this page's addresses. */
export async function GET(request: NextRequest) {
  const answer = await optionsOfCalls(request);
  if (!answer.ok) return answer;
  const { options, restCalls } = (await answer.json()) as MenuOptions;
  const own = OWN.flatMap((name) => {
    const value = request.nextUrl.searchParams.get(name);
    return value ? [`${name}=${encodeURIComponent(value)}`] : [];
  });
  const menu: MenuOptions = {
    options: options.map((one) => {
      const query = [one.href.split("?")[1], ...own].filter(Boolean).join("&");
      return { ...one, href: query ? `/latency?${query}` : "/latency" };
    }),
    restCalls,
  };
  return Response.json(menu, { headers: { "cache-control": "no-store" } });
}
