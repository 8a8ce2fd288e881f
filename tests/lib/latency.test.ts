import { expect, it } from "vitest";
import { edgeMs, formatBand, LATENCY_METRICS, nearestEdge, parseBand } from "#lib/latency.ts";

it("every edge is written so that it is read back as itself", () => {
  for (let edge = -39; edge < 119; edge++) {
    expect(nearestEdge(edgeMs(edge))).toBe(edge);
    for (const metric of LATENCY_METRICS)
      for (const band of [
        { metric, from: edge, to: edge + 1 },
        { metric, from: null, to: edge },
        { metric, from: edge, to: null },
      ])
        expect(parseBand(formatBand(band))).toEqual(band);
  }
});

it("edges are quarters of a doubling, four to each: 64, 76, 91, 108, 128 ms", () => {
  expect([24, 25, 26, 27, 28].map((edge) => Math.round(edgeMs(edge)))).toEqual([64, 76, 91, 108, 128]);
  expect(formatBand({ metric: "duration", from: 40, to: 44 })).toBe("duration:1024..2048");
  expect(formatBand({ metric: "own", from: -16, to: null })).toBe("own:0.0625..");
});

it("what lies between edges means the nearest, and what lies outside all of them the last", () => {
  expect(parseBand("duration:1000..2000")).toEqual({ metric: "duration", from: 40, to: 44 });
  expect(parseBand("duration:0..9999999999")).toEqual({ metric: "duration", from: -39, to: 119 });
  expect(parseBand("duration:..")).toEqual({ metric: "duration", from: null, to: null });
});

it("what is no band is refused", () => {
  for (const text of [
    "",
    "duration",
    "duration:",
    "duration:5",
    "mood:1..2",
    "duration:2..1",
    "duration:1e9..",
    "own:1..1.01",
  ])
    expect(parseBand(text)).toBeNull();
});
