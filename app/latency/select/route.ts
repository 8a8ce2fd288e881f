import type { NextRequest } from "next/server";
import { requestedView } from "#app/_data/view.ts";
import { latencyHref, toLatencyView } from "../latency-view.ts";

/** From the four fields below a heatmap to the page with that selection; the page says what it does not understand. */
export async function GET(request: NextRequest) {
  const field = (name: string) => (request.nextUrl.searchParams.get(name) ?? "").trim().slice(0, 2000);
  const params = Object.fromEntries(new URLSearchParams(field("view")));
  const page = latencyHref(toLatencyView(await requestedView(params), params), { selection: null });
  const wanted = `${field("from")}..${field("to")},${field("min")}..${field("max")},${field("of")}`;
  const selection = encodeURIComponent(wanted).replaceAll("%3A", ":").replaceAll("%2C", ",");
  const location = `${page}${page.includes("?") ? "&" : "?"}sel=${selection}`;
  // Relative on purpose: the address that the browser used is the right one, whatever stands before this server.
  return new Response(null, { status: 303, headers: { location } });
}
