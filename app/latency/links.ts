import { hrefOf } from "#app/_frame/view.ts";
import { formatBand, type LatencyBand, nearestEdge } from "#lib/latency.ts";
import type { Modality } from "#lib/modalities.ts";
import type { Interval } from "#lib/range.ts";
import type { LatencyView } from "./latency-view.ts";
import type { Selection } from "./selection.ts";

/** The calls of a band in a stretch of time, on their own page. No filter is lost on the way. */
export function bandHref(
  view: LatencyView,
  modality: Modality | "",
  band: LatencyBand,
  { fromMs, toMs }: Interval,
): string {
  return hrefOf("/calls", view, {
    range: { kind: "between", from: { at: fromMs }, to: { at: toMs } },
    filter: { ...view.filter, modality: [modality], latency: [formatBand(band)] },
  });
}

/** The calls of a rectangle whose bounds are edges of the heatmap. */
export function selectionHref(
  view: LatencyView,
  modality: Modality,
  metric: LatencyBand["metric"],
  selection: Selection,
): string {
  const edge = (ms: number | null) => (ms === null ? null : nearestEdge(ms));
  const band = { metric, from: edge(selection.lowMs), to: edge(selection.highMs) };
  return bandHref(view, modality, band, selection);
}
