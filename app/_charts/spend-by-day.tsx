"use client";

import { useRouter } from "next/navigation";
import { type ReactNode, useState } from "react";
import {
  Bar,
  BarChart,
  type BarShapeProps,
  CartesianGrid,
  Rectangle,
  ResponsiveContainer,
  Tooltip,
  type TooltipContentProps,
  XAxis,
  YAxis,
} from "recharts";
import { formatMoney } from "#app/_ui/format.ts";
import { CHART_LOOKS } from "./chart-looks.ts";

export interface SpendSeries {
  /** Tells it from others of the same name. */
  key: string;
  name: string;
  colour: string;
  /** Where a click on one of its segments leads; null: nowhere. */
  href: string | null;
}

export interface SpendBar {
  slot: number;
  from: string;
  to: string;
  /** Exact decimals, one per series. */
  usd: readonly string[];
  totalUsd: string;
  calls: string;
  /** The stretch is not over: its spend will rise. */
  unfinished: boolean;
  href: string;
}

interface Props {
  bars: readonly SpendBar[];
  /** From the bottom up. */
  series: readonly SpendSeries[];
  ticks: readonly { slot: number; label: string }[];
  /** The chart in a sentence. */
  label: string;
  /** The same figures as a table, folded. */
  table: ReactNode;
}

/** Spend over time, stacked by group; what is not over is hatched. A segment leads to its group, the rest of a bar to its day. */
export function SpendByDay({ bars, series, ticks, label, table }: Props) {
  const router = useRouter();
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const names = new Map(ticks.map(({ slot, label }) => [slot, label]));
  const shown = series.filter(({ key }) => !hidden.has(key));
  const toggle = (key: string) =>
    setHidden((before) => {
      const after = new Set(before);
      if (!after.delete(key)) after.add(key);
      return after;
    });
  return (
    <>
      {/* The height is there before the script is: nothing jumps. */}
      <div role="img" aria-label={label} className="mt-2 h-60 w-full">
        <ResponsiveContainer width="100%" height="100%" initialDimension={{ width: 1200, height: 240 }}>
          <BarChart
            data={[...bars]}
            margin={{ top: 4, right: 0, bottom: 0, left: 0 }}
            barCategoryGap={bars.length > 60 ? 1 : "12%"}
            accessibilityLayer={false}
            onClick={({ activeLabel }) => {
              const bar = bars.find(({ slot }) => slot === Number(activeLabel));
              if (bar) router.push(bar.href);
            }}
            style={{ cursor: "pointer" }}
          >
            <defs>
              {series.map(({ key, colour }, i) => (
                <pattern
                  key={key}
                  id={`spend-hatch-${i}`}
                  width="6"
                  height="6"
                  patternUnits="userSpaceOnUse"
                  patternTransform="rotate(45)"
                >
                  <rect width="6" height="6" style={{ fill: colour }} />
                  <rect width="2.5" height="6" fill="var(--bg)" />
                </pattern>
              ))}
            </defs>
            <CartesianGrid vertical={false} stroke="var(--rule)" />
            <XAxis
              dataKey="slot"
              ticks={ticks.map(({ slot }) => slot)}
              interval="preserveStart"
              minTickGap={8}
              tickFormatter={(slot: number) => names.get(slot) ?? ""}
              {...CHART_LOOKS.timeAxis}
            />
            <YAxis width={64} tickCount={5} domain={[0, "auto"]} tickFormatter={axisMoney} {...CHART_LOOKS.valueAxis} />
            <Tooltip
              content={(props) => <BarTooltip {...props} series={shown} all={series} />}
              cursor={{ fill: "var(--rule)", fillOpacity: 0.5 }}
              {...CHART_LOOKS.tooltip}
            />
            {series.map((one, i) => (
              <Bar
                key={one.key}
                // Only the length of a bar is ever a float.
                dataKey={(bar: SpendBar) => Number(bar.usd[i])}
                hide={hidden.has(one.key)}
                stackId="spend"
                isAnimationActive={false}
                shape={(props: BarShapeProps) => (
                  <Segment {...props} colour={one.colour} hatch={`url(#spend-hatch-${i})`} />
                )}
                onClick={(_, __, event) => {
                  if (!one.href) return;
                  event.stopPropagation();
                  router.push(one.href);
                }}
              />
            ))}
          </BarChart>
        </ResponsiveContainer>
      </div>
      <div className="mt-1 flex flex-wrap items-start gap-x-3 text-xs">
        {series.map((one) => (
          <LegendEntry key={one.key} series={one} hidden={hidden.has(one.key)} toggle={() => toggle(one.key)} />
        ))}
        {bars.some(({ unfinished }) => unfinished) && (
          <span className="inline-flex min-h-6 items-center text-muted">hatched: not over yet</span>
        )}
        <div className="min-w-0 text-muted">{table}</div>
      </div>
    </>
  );
}

function LegendEntry({ series, hidden, toggle }: { series: SpendSeries; hidden: boolean; toggle: () => void }) {
  const { name, colour } = series;
  return (
    <button
      type="button"
      className={`inline-flex min-h-6 max-w-60 items-center gap-1.5 rounded-sm px-1 ${hidden ? "text-muted line-through" : ""}`}
      aria-pressed={!hidden}
      title={hidden ? `Show ${name} in the chart` : `Hide ${name} in the chart`}
      onClick={toggle}
    >
      <span
        className="measure size-2.5 shrink-0 border"
        style={{ borderColor: colour, background: hidden ? "transparent" : colour }}
      />
      <span className="truncate">{name}</span>
    </button>
  );
}

function Segment({ colour, hatch, payload, ...props }: BarShapeProps & { colour: string; hatch: string }) {
  const { unfinished } = payload as SpendBar;
  return (
    <Rectangle
      {...props}
      className="measure"
      style={{ fill: unfinished ? hatch : colour }}
      stroke="var(--bg)"
      strokeWidth={0.5}
    />
  );
}

function BarTooltip({
  active,
  payload,
  series,
  all,
}: TooltipContentProps & { series: readonly SpendSeries[]; all: readonly SpendSeries[] }) {
  const bar = payload?.[0]?.payload as SpendBar | undefined;
  if (!active || !bar) return null;
  return (
    <div className="rounded-md border border-control bg-bg px-3 py-2 shadow-lg">
      <p className="text-xs text-muted">
        {bar.from} – {bar.to}
        {bar.unfinished && ", not over yet"}
      </p>
      <p>
        <span className="font-semibold">{formatMoney(bar.totalUsd)}</span> for {bar.calls}
      </p>
      <ul className="mt-1 text-xs">
        {[...series].reverse().map((one) => (
          <li key={one.key} className="flex items-center gap-2">
            <span className="size-2.5 shrink-0" style={{ background: one.colour }} />
            <span className="max-w-48 flex-1 truncate">{one.name}</span>
            <span>{formatMoney(bar.usd[all.indexOf(one)] ?? null)}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}

const compact = new Intl.NumberFormat("en-US", {
  style: "currency",
  currency: "USD",
  notation: "compact",
  maximumSignificantDigits: 3,
});
const axisMoney = (usd: number) => compact.format(usd);
