import { CallStrip, type StripBar } from "#app/_charts/call-strip.tsx";
import { rangePhrase } from "#app/_frame/range-name.ts";
import { hrefOf, type View } from "#app/_frame/view.ts";
import { formatCount, formatShare, plural } from "#app/_ui/format.ts";
import { ScrollBox } from "#app/_ui/scroll-box.tsx";
import { formatEdge, formatOffset, timeParts } from "#app/_ui/time.ts";
import { stripColumnName } from "#app/calls/strip-columns.ts";
import type { Slot } from "#db/queries/calls-page.ts";
import { type Buckets, type Range, WIDTHS } from "#lib/range.ts";
import { sumOf } from "./totals.tsx";

/** Calls over time above the list: the same calls, the same filters. */
export function Strip({ view, buckets, slots }: { view: View; buckets: Buckets; slots: readonly Slot[] }) {
  const bars = barsOf(view, buckets, slots);
  const unit = stripColumnName(view, buckets);
  const sentence = summary(view, unit, bars, sumOf(slots).operations);
  return (
    <section aria-labelledby="strip-title" data-testid="chart-calls">
      <div className="flex flex-wrap items-baseline gap-x-4">
        <h2 id="strip-title" className="font-semibold">
          Calls per {unit}
        </h2>
        <p className="text-muted">{sentence}</p>
      </div>
      <CallStrip
        bars={bars}
        ticks={ticksOf(view, buckets)}
        label={`Calls per ${unit}. ${sentence}`}
        table={
          <details>
            <summary className="inline-flex items-center underline underline-offset-2">View as table</summary>
            <AsTable bars={bars} view={view} buckets={buckets} />
          </details>
        }
      />
    </section>
  );
}

function AsTable({ bars, view, buckets }: { bars: readonly StripBar[]; view: View; buckets: Buckets }) {
  const filled = bars.filter(({ completed, notCompleted }) => completed + notCompleted > 0);
  return (
    <ScrollBox name="Calls over time" className="max-h-80 max-w-xl overflow-y-auto">
      <table className="figures">
        <thead>
          <tr>
            <th scope="col">From, {formatOffset(view.nowMs, view.zone)}</th>
            <th scope="col">Completed</th>
            <th scope="col">Not completed</th>
          </tr>
        </thead>
        <tbody>
          {filled.map((bar) => (
            <tr key={bar.slot}>
              <th scope="row">
                <a className="text-link" href={hrefOf("/calls", view, { range: rangeOfSlot(buckets, bar.slot) })}>
                  {bar.from}
                </a>
              </th>
              <td>{formatCount(bar.completed)}</td>
              <td>{formatCount(bar.notCompleted)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p className="py-2 text-xs text-muted">Times without calls are left out.</p>
    </ScrollBox>
  );
}

const rangeOfSlot = ({ edges }: Buckets, slot: number): Range => ({
  kind: "between",
  from: { at: edges[slot - 1] ?? 0 },
  to: { at: edges[slot] ?? 0 },
});

function barsOf(view: View, buckets: Buckets, slots: readonly Slot[]): StripBar[] {
  const { edges, width } = buckets;
  const moment = (ms: number) =>
    width.ms < 60_000
      ? `${timeParts(ms, view.zone).day} ${timeParts(ms, view.zone).second}`
      : formatEdge(ms, view.zone);
  const bars = edges.slice(0, -1).map((from, i): StripBar => {
    const to = edges[i + 1] ?? from;
    return {
      slot: i + 1,
      from: moment(from),
      to: moment(to),
      completed: 0,
      notCompleted: 0,
      unfinished: to > view.nowMs,
      href: hrefOf("/calls", view, { range: rangeOfSlot(buckets, i + 1) }),
    };
  });
  for (const { slot, outcome, calls } of slots) {
    const bar = bars[slot - 1];
    if (!bar) continue;
    if (outcome === "completed") bar.completed += calls;
    else bar.notCompleted += calls;
  }
  return bars;
}

/** "1,190 operations · 1,204 calls in the last 24 hours, 21 (1.7 %) not completed; most in 15 minutes: 402 from 20 Nov 14:15." */
function summary(view: View, unit: string, bars: readonly StripBar[], operations: number | null): string {
  let calls = 0;
  let notCompleted = 0;
  let top: StripBar | undefined;
  for (const bar of bars) {
    calls += bar.completed + bar.notCompleted;
    notCompleted += bar.notCompleted;
    if (!top || bar.completed + bar.notCompleted > top.completed + top.notCompleted) top = bar;
  }
  const where = `${view.range.kind === "between" ? "from" : "in"} ${rangePhrase(view)}`;
  const most = top ? `; most per ${unit}: ${formatCount(top.completed + top.notCompleted)} from ${top.from}` : "";
  const wanted = operations === null ? "" : `${plural(operations, "operation")} · `;
  return `${wanted}${plural(calls, "call")} ${where}, ${formatCount(notCompleted)} (${formatShare(notCompleted, calls)}) not completed${most}.`;
}

/** About eight labels, at bars that start on a rounder local time than the rest. */
function ticksOf(view: View, { edges, width }: Buckets): { slot: number; label: string }[] {
  const starts = edges.slice(0, -1);
  const rounder = WIDTHS.filter(({ ms }) => ms > width.ms);
  for (const { ms, name } of rounder) {
    const at = starts.flatMap((from, i) =>
      i > 0 && isRound(from, view.zone, ms, name) ? [{ slot: i + 1, from }] : [],
    );
    if (at.length > 9) continue;
    if (at.length < 2) break;
    return at.map(({ slot, from }) => ({ slot, label: tickLabel(from, view.zone, ms) }));
  }
  return starts
    .map((from, i) => ({ slot: i + 1, label: formatEdge(from, view.zone) }))
    .filter((_, i) => i % Math.max(1, Math.ceil(starts.length / 6)) === 0);
}

function isRound(ms: number, zone: string, widthMs: number, name: string): boolean {
  const { day, second } = timeParts(ms, zone);
  if (name === "month") return day.startsWith("1 ") && second === "00:00:00";
  if (widthMs >= 86_400_000) return second === "00:00:00";
  const [h = 0, m = 0, s = 0] = second.split(":").map(Number);
  return (((h * 60 + m) * 60 + s) * 1000) % widthMs === 0;
}

function tickLabel(ms: number, zone: string, widthMs: number): string {
  const { day, minute, second } = timeParts(ms, zone);
  if (widthMs >= 86_400_000) return day;
  if (second === "00:00:00") return day;
  return widthMs < 60_000 ? second : minute;
}
