import type { LatencyDimension } from "#db/rollup-latency.ts";
import type { Modality } from "#lib/modalities.ts";
import type { Interval } from "#lib/range.ts";
import type { Reader, Scope } from "./call-filter.ts";
import { type LatencyGroup, latencyGroups } from "./latency-groups.ts";
import { type Histogram, keyText } from "./latency-histograms.ts";
import { binMiddleMs, type Percentiles, percentilesOf } from "./latency-percentiles.ts";
import { type Counts, countsOf, ENOUGH, type Means, meansOf, type Speed, speedOf } from "./latency-sums.ts";

export interface Route extends RouteKey, Counts, Means, Speed {
  /** Of the duration. */
  percentiles: Percentiles;
  firstToken: Percentiles;
  /** The same route in the baseline; null: fewer than 20 timed calls there, or no baseline. */
  before: (Means & { callsTimed: number; p50Ms: number | null; p95Ms: number | null }) | null;
  /**
   * By how much calls took longer than the baseline's median, summed: Σ max(0, duration − p50 before). Durations and the median are
   * right to 1 %, so it is right to about 2 % of the time that its slow calls took. null: no "before".
   */
  excessSeconds: number | null;
}

interface RouteKey {
  /** '' = none given; '(other)' = those beyond the limit of values, which no filter finds. */
  feature: string;
  model: string;
  endpoint: string;
  modality: Modality | "";
}

/** What routes are told apart by. */
export const ROUTE: readonly LatencyDimension[] = ["feature", "model", "endpoint", "modality"];
/** Timed calls of a route from which on it has a "before". */
const ENOUGH_BEFORE = ENOUGH.p50;

/** Feature × model × endpoint × modality: most excess seconds first, then by p95. */
export async function routesOf(sql: Reader, scope: Scope, baseline: Interval | null, limit: number): Promise<Route[]> {
  const read = (interval: Interval) =>
    latencyGroups(sql, { ...scope, interval }, { edges: null, by: ROUTE }, ["duration", "first_token"]);
  const [now, before] = await Promise.all([read(scope.interval), baseline ? read(baseline) : null]);
  return routesIn(now, before, limit);
}

/** The same, of groups by route over all of the range, and over the baseline. */
export function routesIn(now: readonly LatencyGroup[], before: readonly LatencyGroup[] | null, limit: number): Route[] {
  const usual = new Map(
    before?.filter(({ callsTimed }) => callsTimed >= ENOUGH_BEFORE).map((group) => [keyText(group, ROUTE), group]),
  );
  const routes = now.map((group): Route => {
    const then = usual.get(keyText(group, ROUTE));
    const { feature = "", model = "", endpoint = "", modality = "" } = group;
    return {
      feature,
      model,
      endpoint,
      // As `call_modality` in the migrations gives it.
      modality: modality as Modality | "",
      ...countsOf(group),
      ...meansOf(group),
      ...speedOf(group),
      percentiles: percentilesOf(group.histograms.duration, ENOUGH),
      firstToken: percentilesOf(group.histograms.first_token, ENOUGH),
      before: then ? beforeOf(then) : null,
      excessSeconds: then ? excessOver(group.histograms.duration, then) : null,
    };
  });
  return routes.sort(worstFirst).slice(0, limit);
}

/** Seconds above the usual median. Added up in the bins' order, so that the same calls always give the same figure. */
function excessOver(durations: Histogram | undefined, { histograms }: LatencyGroup): number {
  const medianMs = percentilesOf(histograms.duration, ENOUGH).p50Ms ?? 0;
  const bins = [...(durations ?? [])].sort(([a], [b]) => a - b);
  return bins.reduce((sum, [bin, n]) => sum + n * Math.max(0, binMiddleMs(bin) - medianMs), 0) / 1000;
}

function beforeOf(group: LatencyGroup): NonNullable<Route["before"]> {
  const { p50Ms, p95Ms } = percentilesOf(group.histograms.duration, ENOUGH);
  return { callsTimed: group.callsTimed, ...meansOf(group), p50Ms, p95Ms };
}

const keyOf = ({ feature, model, endpoint, modality }: RouteKey): string =>
  JSON.stringify([feature, model, endpoint, modality]);

const worstFirst = (a: Route, b: Route): number =>
  (b.excessSeconds ?? -1) - (a.excessSeconds ?? -1) ||
  (b.percentiles.p95Ms ?? -1) - (a.percentiles.p95Ms ?? -1) ||
  b.calls - a.calls ||
  (keyOf(a) < keyOf(b) ? -1 : 1);
