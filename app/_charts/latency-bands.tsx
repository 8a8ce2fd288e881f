"use client";

import type { ReactNode } from "react";
import {
  Area,
  CartesianGrid,
  ComposedChart,
  Line,
  ResponsiveContainer,
  Tooltip,
  type TooltipContentProps,
  XAxis,
  YAxis,
} from "recharts";
import { formatDuration, plural } from "#app/_ui/format.ts";
import { CHART_LOOKS } from "./chart-looks.ts";

export interface BandPoint {
  /** Middle of its stretch of time. */
  at: number;
  from: string;
  to: string;
  /** null: too few calls. A gap, not a zero. */
  p50: number | null;
  p95: number | null;
  p99: number | null;
  n: number;
  /** The stretch is not over: its numbers will change. */
  unfinished: boolean;
}

interface Props {
  points: readonly BandPoint[];
  ticks: readonly { at: number; label: string }[];
  latencies: readonly { at: number; label: string }[];
  /** Milliseconds; logarithmic between them. */
  domain: readonly [low: number, high: number];
  span: readonly [fromMs: number, toMs: number];
  colour: string;
  /** The percentile whose line stands out. */
  rank: 50 | 95 | 99;
  /** The chart in a sentence. */
  label: string;
  /** The same figures as a table, folded. */
  table: ReactNode;
}

type Row = BandPoint & { band: [number, number] | null } & Record<`open${50 | 95 | 99}`, number | null>;

/** Percentiles over time on a log scale: a band from p50 to p95, lines, gaps where calls are too few. The running stretch is dotted. */
export function LatencyBands({ points, ticks, latencies, domain, span, colour, rank, label, table }: Props) {
  const labels = new Map(ticks.map((tick) => [tick.at, tick.label]));
  const names = new Map(latencies.map((tick) => [tick.at, tick.label]));
  const rows = rowsOf(points);
  return (
    <>
      {/* The height is there before the script is, and what the script will make narrower is cut: nothing jumps. */}
      <div role="img" aria-label={label} className="mt-1 h-40 w-full overflow-x-clip">
        <ResponsiveContainer width="100%" height="100%" initialDimension={{ width: 600, height: 160 }}>
          <ComposedChart data={rows} margin={{ top: 4, right: 4, bottom: 0, left: 0 }} accessibilityLayer={false}>
            <CartesianGrid vertical={false} stroke="var(--rule)" />
            <XAxis
              type="number"
              dataKey="at"
              domain={[...span]}
              ticks={ticks.map(({ at }) => at)}
              interval="preserveStart"
              minTickGap={8}
              tickFormatter={(at: number) => labels.get(at) ?? ""}
              {...CHART_LOOKS.timeAxis}
            />
            <YAxis
              width={52}
              scale="log"
              domain={[...domain]}
              allowDataOverflow
              ticks={latencies.map(({ at }) => at)}
              interval={0}
              tickFormatter={(ms: number) => names.get(ms) ?? ""}
              {...CHART_LOOKS.valueAxis}
            />
            <Tooltip content={BandTooltip} cursor={{ stroke: "var(--fg-muted)" }} {...CHART_LOOKS.tooltip} />
            <Area
              dataKey="band"
              type="linear"
              stroke="none"
              fill={colour}
              fillOpacity={0.22}
              dot={false}
              activeDot={false}
              isAnimationActive={false}
            />
            {([50, 95, 99] as const).map((one) => (
              <Line
                key={one}
                dataKey={`p${one}`}
                type="linear"
                stroke={one === 99 ? "var(--fg-muted)" : colour}
                strokeWidth={one === rank ? 2.25 : 1}
                strokeDasharray={one === 50 ? "4 3" : undefined}
                dot={(dot) => <LonePoint key={dot.index} {...dot} rows={rows} field={`p${one}`} colour={colour} />}
                activeDot={false}
                isAnimationActive={false}
              />
            ))}
            {([50, 95, 99] as const).map((one) => (
              <Line
                key={one}
                dataKey={`open${one}`}
                type="linear"
                stroke={one === 99 ? "var(--fg-muted)" : colour}
                strokeWidth={one === rank ? 2.25 : 1}
                strokeDasharray="1 3"
                dot={false}
                activeDot={false}
                isAnimationActive={false}
              />
            ))}
          </ComposedChart>
        </ResponsiveContainer>
      </div>
      <div className="flex flex-wrap items-start gap-x-4 text-xs text-muted">
        <LineKey name="p50" colour={colour} dash="4 3" width={rank === 50 ? 2.25 : 1} />
        <LineKey name="p95" colour={colour} width={rank === 95 ? 2.25 : 1} />
        <LineKey name="p99" colour="var(--fg-muted)" width={rank === 99 ? 2.25 : 1} />
        {table}
      </div>
    </>
  );
}

/** The running stretch is drawn by lines of its own, which begin where the others end. */
function rowsOf(points: readonly BandPoint[]): Row[] {
  return points.map((point, i) => {
    const { p50, p95, p99, unfinished } = point;
    const dotted = unfinished || points[i + 1]?.unfinished === true;
    return {
      ...point,
      p50: unfinished ? null : p50,
      p95: unfinished ? null : p95,
      p99: unfinished ? null : p99,
      band: !unfinished && p50 !== null && p95 !== null ? [p50, p95] : null,
      open50: dotted ? p50 : null,
      open95: dotted ? p95 : null,
      open99: dotted ? p99 : null,
    };
  });
}

interface LonePointProps {
  cx?: number;
  cy?: number;
  index?: number;
  rows: readonly Row[];
  field: "p50" | "p95" | "p99";
  colour: string;
}

/** A point without neighbours would not be seen: no line goes through it. */
function LonePoint({ cx, cy, index = 0, rows, field, colour }: LonePointProps) {
  const isKnown = (i: number) => (rows[i]?.[field] ?? null) !== null;
  if (cx === undefined || cy === undefined || !isKnown(index) || isKnown(index - 1) || isKnown(index + 1)) return null;
  return <circle cx={cx} cy={cy} r={field === "p95" ? 2.5 : 1.5} fill={field === "p99" ? "var(--fg-muted)" : colour} />;
}

function LineKey({ name, colour, dash, width }: { name: string; colour: string; dash?: string; width: number }) {
  return (
    <span className="inline-flex min-h-6 items-center gap-1.5">
      <svg aria-hidden="true" width="20" height="8">
        <path d="M0 4h20" style={{ stroke: colour }} strokeWidth={width} strokeDasharray={dash} />
      </svg>
      {name}
    </span>
  );
}

function BandTooltip({ active, payload }: TooltipContentProps) {
  const row = payload?.[0]?.payload as Row | undefined;
  if (!active || !row) return null;
  const [p50, p95, p99] = [row.p50 ?? row.open50, row.p95 ?? row.open95, row.p99 ?? row.open99];
  return (
    <div className="rounded-md border border-control bg-bg px-3 py-2 shadow-lg">
      <p className="text-xs text-muted">
        {row.from} – {row.to}
        {row.unfinished && ", not over yet"}
      </p>
      <p>
        p50 {formatDuration(p50)} · p95 <span className="font-semibold">{formatDuration(p95)}</span> · p99{" "}
        {formatDuration(p99)}
      </p>
      <p className="text-xs text-muted">{plural(row.n, "call")}</p>
    </div>
  );
}
