import { expect, it } from "vitest";
import { slowestFirst } from "#app/(home)/slowest.ts";
import type { Strip } from "#db/queries/latency-page.ts";
import { LATENCY_METRICS, type LatencyMetric } from "#lib/latency.ts";

const strip = (
  modality: Strip["modality"],
  p95: Partial<Record<LatencyMetric, [n: number, ms: number | null]>>,
): Strip => ({
  modality,
  calls: 500,
  callsFailed: 0,
  callsTimed: 400,
  clientMs: 0,
  ownMs: 0,
  upstreamMs: 0,
  tokensPerSecond: null,
  percentiles: Object.fromEntries(
    LATENCY_METRICS.map((metric) => {
      const [n, p95Ms] = p95[metric] ?? [0, null];
      return [metric, { n, p95Ms, p50Ms: null, p99Ms: null }];
    }),
  ) as Strip["percentiles"],
});

it("the slowest modality comes first, each by what it is judged by; what cannot be told comes last", () => {
  expect(
    slowestFirst([
      strip("text", { first_token: [300, 900], duration: [400, 90_000] }),
      strip("audio", { first_audio: [99, null], duration: [400, 5000] }),
      strip("image", { duration: [400, 12_000], first_token: [400, 1] }),
      strip("", { duration: [400, 99_000] }),
    ]),
  ).toEqual([
    { modality: "image", metric: "duration", n: 400, p95Ms: 12_000 },
    { modality: "text", metric: "first_token", n: 300, p95Ms: 900 },
    { modality: "audio", metric: "first_audio", n: 99, p95Ms: null },
  ]);
});

it("a modality without a timed call is not there", () => {
  expect(slowestFirst([strip("text", {})])).toEqual([]);
});
