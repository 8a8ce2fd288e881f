"use client";

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
import { formatDuration, plural } from "#app/_ui/format.ts";
import { CHART_LOOKS } from "./chart-looks.ts";

/** Mean times of one stretch, in milliseconds. */
export interface PartsBar {
  slot: number;
  from: string;
  to: string;
  client: number;
  own: number;
  upstream: number;
  n: number;
  /** The stretch is not over: its numbers will change. */
  unfinished: boolean;
}

interface Props {
  bars: readonly PartsBar[];
  ticks: readonly { slot: number; label: string }[];
  /** The chart in a sentence. */
  label: string;
}

/** As on a call's page: whose time is which colour. */
const PARTS = [
  { key: "upstream", name: "upstream", fill: "var(--text)" },
  { key: "own", name: "Omnimeter", fill: "var(--warn)" },
  { key: "client", name: "client", fill: "var(--bar)" },
] as const;

/** Where the mean call's time went, stacked, over time. Ours stands between the upstream's and the client's. */
export function LatencyParts({ bars, ticks, label }: Props) {
  const names = new Map(ticks.map((tick) => [tick.slot, tick.label]));
  return (
    <>
      {/* The height is there before the script is, and what the script will make narrower is cut: nothing jumps. */}
      <div role="img" aria-label={label} className="mt-1 h-32 w-full overflow-x-clip">
        <ResponsiveContainer width="100%" height="100%" initialDimension={{ width: 600, height: 128 }}>
          <BarChart
            data={[...bars]}
            margin={{ top: 4, right: 4, bottom: 0, left: 0 }}
            barCategoryGap={bars.length > 60 ? 0 : 1}
            accessibilityLayer={false}
          >
            <CartesianGrid vertical={false} stroke="var(--rule)" />
            <XAxis
              dataKey="slot"
              ticks={ticks.map(({ slot }) => slot)}
              interval="preserveStart"
              minTickGap={8}
              tickFormatter={(slot: number) => names.get(slot) ?? ""}
              {...CHART_LOOKS.timeAxis}
            />
            <YAxis width={52} tickCount={4} tickFormatter={axisDuration} {...CHART_LOOKS.valueAxis} />
            <Tooltip
              content={PartsTooltip}
              cursor={{ fill: "var(--rule)", fillOpacity: 0.5 }}
              {...CHART_LOOKS.tooltip}
            />
            {PARTS.map(({ key, fill }) => (
              <Bar key={key} dataKey={key} stackId="parts" fill={fill} isAnimationActive={false} />
            ))}
          </BarChart>
        </ResponsiveContainer>
      </div>
      <div className="flex flex-wrap gap-x-4 text-xs text-muted">
        {PARTS.map(({ key, name, fill }) => (
          <span key={key} className="inline-flex min-h-6 items-center gap-1.5">
            <span className="measure size-2.5" style={{ background: fill }} /> {name}
          </span>
        ))}
      </div>
    </>
  );
}

const axisDuration = (ms: number): string => (ms >= 1000 ? `${Number((ms / 1000).toPrecision(3))} s` : `${ms} ms`);

function PartsTooltip({ active, payload }: TooltipContentProps) {
  const bar = payload?.[0]?.payload as PartsBar | undefined;
  if (!active || !bar) return null;
  return (
    <div className="rounded-md border border-control bg-bg px-3 py-2 shadow-lg">
      <p className="text-xs text-muted">
        {bar.from} – {bar.to}
        {bar.unfinished && ", not over yet"}
      </p>
      {PARTS.map(({ key, name }) => (
        <p key={key}>
          {name} <span className="font-semibold">{formatDuration(bar[key])}</span>
        </p>
      ))}
      <p className="text-xs text-muted">mean of {plural(bar.n, "call")}</p>
    </div>
  );
}
