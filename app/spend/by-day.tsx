import { coloursOf, MOST_SERIES, OTHERS_COLOUR } from "#app/_charts/series-colours.ts";
import { type SpendBar, SpendByDay, type SpendSeries } from "#app/_charts/spend-by-day.tsx";
import { rangePhrase } from "#app/_frame/range-name.ts";
import { formatMoney, formatShare, plural } from "#app/_ui/format.ts";
import { Link } from "#app/_ui/link.tsx";
import { Money } from "#app/_ui/money.tsx";
import { ScrollBox } from "#app/_ui/scroll-box.tsx";
import { formatEdge, formatOffset } from "#app/_ui/time.ts";
import { OTHER } from "#db/queries/call-filter.ts";
import type { Spend } from "#db/queries/spend-page.ts";
import { addMoney } from "#lib/money.ts";
import type { Buckets } from "#lib/range.ts";
import { GROUPINGS, nameOfGroup, narrowed } from "./groupings.ts";
import { rangeOf, type SpendView, spendHref } from "./spend-view.ts";

/** No group has this key: theirs hold a line's end. */
const OTHERS = "others";

/** When was it spent, and on what? The dearest groups by name, all others as one. */
export function ByDay({ view, spend, buckets }: { view: SpendView; spend: Spend; buckets: Buckets }) {
  const series = seriesOf(view, spend);
  const bars = barsOf(view, spend, buckets, series);
  const sentence = summary(view, spend, buckets, bars);
  const { label } = GROUPINGS[view.grouping];
  return (
    <section aria-labelledby="days-title" data-testid="chart-spend">
      <div className="flex flex-wrap items-baseline gap-x-4">
        <h2 id="days-title" className="text-lg font-semibold">
          Spend per {buckets.width.name}, USD
        </h2>
        <p className="text-muted">{sentence}</p>
      </div>
      <SpendByDay
        bars={bars}
        series={series}
        ticks={ticksOf(bars)}
        label={`Spend per ${buckets.width.name} by ${label.toLowerCase()}. ${sentence}`}
        table={
          <details>
            <summary className="inline-flex items-center underline underline-offset-2">View as table</summary>
            <AsTable bars={bars} series={series} view={view} />
          </details>
        }
      />
    </section>
  );
}

function AsTable({
  bars,
  series,
  view,
}: {
  bars: readonly SpendBar[];
  series: readonly SpendSeries[];
  view: SpendView;
}) {
  return (
    <ScrollBox name="Spend over time" className="max-h-80 overflow-y-auto">
      <table className="figures text-sm text-fg" data-testid="table-days">
        <thead>
          <tr>
            <th scope="col">From, {formatOffset(view.interval.fromMs, view.zone)}</th>
            {series.map(({ key, name }) => (
              <th key={key} scope="col">
                {name}
              </th>
            ))}
            <th scope="col">Together</th>
          </tr>
        </thead>
        <tbody>
          {bars.map((bar) => (
            <tr key={bar.slot}>
              <th scope="row">
                <Link className="text-link" href={bar.href}>
                  {bar.from}
                </Link>
                {bar.unfinished && <span className="text-muted"> not over</span>}
              </th>
              {series.map(({ key }, i) => (
                <td key={key}>
                  <Money usd={bar.usd[i] ?? "0"} />
                </td>
              ))}
              <td>
                <Money usd={bar.totalUsd} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollBox>
  );
}

/** As many as the chart has colours for; where there are more groups, the rest as the last. */
function seriesOf(view: SpendView, { groups, rest }: Spend): SpendSeries[] {
  const named = groups.slice(0, MOST_SERIES).filter(({ name }) => name !== OTHER);
  const names = named.map((group) => nameOfGroup(view.grouping, group));
  const colours = coloursOf(names);
  const series = named.map((group, i): SpendSeries => {
    const filter = narrowed(view.filter, view.grouping, group);
    const name = names[i] as string;
    return {
      key: `${group.name}\n${group.version}`,
      name,
      colour: colours.get(name) ?? OTHERS_COLOUR,
      href: filter && spendHref(view, { filter, grouping: GROUPINGS[view.grouping].next }),
    };
  });
  const others = rest !== null || groups.length > named.length;
  return others ? [...series, { key: OTHERS, name: "Other", colour: OTHERS_COLOUR, href: null }] : series;
}

function barsOf(view: SpendView, { slots }: Spend, { edges }: Buckets, series: readonly SpendSeries[]): SpendBar[] {
  return edges.slice(0, -1).map((fromMs, i) => {
    const toMs = edges[i + 1] ?? fromMs;
    const parts = slots.filter(({ slot }) => slot === i + 1);
    const usd = series.map((one, at) => {
      const isRank = (rank: number) => (one.key === OTHERS ? rank > MOST_SERIES : rank === at + 1);
      return parts.find(({ rank }) => isRank(rank))?.costUsd ?? "0";
    });
    return {
      slot: i + 1,
      from: formatEdge(fromMs, view.zone),
      to: formatEdge(toMs, view.zone),
      usd,
      totalUsd: parts.reduce((sum, { costUsd }) => addMoney(sum, costUsd), "0"),
      calls: plural(
        parts.reduce((sum, { calls }) => sum + calls, 0),
        "call",
      ),
      unfinished: toMs > view.nowMs && fromMs <= view.nowMs,
      href: spendHref(view, { range: rangeOf({ fromMs, toMs }, view.zone) }),
    };
  });
}

/** "$41.20 in November 2026; most per day: $3.10 from 12 Nov; dearest feature: search with 45 %." */
function summary(view: SpendView, { total, groups }: Spend, { width }: Buckets, bars: readonly SpendBar[]): string {
  const where = `${view.range.kind === "between" ? "from" : "in"} ${rangePhrase(view)}`;
  const top = bars.reduce(
    (most, bar) => (Number(bar.totalUsd) > Number(most.totalUsd) ? bar : most),
    bars[0] as SpendBar,
  );
  const dearest = groups[0];
  const group = dearest
    ? `; dearest ${GROUPINGS[view.grouping].label.toLowerCase()}: ${nameOfGroup(view.grouping, dearest)} with ${formatShare(Number(dearest.costUsd), Number(total.costUsd))}`
    : "";
  return `${formatMoney(total.costUsd)} ${where}; most per ${width.name}: ${formatMoney(top.totalUsd)} from ${top.from}${group}.`;
}

/** At most ten labels, evenly. */
function ticksOf(bars: readonly SpendBar[]): { slot: number; label: string }[] {
  const every = Math.ceil(bars.length / 10);
  return bars.filter((_, i) => i % every === 0).map(({ slot, from }) => ({ slot, label: from }));
}
