import { headlineOf } from "#app/latency/metrics.ts";
import type { Strip } from "#db/queries/latency-page.ts";
import type { LatencyMetric } from "#lib/latency.ts";
import type { Modality } from "#lib/modalities.ts";

/** How long one modality takes, by what it is judged by on the latency page. */
export interface Slowness {
  modality: Modality;
  metric: LatencyMetric;
  n: number;
  /** null: too few calls to say. */
  p95Ms: number | null;
}

/** Modalities with timed calls: slowest first, then those that cannot be told. */
export const slowestFirst = (strips: readonly Strip[]): Slowness[] =>
  strips
    .flatMap((strip): Slowness[] => {
      const metric = headlineOf(strip);
      const { n, p95Ms } = strip.percentiles[metric];
      return strip.modality === "" || n === 0 ? [] : [{ modality: strip.modality, metric, n, p95Ms }];
    })
    .sort((a, b) => (b.p95Ms ?? -1) - (a.p95Ms ?? -1));
