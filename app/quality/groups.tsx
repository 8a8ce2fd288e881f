import { IntervalBar } from "#app/_charts/interval-bar.tsx";
import { hrefOf, type View } from "#app/_frame/view.ts";
import { formatCount, formatShare } from "#app/_ui/format.ts";
import { formatBounds, formatRate } from "#app/_ui/format-rate.ts";
import { Link } from "#app/_ui/link.tsx";
import { ScrollBox } from "#app/_ui/scroll-box.tsx";
import type { CallFilter } from "#db/queries/call-filter.ts";
import { GROUPINGS, type Grouping, type RatingsOfGroup } from "#db/queries/quality-page.ts";
import { type Rate, wilson } from "#lib/stats/wilson.ts";
import { qualityHref } from "./query.ts";
import { GROUPS_MAX } from "./read.ts";

/** Fewer ratings than this are shown, but not ranked. */
const RATINGS_MIN = 30;

const NAMES: Record<Grouping, string> = {
  feature: "Feature",
  template: "Template",
  version: "Version",
  snapshot: "Snapshot",
  customer: "Customer",
};

interface Props {
  groups: readonly RatingsOfGroup[];
  grouping: Grouping;
  view: View;
}

interface Row extends RatingsOfGroup {
  rate: Rate;
  n: number;
}

/** Each group's rate and interval, the lowest lower bound first; groups with few ratings stand greyed at the end. */
export function Groups({ groups, grouping, view }: Props) {
  const rows = ranked(groups);
  return (
    <section aria-labelledby="groups-title" data-testid="table-groups" className="mt-8">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
        <h2 id="groups-title" className="text-lg font-semibold">
          Rate by group
        </h2>
        <nav aria-label="Group by" className="flex flex-wrap gap-2">
          {GROUPINGS.map((one) => (
            <Link
              key={one}
              className="control aria-[current=true]:border-fg aria-[current=true]:bg-surface aria-[current=true]:font-semibold"
              href={qualityHref(view, one)}
              aria-current={one === grouping ? "true" : undefined}
              scroll={false}
            >
              {NAMES[one]}
            </Link>
          ))}
        </nav>
      </div>
      <ScrollBox name={`Rate by ${NAMES[grouping].toLowerCase()}`} className="mt-2">
        <table className="figures w-full">
          <thead>
            <tr>
              <th scope="col">{NAMES[grouping]}</th>
              <th scope="col" className="w-1/3 !text-left">
                0 – 100 %
              </th>
              <th scope="col">Rate</th>
              <th scope="col">95 % interval</th>
              <th scope="col">n</th>
              <th scope="col">Coverage</th>
              <th scope="col">
                <span className="sr-only">Its calls</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <GroupRow key={`${row.name}\n${row.version}`} row={row} grouping={grouping} view={view} />
            ))}
          </tbody>
        </table>
      </ScrollBox>
      <p className="py-2 text-xs text-muted">
        Sorted by the lower bound, lowest first; with fewer than {RATINGS_MIN} ratings greyed and last. Groups without a
        rating are left out.
        {groups.length === GROUPS_MAX && ` Only the ${GROUPS_MAX} most rated are listed.`}
      </p>
    </section>
  );
}

function GroupRow({ row, grouping, view }: { row: Row; grouping: Grouping; view: View }) {
  const filter = { ...view.filter, ...filterOf(row, grouping) };
  const label = labelOf(row, grouping);
  return (
    <tr className={row.n < RATINGS_MIN ? "text-muted" : ""} data-testid={`row-${label}`}>
      <th scope="row" className="max-w-72 truncate">
        <Link className="text-link" href={qualityHref(view, grouping, { filter })} title={label}>
          {label}
        </Link>
      </th>
      <td>
        <IntervalBar {...row.rate} />
      </td>
      <td className="font-semibold">{formatRate(row.rate.rate)}</td>
      <td>{formatBounds(row.rate)}</td>
      <td>{formatCount(row.n)}</td>
      <td>{formatShare(row.ratedCalls, row.ratableCalls)}</td>
      <td>
        <Link
          className="text-link inline-flex min-h-6 items-center"
          href={hrefOf("/calls", view, { filter })}
          aria-label={`Calls of ${label}`}
        >
          calls
        </Link>
      </td>
    </tr>
  );
}

function ranked(groups: readonly RatingsOfGroup[]): Row[] {
  const rows = groups.flatMap((group) => {
    const n = group.up + group.down;
    const rate = wilson(group.up, n);
    return rate ? [{ ...group, n, rate }] : [];
  });
  const few = (row: Row) => Number(row.n < RATINGS_MIN);
  return rows.sort((a, b) => few(a) - few(b) || a.rate.low - b.rate.low);
}

const given = (text: string) => text || "none given";

const labelOf = ({ name, version }: RatingsOfGroup, grouping: Grouping): string =>
  grouping === "version" && name !== "" ? `${name}@${given(version)}` : given(name);

function filterOf({ name, version }: RatingsOfGroup, grouping: Grouping): CallFilter {
  if (grouping === "version") return { template: [name], templateVersion: [version] };
  return { [grouping === "snapshot" ? "model" : grouping]: [name] };
}
