/** What can be timed of a call. Add a metric: one row here, and its expression in db/rollup-latency.ts. */
export const LATENCY_METRICS = ["first_byte", "first_token", "first_audio", "duration", "own"] as const;
export type LatencyMetric = (typeof LATENCY_METRICS)[number];

/** A stretch of one metric between two edges; null: open. Edges are numbers of quarter doublings: edge k stands at 2^(k/4) ms. */
export interface LatencyBand {
  metric: LatencyMetric;
  from: number | null;
  to: number | null;
}

/** Beyond these nothing is told apart: 0.001 ms and 11 days. */
const EDGE_MIN = -39;
const EDGE_MAX = 119;

export const edgeMs = (edge: number): number => 2 ** (edge / 4);
export const nearestEdge = (ms: number): number =>
  Math.min(EDGE_MAX, Math.max(EDGE_MIN, Math.round(4 * Math.log2(ms))));

/** As a filter holds it: `duration:1024..2048`, in milliseconds, either end may be left out. Rounded for reading; the nearest edge is meant. */
export function formatBand({ metric, from, to }: LatencyBand): string {
  const text = (edge: number | null) => (edge === null ? "" : roundedMs(edgeMs(edge)));
  return `${metric}:${text(from)}..${text(to)}`;
}

/** null: no band, or one that holds nothing. */
export function parseBand(text: string): LatencyBand | null {
  const parts = /^([a-z_]+):(\d{1,10}(?:\.\d{1,6})?)?\.\.(\d{1,10}(?:\.\d{1,6})?)?$/.exec(text);
  const metric = LATENCY_METRICS.find((one) => one === parts?.[1]);
  if (!parts || !metric) return null;
  const [from = null, to = null] = [parts[2], parts[3]].map((ms) =>
    ms === undefined ? null : nearestEdge(Number(ms)),
  );
  return from !== null && to !== null && from >= to ? null : { metric, from, to };
}

/** Four digits tell quarter doublings apart; whole milliseconds where they are more. */
const roundedMs = (ms: number): string => String(ms >= 1000 ? Math.round(ms) : Number(ms.toPrecision(4)));
