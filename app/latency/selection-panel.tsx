import { plural } from "#app/_ui/format.ts";
import { Link } from "#app/_ui/link.tsx";
import { type LatencyView, latencyHref } from "./latency-view.ts";
import { selectionHref } from "./links.ts";
import { METRICS } from "./metrics.ts";
import type { Pace } from "./read.ts";
import { countIn, type Grid, type Rectangle, selectionOf } from "./selection.ts";
import { boundsText } from "./selection-text.ts";

interface Props {
  pace: Pace;
  view: LatencyView;
  grid: Grid;
  rectangle: Rectangle;
}

/** What is selected: how many calls, and the way to exactly these. */
export function SelectionPanel({ pace, view, grid, rectangle }: Props) {
  const selection = selectionOf(grid, rectangle, pace.modality);
  const count = countIn(pace.heatmap.cells, rectangle);
  return (
    <div className="mt-2 ml-14 rounded-md border border-rule bg-surface px-3 py-2" data-testid="selection">
      <p className="flex flex-wrap items-center gap-x-4 gap-y-1">
        <span>
          <span className="font-semibold">{plural(count, "call")}</span>: {METRICS[pace.metric].short}{" "}
          {boundsText(selection, view.zone)}
        </span>
        {count > 0 && (
          <Link
            className="text-link inline-flex min-h-6 items-center"
            href={selectionHref(view, pace.modality, pace.metric, selection)}
          >
            Show these calls
          </Link>
        )}
        <Link
          className="text-link inline-flex min-h-6 items-center"
          href={latencyHref(view, { selection: null })}
          scroll={false}
        >
          Clear
        </Link>
      </p>
    </div>
  );
}
