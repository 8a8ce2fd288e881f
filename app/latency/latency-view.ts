import { hrefOf, type Params, type View } from "#app/_frame/view.ts";
import { LATENCY_METRICS, type LatencyMetric } from "#lib/latency.ts";
import { MODALITIES } from "#lib/modalities.ts";
import { formatSelection, parseSelection, type Selection } from "./selection.ts";

export const LATENCY_PATH = "/latency";
export const RANKS = [50, 95, 99] as const;
export type Rank = (typeof RANKS)[number];
const DEFAULT_RANK: Rank = 95;
const DAY_MS = 86_400_000;

/** What the address says besides the view that all pages share. */
interface Own {
  /** One metric for all modalities; null: to each its own. */
  metric: LatencyMetric | null;
  /** The percentile that stands out. */
  rank: Rank;
  selection: Selection | null;
}

export interface LatencyView extends View, Own {}

/** The page's view out of the shared one and the page's own parameters. */
export function toLatencyView(view: View, params: Params): LatencyView {
  const one = (name: string) => {
    const value = params[name];
    return Array.isArray(value) ? value[0] : value;
  };
  const complaints = [...view.complaints];
  const read = <T>(name: string, parse: (text: string) => T | null, sorry: (text: string) => string): T | null => {
    const text = one(name);
    const value = text === undefined || text === "" ? null : parse(text);
    if (text && value === null) complaints.push(sorry(text));
    return value;
  };
  const metric = read(
    "m",
    (text) => LATENCY_METRICS.find((known) => known === text) ?? null,
    (text) => `There is no metric “${text}”; each modality has its own.`,
  );
  const rank = read(
    "p",
    (text) => RANKS.find((known) => String(known) === text) ?? null,
    (text) => `The percentile “${text}” is not told, only 50, 95 and 99; this is 95.`,
  );
  const selection = read(
    "sel",
    (text) => parseSelection(text, view.zone, MODALITY_NAMES),
    (text) => `The selection “${text}” is not understood: two moments and two numbers of milliseconds are.`,
  );
  const own = { metric, rank: rank ?? DEFAULT_RANK, selection };
  return { ...view, ...own, complaints, own: ownOf(own) };
}

type Changes = NonNullable<Parameters<typeof hrefOf>[2]> & Partial<Own>;

/** The page's address with some parts changed. */
export function latencyHref(view: LatencyView, changes: Changes = {}): string {
  const { metric = view.metric, rank = view.rank, selection = view.selection, ...shared } = changes;
  return hrefOf(LATENCY_PATH, { ...view, own: ownOf({ metric, rank, selection }) }, shared);
}

/** The same hours a week before; of a range that is not over, as much of it as has passed. */
export const weekBefore = ({ interval, nowMs }: View): View["interval"] => ({
  fromMs: interval.fromMs - 7 * DAY_MS,
  toMs: Math.max(Math.min(interval.toMs, nowMs), interval.fromMs + 1) - 7 * DAY_MS,
});

const MODALITY_NAMES = MODALITIES.map(({ name }) => name);

function ownOf({ metric, rank, selection }: Own): NonNullable<View["own"]> {
  const params: Record<string, string> = {};
  if (metric) params.m = metric;
  if (rank !== DEFAULT_RANK) params.p = String(rank);
  if (selection) params.sel = formatSelection(selection);
  return { path: LATENCY_PATH, params };
}
