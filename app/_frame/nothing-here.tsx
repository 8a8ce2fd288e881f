import { Link } from "#app/_ui/link.tsx";
import { rangePhrase } from "./range-name.ts";
import type { View } from "./view.ts";

interface Props {
  title: string;
  view: View;
  /** The filter set last, and the address without it. */
  last: { label: string; name: string; href: string } | undefined;
  /** Where the nearest calls are. */
  nearest: { moment: string; name: string; href: string } | null;
}

/** Calls exist, but none in this view: the way out is one click, in whichever direction. */
export function NothingHere({ title, view, last, nearest }: Props) {
  return (
    <section className="mt-4 max-w-2xl rounded-md border border-rule p-4" data-testid="empty-filter">
      <h2 className="text-lg font-semibold">{title}</h2>
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
