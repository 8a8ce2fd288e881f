import { nearestCall } from "#app/_data/nearest-call.ts";
import { filterChips } from "#app/_frame/filter-bar.tsx";
import { NothingHere } from "#app/_frame/nothing-here.tsx";
import { rangePhrase, rangeReaching } from "#app/_frame/range-name.ts";
import { hrefOf, type View } from "#app/_frame/view.ts";
import { formatMoment } from "#app/_ui/time.ts";
import { parseRange, type Range } from "#lib/range.ts";

/** No call in this view; how far back one must look to see some. */
export async function EmptyByFilter({ view, path }: { view: View; path: string }) {
  const at = await nearestCall(view);
  return (
    <NothingHere
      title="No calls match"
      view={view}
      last={filterChips(path, view).at(-1)}
      nearest={at === null ? null : reaching(at, view, path)}
    />
  );
}

function reaching(at: number, view: View, path: string) {
  const range = parseRange(rangeReaching(at, view.zone, view.nowMs)) as Range;
  return {
    moment: formatMoment(at, view.zone),
    name: rangePhrase({ ...view, range }),
    href: hrefOf(path, view, { range }),
  };
}
