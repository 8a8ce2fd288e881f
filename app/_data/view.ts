import { cookies } from "next/headers";
import { ZONE_COOKIE } from "#app/_frame/preferences.ts";
import { type Params, readView, type View } from "#app/_frame/view.ts";

/** The view of the present request; `own` are the parameters that only its page knows. */
export async function requestedView(params: Params, own: View["own"] = null): Promise<View> {
  const zone = (await cookies()).get(ZONE_COOKIE)?.value;
  return { ...readView(params, zone && decoded(zone)), own };
}

/** Cookies can be edited; one that cannot be read is none. */
function decoded(value: string): string | undefined {
  try {
    return decodeURIComponent(value);
  } catch {
    return undefined;
  }
}
