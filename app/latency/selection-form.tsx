import { msToWall } from "#lib/range.ts";
import { type LatencyView, latencyHref } from "./latency-view.ts";
import type { Pace } from "./read.ts";
import { boundText, type Grid, type Rectangle, selectionOf } from "./selection.ts";

interface Props {
  pace: Pace;
  view: LatencyView;
  grid: Grid;
  rectangle: Rectangle | null;
}

/** Four fields for those who do not drag. A plain form: works before any script has loaded. */
export function SelectionForm({ pace, view, grid, rectangle }: Props) {
  const { modality, metric } = pace;
  const last = grid.edges.length - 2;
  const all: Rectangle = { columns: [0, last], rows: [0, grid.rowEdgesMs.length - 2] };
  const { fromMs, toMs, lowMs, highMs } = selectionOf(grid, rectangle ?? all, modality);
  const wall = (ms: number) => new Date(msToWall(ms, view.zone)).toISOString().slice(0, 19);
  const query = latencyHref({ ...view, selection: null }).split("?")[1] ?? "";
  const field = "grid gap-0.5 text-xs text-muted";
  return (
    <details className="ml-14 text-xs text-muted">
      <summary className="inline-flex items-center underline underline-offset-2">Select by numbers</summary>
      <form
        // New fields for a new selection.
        key={`${fromMs} ${toMs} ${lowMs} ${highMs}`}
        action="/latency/select"
        className="mt-1 mb-2 flex flex-wrap items-end gap-3"
        data-testid={`select-${modality}`}
      >
        <input type="hidden" name="view" value={query} />
        <input type="hidden" name="of" value={modality} />
        <label className={field}>
          From, {view.zone}
          <input className="control" type="datetime-local" step="1" name="from" defaultValue={wall(fromMs)} required />
        </label>
        <label className={field}>
          To
          <input className="control" type="datetime-local" step="1" name="to" defaultValue={wall(toMs)} required />
        </label>
        <label className={field}>
          {metric === "own" ? "Omnimeter's own from, ms" : "Took from, ms"}
          <input className="control w-28" inputMode="decimal" name="min" defaultValue={boundText(lowMs)} />
        </label>
        <label className={field}>
          To below, ms
          <input className="control w-28" inputMode="decimal" name="max" defaultValue={boundText(highMs)} />
        </label>
        <button type="submit" className="control">
          Select
        </button>
        <span className="basis-full">
          The edges of the cells nearest to these are taken. An empty field is no bound.
        </span>
      </form>
    </details>
  );
}
