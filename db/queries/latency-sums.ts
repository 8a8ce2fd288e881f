import type { LatencySums } from "./latency-groups.ts";
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

export const countsOf = ({ calls, callsFailed, callsTimed }: LatencySums): Counts => ({
  calls,
  callsFailed,
  callsTimed,
});

export const meansOf = ({ callsTimed, clientUs, ownUs, upstreamUs }: LatencySums): Means => {
  const meanMs = (us: number) => (callsTimed > 0 ? us / 1000 / callsTimed : null);
  return { clientMs: meanMs(clientUs), ownMs: meanMs(ownUs), upstreamMs: meanMs(upstreamUs) };
};

export const speedOf = ({ paceTokens, paceUs }: LatencySums): Speed => ({
  tokensPerSecond: paceUs > 0 ? (paceTokens * 1e6) / paceUs : null,
});
