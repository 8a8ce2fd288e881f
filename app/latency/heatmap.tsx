import { heatColour } from "#app/_charts/latency-heat-colours.ts";
import { formatCount, formatDuration, plural } from "#app/_ui/format.ts";
import { Link } from "#app/_ui/link.tsx";
import { formatMoment, formatOffset } from "#app/_ui/time.ts";
import { MODALITIES } from "#lib/modalities.ts";
import { columnName } from "./cuts.ts";
import { heatPaths, legendOf, linePath, PLOT, type Plot, plotOf, xOf, yOf } from "./heat-geometry.ts";
import { HeatmapPick } from "./heatmap-pick.tsx";
import { type LatencyView, latencyHref } from "./latency-view.ts";
import { METRICS } from "./metrics.ts";
import type { Pace } from "./read.ts";
import { type Grid, snapped } from "./selection.ts";
import { SelectionForm } from "./selection-form.tsx";
import { SelectionPanel } from "./selection-panel.tsx";
import { latencyTicks, timeTicks } from "./ticks.ts";

interface Props {
  pace: Pace;
  view: LatencyView;
  /** The address's selection is of this heatmap. */
  isSelected: boolean;
}

/** How many calls took how long, when: columns of time, rows of a quarter of a doubling, colour by the square root of the count. */
export function Heatmap({ pace, view, isSelected }: Props) {
  const { modality, metric, heatmap, cells: buckets } = pace;
  const grid: Grid = { edges: buckets.edges, rowEdgesMs: [...heatmap.rowEdgesMs, heatmap.topMs] };
  const plot = plotOf(grid, heatmap.cells);
  const rectangle = isSelected && view.selection ? snapped(grid, view.selection) : null;
  const label = MODALITIES.find((one) => one.name === modality)?.label ?? modality;
  const title = `${label}: ${METRICS[metric].short}, log scale; calls per ${columnName(view, buckets)}`;
  return (
    <figure className="min-w-0" data-testid={`heatmap-${modality}`}>
      <figcaption className="flex flex-wrap items-baseline gap-x-3">
        <span className="font-semibold">{title}</span>
        <Legend pace={pace} />
      </figcaption>
      <div className="relative mt-1 pb-5 pl-14">
        <DurationAxis plot={plot} />
        <HeatmapPick
          name={`${label}, ${METRICS[metric].short}`}
          plot={plot}
          cells={heatmap.cells.flatMap(({ column, row, n }) => [column, row, n])}
          chosen={rectangle}
          modality={modality}
          zone={view.zone}
          hrefTemplate={latencyHref({ ...view, selection: null }, {})}
        >
          <Drawing pace={pace} plot={plot} label={`${title}. ${summary(pace, view)}`} />
        </HeatmapPick>
        <TimeAxis plot={plot} view={view} />
      </div>
      <Beyond pace={pace} />
      {rectangle && <SelectionPanel {...{ pace, view, grid, rectangle }} />}
      {isSelected && !rectangle && (
        <p className="pl-14 text-xs text-muted">
          The selection lies outside of this range.{" "}
          <Link className="text-link" href={latencyHref(view, { selection: null })}>
            Clear
          </Link>
        </p>
      )}
      <SelectionForm {...{ pace, view, grid, rectangle }} />
    </figure>
  );
}

function Drawing({ pace, plot, label }: { pace: Pace; plot: Plot; label: string }) {
  const { modality, heatmap, points, columns } = pace;
  const of = (rank: "p50Ms" | "p95Ms") => {
    const known = new Map(points.map(({ column, percentiles }) => [column, percentiles[rank]]));
    return columns.edges
      .slice(0, -1)
      .map((fromMs, i) => ({ fromMs, toMs: columns.edges[i + 1] as number, ms: known.get(i) ?? null }));
  };
  return (
    <svg
      role="img"
      aria-label={label}
      viewBox={`0 0 ${PLOT.width} ${PLOT.height}`}
      preserveAspectRatio="none"
      className="measure block h-80 w-full border border-rule"
      shapeRendering="crispEdges"
    >
      {latencyTicks(...bounds(plot)).map(({ at }) => (
        <line key={at} x1="0" x2={PLOT.width} y1={yOf(plot, at)} y2={yOf(plot, at)} className="stroke-rule" />
      ))}
      {heatPaths(plot, heatmap.cells).map(({ step, path }) => (
        <path key={step} d={path} style={{ fill: heatColour(modality, step) }} />
      ))}
      {(["p50Ms", "p95Ms"] as const).map((rank) => (
        <g key={rank} fill="none" vectorEffect="non-scaling-stroke" shapeRendering="auto" strokeLinejoin="round">
          <path d={linePath(plot, of(rank))} stroke="var(--bg)" strokeWidth="4" vectorEffect="non-scaling-stroke" />
          <path
            d={linePath(plot, of(rank))}
            stroke="var(--fg)"
            strokeWidth="1.5"
            strokeDasharray={rank === "p50Ms" ? "4 3" : undefined}
            vectorEffect="non-scaling-stroke"
          />
        </g>
      ))}
    </svg>
  );
}

const bounds = ({ rowEdgesMs, rows }: Plot): [number, number] => [
  rowEdgesMs[rows[0]] as number,
  rowEdgesMs[rows[1] + 1] as number,
];

function DurationAxis({ plot }: { plot: Plot }) {
  return (
    <div aria-hidden="true" className="absolute top-0 left-0 h-80 w-12 text-right text-xs text-muted">
      {latencyTicks(...bounds(plot)).map(({ at, label }) => (
        <span
          key={at}
          className="absolute right-0 -translate-y-1/2 whitespace-nowrap"
          style={{ top: `${(yOf(plot, at) / PLOT.height) * 100}%` }}
        >
          {label}
        </span>
      ))}
    </div>
  );
}

function TimeAxis({ plot, view }: { plot: Plot; view: LatencyView }) {
  return (
    <div aria-hidden="true" className="absolute right-0 bottom-0 left-14 h-4 text-xs text-muted">
      {timeTicks(view).map(({ at, label }, i) => (
        <span
          key={at}
          // On a narrow screen every other label would touch its neighbour.
          className={`absolute -translate-x-1/2 whitespace-nowrap ${i % 2 ? "max-sm:hidden" : ""}`}
          style={{ left: `${(xOf(plot, at) / PLOT.width) * 100}%` }}
        >
          {label}
        </span>
      ))}
    </div>
  );
}

function Legend({ pace: { modality, heatmap } }: { pace: Pace }) {
  const most = Math.max(0, ...heatmap.cells.map(({ n }) => n));
  return (
    <span className="inline-flex flex-wrap items-center gap-x-3 gap-y-1 text-xs text-muted">
      <span className="inline-flex items-center gap-1">
        calls in a cell:
        {legendOf(most).map(({ step, low, high }) => (
          <span key={step} className="inline-flex items-center gap-1">
            <span
              className="measure inline-block size-3 border border-rule"
              style={{ background: heatColour(modality, step) }}
            />
            {low === high ? formatCount(low) : `${formatCount(low)}–${formatCount(high)}`}
          </span>
        ))}
      </span>
      <span className="inline-flex items-center gap-1">
        <svg aria-hidden="true" width="20" height="8">
          <path d="M0 4h20" stroke="var(--fg)" strokeWidth="1.5" strokeDasharray="4 3" />
        </svg>
        p50
      </span>
      <span className="inline-flex items-center gap-1">
        <svg aria-hidden="true" width="20" height="8">
          <path d="M0 4h20" stroke="var(--fg)" strokeWidth="1.5" />
        </svg>
        p95
      </span>
    </span>
  );
}

/** What the scale does not reach, which its outer rows hold. */
function Beyond({ pace: { heatmap } }: { pace: Pace }) {
  const { below, above, rowEdgesMs, topMs } = heatmap;
  if (below === 0 && above === 0) return null;
  const parts = [
    below > 0 && `${plural(below, "call")} below ${formatDuration(rowEdgesMs[0] ?? 0)} in the lowest row`,
    above > 0 && `${plural(above, "call")} above ${formatDuration(topMs)} in the highest`,
  ].filter(Boolean);
  return <p className="pl-14 text-xs text-muted">With {parts.join(", ")}.</p>;
}

/** "1,204 calls; most, 31, took 841 ms – 1.00 s from 20 Nov 14:05:00 UTC." */
function summary({ heatmap, cells: { edges } }: Pace, { zone }: LatencyView): string {
  const n = heatmap.cells.reduce((sum, cell) => sum + cell.n, 0);
  const top = heatmap.cells.reduce((most, cell) => (cell.n > most.n ? cell : most), { n: 0, row: 0, column: 0 });
  if (n === 0) return "No calls with this time.";
  const [low, high] = [heatmap.rowEdgesMs[top.row] ?? 0, heatmap.rowEdgesMs[top.row + 1] ?? heatmap.topMs];
  const at = edges[top.column] ?? 0;
  return `${plural(n, "call")}; most in one cell, ${formatCount(top.n)}, took ${formatDuration(low)} – ${formatDuration(high)} from ${formatMoment(at, zone)} ${formatOffset(at, zone)}.`;
}
