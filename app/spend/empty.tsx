import { database } from "#app/_data/database.ts";
import { rangePhrase } from "#app/_frame/range-name.ts";
import { scopeOf } from "#app/_frame/view.ts";
import { Link } from "#app/_ui/link.tsx";
import { formatMoment } from "#app/_ui/time.ts";
import { nearestCallMs } from "#db/queries/calls-page.ts";
import { snapshot } from "#db/queries/snapshot.ts";
import { msToWall, parseRange, type Range } from "#lib/range.ts";
import { spendChips } from "./filters.tsx";
import { type SpendView, spendHref } from "./spend-view.ts";

/** Money was spent, but not in this view: the way out is one click. */
export async function EmptySpend({ view }: { view: SpendView }) {
  const last = spendChips(view).at(-1);
  const nearest = await nearestOf(view);
  return (
    <section className="mt-4 max-w-2xl rounded-md border border-rule p-4" data-testid="empty-filter">
      <h2 className="text-lg font-semibold">Nothing was spent here</h2>
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

async function nearestOf(view: SpendView) {
  let at: number | null;
  try {
    // A hint is not worth a long wait.
    at = await snapshot(database(), (tx) => nearestCallMs(tx, scopeOf(view)), 1500);
  } catch {
    return null;
  }
  if (at === null) return null;
  const range = parseRange(new Date(msToWall(at, view.zone)).toISOString().slice(0, 7)) as Range;
  return {
    moment: formatMoment(at, view.zone),
    name: rangePhrase({ ...view, range }),
    href: spendHref(view, { range }),
  };
}
