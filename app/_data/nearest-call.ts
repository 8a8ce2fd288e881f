import { scopeOf, type View } from "#app/_frame/view.ts";
import { nearestCallMs } from "#db/queries/calls-page.ts";
import { snapshot } from "#db/queries/snapshot.ts";
import { database } from "./database.ts";

/** The call nearest to a view that holds none, with its filters; null: there is none, or it takes too long to find. */
export async function nearestCall(view: View): Promise<number | null> {
  try {
    // A hint is not worth a long wait.
    return await snapshot(database(), (tx) => nearestCallMs(tx, scopeOf(view)), { timeoutMs: 1500 });
  } catch {
    return null;
  }
}
