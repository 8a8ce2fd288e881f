import type { Reader } from "./call-filter.ts";
import type { EnoughCalls } from "./latency-percentiles.ts";

export interface Counts {
  calls: number;
  /** `ERRORS` of lib/call.ts. */
  callsFailed: number;
  /** Completed calls whose whole course was seen: those that percentiles and means are of. */
  callsTimed: number;
}

/** Whose time it was, in means over timed calls; null: none. The three sum to the mean duration. */
export interface Means {
  clientMs: number | null;
  ownMs: number | null;
  upstreamMs: number | null;
}

/** Output tokens after the first by the time from the first to the last, over all streamed calls that reported both. */
export interface Speed {
  tokensPerSecond: number | null;
}

/** From how many calls on a percentile is told. */
export const ENOUGH: EnoughCalls = { p50: 20, p95: 100, p99: 500 };

/** SQL: the columns of `Counts`, `Means` and, when asked for, `Speed`, over rows of a latency source. */
export const latencySums = (sql: Reader, { speed }: { speed: boolean }) =>
  sql.unsafe(`
    sum(calls)::bigint as calls, sum(calls_failed)::bigint as "callsFailed", sum(calls_timed)::bigint as "callsTimed",
    ${meanMs("client_us")} as "clientMs", ${meanMs("own_us")} as "ownMs", ${meanMs("upstream_us")} as "upstreamMs"
    ${speed ? `, (sum(pace_tokens) * 1e6 / nullif(sum(pace_us), 0))::float8 as "tokensPerSecond"` : ""}`);

const meanMs = (name: string) => `(sum(${name}) / 1000.0 / nullif(sum(calls_timed), 0))::float8`;
