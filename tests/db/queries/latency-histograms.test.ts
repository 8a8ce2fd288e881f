import { describe, expect, it } from "vitest";
import { readHistograms } from "#db/queries/latency-histograms.ts";
import { percentilesOf } from "#db/queries/latency-percentiles.ts";

describe("histograms as Postgres writes them", () => {
  it.each([
    ["", []],
    ["({},{})", []],
    ["({5},{2})", [[5, 2]]],
    // Below a millisecond bins are negative.
    [
      '("{-359,-1,0}","{1,10,1076}")',
      [
        [-359, 1],
        [-1, 10],
        [0, 1076],
      ],
    ],
    // One after the other, empty ones between them: bins add up.
    [
      '("{7,8}","{1,2}")({},{})({8},{30})("{-1,7}","{4,5}")',
      [
        [7, 6],
        [8, 32],
        [-1, 4],
      ],
    ],
    // What was taken out again.
    ["({7},{3})({7},{-3})", [[7, 0]]],
  ])("%s", (text, expected) => {
    expect([...readHistograms(text)]).toEqual(expected);
  });
});

describe("percentiles", () => {
  const ANY = { p50: 1, p95: 1, p99: 1 };
  const middleMs = (bin: number) => 2 ** ((bin + 0.5) / 36);
  it("are by nearest rank, whatever order the bins stand in", () => {
    // 100 values: ranks 1 to 50 in bin 3, 51 to 95 in bin 40, 96 to 99 in bin 90, 100 in bin 200.
    const histogram = new Map([
      [200, 1],
      [40, 45],
      [3, 50],
      [90, 4],
    ]);
    expect(percentilesOf(histogram, ANY)).toEqual({
      n: 100,
      p50Ms: middleMs(3),
      p95Ms: middleMs(40),
      p99Ms: middleMs(90),
    });
    expect(percentilesOf(new Map([...histogram, [3, 49]]), ANY).p50Ms).toBe(middleMs(40));
  });
  it("are not told of too few calls, nor of none", () => {
    const few = percentilesOf(new Map([[3, 19]]), { p50: 20, p95: 1, p99: 1 });
    expect(few).toMatchObject({ n: 19, p50Ms: null, p95Ms: middleMs(3) });
    const none = { n: 0, p50Ms: null, p95Ms: null, p99Ms: null };
    expect(percentilesOf(undefined, ANY)).toEqual(none);
    expect(percentilesOf(new Map([[7, 0]]), ANY)).toEqual(none);
  });
});
