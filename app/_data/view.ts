import { cookies } from "next/headers";
import { ZONE_COOKIE } from "#app/_frame/preferences.ts";
import { type Params, readView, type View } from "#app/_frame/view.ts";

/** The view of the present request. */
export async function requestedView(params: Params): Promise<View> {
  const zone = (await cookies()).get(ZONE_COOKIE)?.value;
  return readView(params, zone && decodeURIComponent(zone));
}
