"use client";

import { useRouter } from "next/navigation";
import type { ReactNode } from "react";
import {
  Bar,
  BarChart,
  CartesianGrid,
  ResponsiveContainer,
  Tooltip,
  type TooltipContentProps,
  XAxis,
  YAxis,
} from "recharts";
import { formatCount, formatTokensShort } from "#app/_ui/format.ts";
import { CHART_LOOKS } from "./chart-looks.ts";

export interface StripBar {
  slot: number;
  from: string;
  to: string;
  completed: number;
  notCompleted: number;
  /** The bucket is not over: its numbers will rise. */
  unfinished: boolean;
  href: string;
}

interface Props {
  bars: readonly StripBar[];
  ticks: readonly { slot: number; label: string }[];
  /** The chart in a sentence. */
  label: string;
  /** The same figures as a table, folded. */
  table: ReactNode;
}

/** Calls over time, those that did not complete on top and hatched. A click goes into a bar's stretch of time. */
export function CallStrip({ bars, ticks, label, table }: Props) {
  const router = useRouter();
  const names = new Map(ticks.map(({ slot, label }) => [slot, label]));
  return (
    <>
      {/* The height is there before the script is: nothing jumps. */}
      <div role="img" aria-label={label} className="mt-2 h-28 w-full">
        <ResponsiveContainer width="100%" height="100%" initialDimension={{ width: 1200, height: 112 }}>
          <BarChart
            data={[...bars]}
            margin={{ top: 4, right: 0, bottom: 0, left: 0 }}
            barCategoryGap={bars.length > 120 ? 0 : 1}
            accessibilityLayer={false}
            onClick={({ activeLabel }) => {
              const bar = bars.find(({ slot }) => slot === Number(activeLabel));
              if (bar) router.push(bar.href);
            }}
            style={{ cursor: "pointer" }}
          >
            <defs>
              <pattern id="hatch" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
                <rect width="5" height="5" fill="var(--bad)" />
                <rect width="1.5" height="5" fill="var(--bg)" />
              </pattern>
            </defs>
            <CartesianGrid vertical={false} stroke="var(--rule)" />
            <XAxis
              dataKey="slot"
              ticks={ticks.map(({ slot }) => slot)}
              interval={0}
              tickFormatter={(slot: number) => names.get(slot) ?? ""}
              {...CHART_LOOKS.timeAxis}
            />
            <YAxis
              width={44}
              allowDecimals={false}
              tickCount={3}
              tickFormatter={(count: number) => formatTokensShort(count)}
              {...CHART_LOOKS.valueAxis}
            />
            <Tooltip content={BarTooltip} cursor={{ fill: "var(--rule)", fillOpacity: 0.5 }} {...CHART_LOOKS.tooltip} />
            <Bar dataKey="completed" stackId="calls" fill="var(--bar)" isAnimationActive={false} />
            <Bar
              dataKey="notCompleted"
              stackId="calls"
              fill="url(#hatch)"
              isAnimationActive={false}
              // By the bar itself: of what is stacked the value given here is the top of the stack.
              minPointSize={(_, index) => (bars[index]?.notCompleted ? 2 : 0)}
            />
          </BarChart>
        </ResponsiveContainer>
      </div>
      <div className="flex flex-wrap items-start gap-x-4 text-xs text-muted">
        <span className="inline-flex min-h-6 items-center gap-1.5">
          <span className="size-2.5 bg-[var(--bar)]" /> completed
        </span>
        <span className="inline-flex min-h-6 items-center gap-1.5">
          <svg aria-hidden="true" width="10" height="10">
            <rect width="10" height="10" fill="url(#hatch)" />
          </svg>
          not completed
        </span>
        {table}
      </div>
    </>
  );
}

function BarTooltip({ active, payload }: TooltipContentProps) {
  const bar = payload?.[0]?.payload as StripBar | undefined;
  if (!active || !bar) return null;
  return (
    <div className="rounded-md border border-control bg-bg px-3 py-2 shadow-lg">
      <p className="text-xs text-muted">
        {bar.from} – {bar.to}
        {bar.unfinished && ", not over yet"}
      </p>
      <p>
        <span className="font-semibold">{formatCount(bar.completed + bar.notCompleted)}</span> calls,{" "}
        {formatCount(bar.notCompleted)} not completed
      </p>
    </div>
  );
}
