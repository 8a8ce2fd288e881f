import { type ChangeMark, RateByDay, type RateDot } from "#app/_charts/rate-by-day.tsx";
import { rangePhrase } from "#app/_frame/range-name.ts";
import type { View } from "#app/_frame/view.ts";
import { formatCount, plural } from "#app/_ui/format.ts";
import { formatBounds, formatRate } from "#app/_ui/format-rate.ts";
import { Link } from "#app/_ui/link.tsx";
import { ScrollBox } from "#app/_ui/scroll-box.tsx";
import { formatEdge } from "#app/_ui/time.ts";
import type { Grouping } from "#db/queries/quality-page.ts";
import { wilson } from "#lib/stats/wilson.ts";
import type { JudgedChange } from "./judge-changes.ts";
import { qualityHref } from "./query.ts";
import type { Quality, SaidOnDay } from "./read.ts";

interface Props {
  quality: Quality;
  view: View;
  grouping: Grouping;
}

/** The rate of each day with its interval; days without a rating stay empty. */
export function RateChart({ quality, view, grouping }: Props) {
  const { days, width } = quality;
  const dots = days.map((day, i) => dotOf(day, i + 1, view, grouping));
  const sentence = summary(view, dots);
  return (
    <section aria-labelledby="rate-title" data-testid="chart-rate" className="mt-6">
      <div className="flex flex-wrap items-baseline gap-x-4">
        <h2 id="rate-title" className="text-lg font-semibold">
          Thumbs-up rate per {width}, %
        </h2>
        <p className="text-muted">{sentence}</p>
      </div>
      <RateByDay
        dots={dots}
        ticks={ticksOf(days, view)}
        marks={quality.changes.flatMap((change) => markOf(change, days))}
        label={`Thumbs-up rate per ${width}. ${sentence}`}
        table={
          <details>
            <summary className="inline-flex items-center underline underline-offset-2">View as table</summary>
            <AsTable days={days} dots={dots} width={width} />
          </details>
        }
      />
      <p className="py-2 text-xs text-muted">
        A rating counts at the time of its call, whenever it came, and of each rater only the last. What is said about a
        session counts at the session's last call.
      </p>
    </section>
  );
}

function AsTable({ days, dots, width }: { days: readonly SaidOnDay[]; dots: readonly RateDot[]; width: string }) {
  return (
    <ScrollBox name={`Thumbs-up rate per ${width}`} className="max-h-80 max-w-2xl overflow-y-auto">
      <table className="figures">
        <thead>
          <tr>
            <th scope="col">From</th>
            <th scope="col">Rate</th>
            <th scope="col">95 % interval</th>
            <th scope="col">Up</th>
            <th scope="col">Down</th>
            <th scope="col">Rated calls</th>
            <th scope="col">Could be rated</th>
          </tr>
        </thead>
        <tbody>
          {dots.map((dot, i) => {
            const { up = 0, down = 0, ratedCalls = 0, ratableCalls = 0 } = days[i] ?? {};
            return (
              <tr key={dot.slot}>
                <th scope="row">
                  <Link className="text-link" href={dot.href}>
                    {dot.day}
                  </Link>
                </th>
                <td>{formatRate(dot.rate)}</td>
                <td>{dot.interval ? formatBounds({ low: dot.interval[0], high: dot.interval[1] }) : "—"}</td>
                <td>{formatCount(up)}</td>
                <td>{formatCount(down)}</td>
                <td>{formatCount(ratedCalls)}</td>
                <td>{formatCount(ratableCalls)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </ScrollBox>
  );
}

function dotOf({ fromMs, toMs, up, down }: SaidOnDay, slot: number, view: View, grouping: Grouping): RateDot {
  const found = wilson(up, up + down);
  return {
    slot,
    day: formatEdge(fromMs, view.zone),
    rate: found?.rate ?? null,
    interval: found && [found.low, found.high],
    n: up + down,
    unfinished: toMs > view.nowMs,
    href: qualityHref(view, grouping, { range: { kind: "between", from: { at: fromMs }, to: { at: toMs } } }),
  };
}

function markOf(change: JudgedChange, days: readonly SaidOnDay[]): ChangeMark[] {
  const day = days.findIndex(({ fromMs, toMs }) => change.atMs >= fromMs && change.atMs < toMs);
  if (day < 0) return [];
  const letter = change.kind === "snapshot" ? "S" : "V";
  return [{ slot: day + 1, letter, text: `${change.subject}: ${change.valueBefore} → ${change.value}` }];
}

/** "241 ratings in the last 30 days; lowest 62.5 % (n 8) on 3 Nov, highest 95.0 % (n 20) on 9 Nov, last 88.9 % (n 9) on 20 Nov." */
function summary(view: View, dots: readonly RateDot[]): string {
  const rated = dots.filter((dot) => dot.rate !== null);
  const where = `${view.range.kind === "between" ? "from" : "in"} ${rangePhrase(view)}`;
  const last = rated.at(-1);
  if (!last) return `No ratings ${where}.`;
  const n = rated.reduce((sum, dot) => sum + dot.n, 0);
  const by = (better: (a: number, b: number) => boolean) =>
    rated.reduce((best, dot) => (better(dot.rate ?? 0, best.rate ?? 0) ? dot : best));
  const told = (dot: RateDot) => `${formatRate(dot.rate)} (n ${formatCount(dot.n)}) on ${dot.day}`;
  const extremes = `lowest ${told(by((a, b) => a < b))}, highest ${told(by((a, b) => a > b))}, last ${told(last)}`;
  return `${plural(n, "rating")} ${where}${rated.length > 1 ? `; ${extremes}` : ""}.`;
}

/** About eight labels; the first day of a range is often cut and has none. */
function ticksOf(days: readonly SaidOnDay[], view: View): { slot: number; label: string }[] {
  const every = Math.max(1, Math.ceil(days.length / 8));
  return days.flatMap(({ fromMs }, i) =>
    (days.length < 3 || i > 0) && (i - 1) % every === 0 ? [{ slot: i + 1, label: formatEdge(fromMs, view.zone) }] : [],
  );
}
