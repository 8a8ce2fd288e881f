import type { Column, Strip } from "#db/queries/latency-page.ts";
import type { Route } from "#db/queries/latency-routes.ts";
import type { LatencyMetric } from "#lib/latency.ts";
import type { Modality } from "#lib/modalities.ts";
import type { Interval } from "#lib/range.ts";
import { type Episode, findEpisode, OWN, type Paced, WAITING, type Watched } from "./episode.ts";
import { meanParts, type Parts, totalMs, type Where, type Whose, whereExcess, whoseExcess } from "./excess.ts";

/** Timed calls a week before from which on they say what is usual. */
export const USUAL_CALLS_MIN = 100;

/** One metric of one modality over the range. */
export interface Series {
  modality: Modality | "";
  metric: LatencyMetric;
  columns: readonly Column[];
  /** The same hours a week before; null: no calls then. */
  before: Strip | null;
}

/** A slow stretch that is still to be explained: its calls have to be read first. */
export interface Suspect {
  series: Series;
  episode: Episode;
  /** From which p95 on a column is slow. */
  limitMs: number;
  usualMs: number;
  usualFrom: "week" | "range";
  /** Whose time calls take as a rule; null: not known. */
  usualParts: Parts | null;
  /** What routes are held against. */
  baseline: Interval;
}

/** What a modality's columns say: a stretch was slow, nothing was, or there are too few calls to tell. */
export type Watch =
  | { state: "slow"; suspect: Suspect }
  | { state: "quiet"; lowMs: number; highMs: number }
  | { state: "too few" };

/** A slow stretch, explained. */
export interface Finding extends Suspect {
  /** Over the whole stretch; where it has too few calls for that, its worst column's. */
  p95Ms: number;
  calls: number;
  whose: Whose | null;
  where: Where | null;
}

/** Looks for the latest slow stretch of a series. `edges` are those of its columns. */
export function watch(series: Series, edges: readonly number[], week: Interval): Watch {
  const columns = paced(series.columns, edges);
  const usualBefore = usualOf(series);
  const watched = findEpisode(columns, series.metric === "own" ? OWN : WAITING, usualBefore);
  if (!watched) return { state: "too few" };
  if (!watched.episode) return quiet(columns);
  return { state: "slow", suspect: suspectOf(series, edges, week, watched, watched.episode, usualBefore !== null) };
}

/** What the calls of a slow stretch say about it. `during` is its strip, `routes` its routes held against the suspect's baseline. */
export function explain(suspect: Suspect, during: Strip, routes: readonly Route[]): Finding {
  const { series, episode, usualParts } = suspect;
  const worst = series.columns
    .filter(({ column }) => column >= episode.first && column <= episode.last)
    .map(({ percentiles }) => percentiles.p95Ms ?? 0);
  const parts = partsOf(during);
  return {
    ...suspect,
    p95Ms: during.percentiles[series.metric].p95Ms ?? Math.max(...worst),
    calls: during.callsTimed,
    whose: parts && usualParts && whoseExcess(parts, usualParts),
    where:
      usualParts &&
      whereExcess(
        routes.flatMap((route) => {
          const routeParts = partsOf(route);
          return routeParts ? [{ ...route, during: routeParts, usual: route.before && partsOf(route.before) }] : [];
        }),
        totalMs(usualParts),
      ),
  };
}

export const overlap = (a: Interval, b: Interval): boolean => a.fromMs < b.toMs && b.fromMs < a.toMs;

function usualOf({ before, metric }: Series): number | null {
  if (!before || before.callsTimed < USUAL_CALLS_MIN) return null;
  return before.percentiles[metric].p95Ms;
}

/** One entry per column, those without calls included: only neighbours in time are neighbours. */
export function paced(columns: readonly Column[], edges: readonly number[]): Paced[] {
  const found = new Map(columns.map(({ column, percentiles }) => [column, percentiles.p95Ms]));
  return edges.slice(0, -1).map((fromMs, i) => ({ fromMs, toMs: edges[i + 1] as number, p95Ms: found.get(i) ?? null }));
}

function suspectOf(
  series: Series,
  edges: readonly number[],
  week: Interval,
  { usualMs, limitMs }: Watched,
  episode: Episode,
  fromWeek: boolean,
): Suspect {
  const outside = series.columns.filter(
    ({ column, percentiles }) =>
      (column < episode.first || column > episode.last) && (percentiles.p95Ms === null || percentiles.p95Ms < limitMs),
  );
  const around = meanParts(outside.map((one) => ({ callsTimed: one.callsTimed, parts: partsOf(one) })));
  return {
    series,
    episode,
    limitMs,
    usualMs,
    usualFrom: fromWeek ? "week" : "range",
    usualParts: fromWeek && series.before ? partsOf(series.before) : around,
    baseline: fromWeek ? week : longerSide(edges, episode),
  };
}

/** The part of the range before the stretch, or the one after it. */
function longerSide(edges: readonly number[], { fromMs, toMs }: Episode): Interval {
  const [start, end] = [edges[0] as number, edges.at(-1) as number];
  return fromMs - start >= end - toMs ? { fromMs: start, toMs: fromMs } : { fromMs: toMs, toMs: end };
}

function quiet(columns: readonly Paced[]): Watch {
  const known = columns.flatMap(({ p95Ms }) => p95Ms ?? []);
  return { state: "quiet", lowMs: Math.min(...known), highMs: Math.max(...known) };
}

type Means = { clientMs: number | null; ownMs: number | null; upstreamMs: number | null };

const partsOf = ({ clientMs, ownMs, upstreamMs }: Means): Parts | null =>
  clientMs === null || ownMs === null || upstreamMs === null ? null : { clientMs, ownMs, upstreamMs };
