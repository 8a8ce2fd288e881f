import { database } from "#app/_data/database.ts";
import { filterChips } from "#app/_frame/filter-bar.tsx";
import { rangePhrase, rangeReaching } from "#app/_frame/range-name.ts";
import { hrefOf, scopeOf, type View } from "#app/_frame/view.ts";
import { Link } from "#app/_ui/link.tsx";
import { formatMoment } from "#app/_ui/time.ts";
import { nearestCallMs } from "#db/queries/calls-page.ts";
import { snapshot } from "#db/queries/snapshot.ts";
import { parseRange, type Range } from "#lib/range.ts";

/** Calls exist, but none in this view: the way out is one click, in whichever direction. */
export async function EmptyByFilter({ view }: { view: View }) {
  const last = filterChips("/calls", view).at(-1);
  const nearest = await nearestOf(view);
  return (
    <section className="mt-4 max-w-2xl rounded-md border border-rule p-4" data-testid="empty-filter">
      <h2 className="text-lg font-semibold">No calls match</h2>
      <p className="mt-1 text-base text-muted first-letter:uppercase">
        {rangePhrase(view)} holds no calls{last ? " with these filters" : ""}.
        {nearest && ` The nearest are from ${nearest.moment}.`}
      </p>
      <p className="mt-4 flex flex-wrap gap-2">
        {last && (
          <Link className="control" href={last.href}>
            Remove last filter ({last.label}: {last.name})
          </Link>
        )}
        {nearest && (
          <Link className="control" href={nearest.href}>
            Show {nearest.name}
          </Link>
        )}
      </p>
    </section>
  );
}

async function nearestOf(view: View) {
  let at: number | null;
  try {
    // A hint is not worth a long wait.
    at = await snapshot(database(), (tx) => nearestCallMs(tx, scopeOf(view)), 1500);
  } catch {
    return null;
  }
  if (at === null) return null;
  const text = rangeReaching(at, view.zone, view.nowMs);
  const range = parseRange(text) as Range;
  return {
    moment: formatMoment(at, view.zone),
    name: rangePhrase({ ...view, range }),
    href: hrefOf("/calls", view, { range }),
  };
}
