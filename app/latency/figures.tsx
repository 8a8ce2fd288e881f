import { formatCount, formatDuration } from "#app/_ui/format.ts";
import { signed } from "#app/_ui/format-rate.ts";
import type { Percentiles } from "#db/queries/latency-percentiles.ts";
import type { Rank } from "./latency-view.ts";

export const rankMs = (percentiles: Pick<Percentiles, "p50Ms" | "p95Ms" | "p99Ms">, rank: Rank): number | null =>
  percentiles[`p${rank}Ms`];

/** A percentile, or how many calls there are where these are too few for it. */
export function PercentileFigure({ percentiles, rank }: { percentiles: Percentiles; rank: Rank }) {
  const ms = rankMs(percentiles, rank);
  if (ms !== null || percentiles.n === 0) return formatDuration(ms);
  return (
    <span className="text-sm font-normal text-muted" title="Too few calls for this percentile">
      n = {formatCount(percentiles.n)}
    </span>
  );
}

/** "+310 ms (+36 %)" */
export function changeText(nowMs: number, beforeMs: number): string {
  const percent = ((nowMs - beforeMs) / beforeMs) * 100;
  return `${signed(nowMs - beforeMs, formatDuration)} (${signed(percent, (size) => `${Math.round(size)} %`)})`;
}

/** How a figure moved: slower is marked when it is by more than the bins could feign. */
export function Change({ nowMs, beforeMs }: { nowMs: number; beforeMs: number }) {
  const apart = Math.abs(nowMs - beforeMs) > beforeMs * NOISE;
  return (
    <span className={apart ? (nowMs > beforeMs ? "text-bad" : "text-good") : "text-muted"}>
      {apart && <span aria-hidden="true">{nowMs > beforeMs ? "▲ " : "▼ "}</span>}
      {changeText(nowMs, beforeMs)}
    </span>
  );
}

/** A tenth: below it, percentiles of two ordinary days differ too. */
const NOISE = 0.1;

/** 41.7 → "41.7 tokens/s" */
export const speedText = (tokensPerSecond: number | null): string =>
  tokensPerSecond === null ? "—" : `${tokensPerSecond.toFixed(tokensPerSecond < 100 ? 1 : 0)} tokens/s`;
