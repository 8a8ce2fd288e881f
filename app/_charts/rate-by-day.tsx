"use client";

import { useRouter } from "next/navigation";
import type { ReactNode } from "react";
import {
  Bar,
  CartesianGrid,
  ComposedChart,
  Line,
  ReferenceLine,
  ResponsiveContainer,
  Tooltip,
  type TooltipContentProps,
  XAxis,
  YAxis,
} from "recharts";
import { plural } from "#app/_ui/format.ts";
import { formatBounds, formatRate } from "#app/_ui/format-rate.ts";
import { CHART_LOOKS } from "./chart-looks.ts";

export interface RateDot {
  /** From 1: which of the days. */
  slot: number;
  day: string;
  /** null: nobody rated that day. A gap, not a zero. */
  rate: number | null;
  interval: [low: number, high: number] | null;
  n: number;
  /** The day is not over: its numbers will change. */
  unfinished: boolean;
  href: string;
}

/** Something that changed on a day: a letter above the plot, a sentence in the tooltip. */
export interface ChangeMark {
  slot: number;
  letter: string;
  text: string;
}

interface Props {
  dots: readonly RateDot[];
  ticks: readonly { slot: number; label: string }[];
  marks: readonly ChangeMark[];
  /** The chart in a sentence. */
  label: string;
  /** The same figures as a table, folded. */
  table: ReactNode;
}

/** Share of thumbs-up per day: a dot with the bar of its interval, no line between them. A click goes into the day. */
export function RateByDay({ dots, ticks, marks, label, table }: Props) {
  const router = useRouter();
  const names = new Map(ticks.map(({ slot, label }) => [slot, label]));
  const rates = rateTicks(dots);
  return (
    <>
      {/* The height is there before the script is: nothing jumps. */}
      <div role="img" aria-label={label} className="mt-2 h-56 w-full">
        <ResponsiveContainer width="100%" height="100%" initialDimension={{ width: 1200, height: 224 }}>
          <ComposedChart
            data={[...dots]}
            margin={{ top: 18, right: 0, bottom: 0, left: 0 }}
            accessibilityLayer={false}
            onClick={({ activeLabel }) => {
              const dot = dots.find(({ slot }) => slot === Number(activeLabel));
              if (dot) router.push(dot.href);
            }}
            style={{ cursor: "pointer" }}
          >
            <CartesianGrid vertical={false} stroke="var(--rule)" />
            <XAxis
              dataKey="slot"
              ticks={ticks.map(({ slot }) => slot)}
              // Labels that would touch are left out.
              interval="preserveStart"
              minTickGap={12}
              tickFormatter={(slot: number) => names.get(slot) ?? ""}
              {...CHART_LOOKS.timeAxis}
            />
            <YAxis
              width={44}
              domain={[Math.min(...rates), Math.max(...rates)]}
              ticks={rates}
              interval={0}
              tickFormatter={(rate: number) => `${Math.round(rate * 100)} %`}
              {...CHART_LOOKS.valueAxis}
            />
            <Tooltip
              content={(props) => <DotTooltip {...props} marks={marks} />}
              cursor={{ fill: "var(--rule)", fillOpacity: 0.5 }}
              {...CHART_LOOKS.tooltip}
            />
            {lettersOf(marks).map(({ slot, letters }) => (
              <ReferenceLine
                key={slot}
                x={slot}
                stroke="var(--fg-muted)"
                strokeDasharray="2 3"
                label={{ value: letters, position: "top", fill: "var(--fg)", fontSize: 12, fontWeight: 600 }}
              />
            ))}
            <Bar dataKey="interval" barSize={4} fill="var(--bar)" isAnimationActive={false} />
            <Line
              dataKey="rate"
              stroke="none"
              dot={{ r: 4, fill: "var(--fg)", stroke: "var(--bg)", strokeWidth: 1.5 }}
              activeDot={false}
              isAnimationActive={false}
            />
          </ComposedChart>
        </ResponsiveContainer>
      </div>
      <div className="flex flex-wrap items-start gap-x-4 text-xs text-muted">
        <span className="inline-flex min-h-6 items-center gap-1.5">
          <span className="size-2 rounded-full bg-fg" /> thumbs-up rate
        </span>
        <span className="inline-flex min-h-6 items-center gap-1.5">
          <span className="h-3 w-1 bg-[var(--bar)]" /> 95 % interval
        </span>
        {marks.length > 0 && (
          <span className="inline-flex min-h-6 items-center">
            <b className="mr-1 text-fg">V</b> new template version <b className="mr-1 ml-3 text-fg">S</b> new snapshot
          </span>
        )}
        {table}
      </div>
    </>
  );
}

/** Every tenth, or fifth, from below the lowest bound to above the highest: rates need not start at zero. */
function rateTicks(dots: readonly RateDot[]): number[] {
  const bounds = dots.flatMap(({ interval }) => interval ?? []);
  const lowest = Math.floor(Math.min(1, ...bounds) * 10);
  const highest = Math.ceil(Math.max(0, ...bounds) * 10);
  const step = highest - lowest > 5 ? 2 : 1;
  const first = Math.floor(lowest / step) * step;
  const count = Math.ceil((highest - first) / step) + 1;
  return Array.from({ length: count }, (_, i) => (first + i * step) / 10);
}

/** One line per day, however many things changed on it. */
function lettersOf(marks: readonly ChangeMark[]): { slot: number; letters: string }[] {
  const days = Map.groupBy(marks, ({ slot }) => slot);
  return [...days].map(([slot, some]) => ({
    slot,
    letters: `${[...new Set(some.map(({ letter }) => letter))].join("")}${some.length > 1 ? some.length : ""}`,
  }));
}

function DotTooltip({ active, payload, marks }: TooltipContentProps & { marks: readonly ChangeMark[] }) {
  const dot = payload?.[0]?.payload as RateDot | undefined;
  if (!active || !dot) return null;
  return (
    <div className="max-w-80 rounded-md border border-control bg-bg px-3 py-2 shadow-lg">
      <p className="text-xs text-muted">
        {dot.day}
        {dot.unfinished && ", not over yet"}
      </p>
      {dot.rate !== null && dot.interval ? (
        <p>
          <span className="font-semibold">{formatRate(dot.rate)}</span>{" "}
          {formatBounds({ low: dot.interval[0], high: dot.interval[1] })}, {plural(dot.n, "rating")}
        </p>
      ) : (
        <p>no ratings</p>
      )}
      {marks
        .filter(({ slot }) => slot === dot.slot)
        .map(({ text }) => (
          <p key={text} className="text-xs">
            {text}
          </p>
        ))}
    </div>
  );
}
