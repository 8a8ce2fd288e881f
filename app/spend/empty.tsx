import { nearestCall } from "#app/_data/nearest-call.ts";
import { NothingHere } from "#app/_frame/nothing-here.tsx";
import { rangePhrase } from "#app/_frame/range-name.ts";
import { formatMoment } from "#app/_ui/time.ts";
import { msToWall, parseRange, type Range } from "#lib/range.ts";
import { spendChips } from "./filters.tsx";
import { type SpendView, spendHref } from "./spend-view.ts";

/** Money was spent, but not in this view; in which month it was. */
export async function EmptySpend({ view }: { view: SpendView }) {
  const at = await nearestCall(view);
  return (
    <NothingHere
      title="Nothing was spent here"
      view={view}
      last={spendChips(view).at(-1)}
      nearest={at === null ? null : monthOf(at, view)}
    />
  );
}

function monthOf(at: number, view: SpendView) {
  const range = parseRange(new Date(msToWall(at, view.zone)).toISOString().slice(0, 7)) as Range;
  return {
    moment: formatMoment(at, view.zone),
    name: rangePhrase({ ...view, range }),
    href: spendHref(view, { range }),
  };
}
