/** Mean times per call, in milliseconds: the three sum to the mean duration. */
export interface Parts {
  clientMs: number;
  ownMs: number;
  upstreamMs: number;
}

export type Who = "client" | "own" | "upstream";

/** Whose time a slow stretch takes more of than usual, and how much of all that there is more of. */
export interface Whose {
  who: Who;
  /** 0 to 1, of the parts that grew. */
  share: number;
}

/** Whose share of what grew is largest; null: nothing grew. */
export function whoseExcess(during: Parts, usual: Parts): Whose | null {
  const grown: [Who, number][] = [
    ["own", during.ownMs - usual.ownMs],
    ["upstream", during.upstreamMs - usual.upstreamMs],
    ["client", during.clientMs - usual.clientMs],
  ];
  return largest(grown);
}

/** Calls of one kind in a slow stretch, and what such calls take otherwise; null: too few of them otherwise. */
export interface RouteExcess {
  feature: string;
  model: string;
  callsTimed: number;
  during: Parts;
  usual: Parts | null;
}

export interface Where {
  feature: string;
  /** Named where one model has nearly all of it, and others were called. */
  model: string | null;
  /** 0 to 1, of the time that grew on any route. */
  share: number;
}

/** A feature that has less than this of the excess is not where it is. */
const FEATURE_SHARE_MIN = 0.5;
const MODEL_SHARE_MIN = 0.8;

/**
 * The feature that has most of the excess. Routes that are new are held against what is usual for all calls (`usualMs`).
 * null: it is spread over several.
 */
export function whereExcess(routes: readonly RouteExcess[], usualMs: number): Where | null {
  const excess = ({ callsTimed, during, usual }: RouteExcess) =>
    callsTimed * Math.max(0, totalMs(during) - (usual ? totalMs(usual) : usualMs));
  const byFeature = largest(summed(routes, ({ feature }) => feature, excess));
  if (!byFeature || byFeature.share < FEATURE_SHARE_MIN) return null;
  const byModel = largest(
    summed(
      routes.filter(({ feature }) => feature === byFeature.who),
      ({ model }) => model,
      excess,
    ),
  );
  const models = new Set(routes.map(({ model }) => model));
  const one = byModel && byModel.share >= MODEL_SHARE_MIN && models.size > 1 ? byModel.who : null;
  return { feature: byFeature.who, model: one, share: byFeature.share };
}

export const totalMs = ({ clientMs, ownMs, upstreamMs }: Parts): number => clientMs + ownMs + upstreamMs;

/** Means over several columns, each weighing as much as it has calls. null: no calls. */
export function meanParts(columns: readonly { callsTimed: number; parts: Parts | null }[]): Parts | null {
  let n = 0;
  const sum: Parts = { clientMs: 0, ownMs: 0, upstreamMs: 0 };
  for (const { callsTimed, parts } of columns) {
    if (!parts) continue;
    n += callsTimed;
    sum.clientMs += parts.clientMs * callsTimed;
    sum.ownMs += parts.ownMs * callsTimed;
    sum.upstreamMs += parts.upstreamMs * callsTimed;
  }
  return n > 0 ? { clientMs: sum.clientMs / n, ownMs: sum.ownMs / n, upstreamMs: sum.upstreamMs / n } : null;
}

function summed<T>(rows: readonly T[], keyOf: (row: T) => string, amountOf: (row: T) => number): [string, number][] {
  return [...Map.groupBy(rows, keyOf)].map(([key, some]) => [key, some.reduce((sum, row) => sum + amountOf(row), 0)]);
}

function largest<K extends string>(grown: readonly (readonly [K, number])[]): { who: K; share: number } | null {
  const positive = grown.filter(([, value]) => value > 0);
  const all = positive.reduce((sum, [, value]) => sum + value, 0);
  const [first, ...rest] = positive;
  if (!first) return null;
  const [who, value] = rest.reduce((most, one) => (one[1] > most[1] ? one : most), first);
  return { who, share: value / all };
}
