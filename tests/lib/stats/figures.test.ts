import { describe, expect, it } from "vitest";
import { quantileDifference } from "#lib/stats/quantile-difference.ts";
import { quantileRanks } from "#lib/stats/quantile-ranks.ts";
import { welch } from "#lib/stats/welch.ts";
import { seeded } from "#tests/support/split.ts";

describe("the ranks of a quantile", () => {
  it.each([
    // Tables of distribution-free intervals for the median.
    [20, 0.5, { low: 6, at: 10, high: 15 }],
    [100, 0.5, { low: 40, at: 50, high: 61 }],
    [100, 0.95, { low: 90, at: 95, high: 100 }],
  ])("of %i values at %f", (n, p, ranks) => expect(quantileRanks(n, p)).toEqual(ranks));
  it("do not exist where there are too few values", () => {
    expect(quantileRanks(0, 0.5)).toBeNull();
    expect(quantileRanks(5, 0.5)).toBeNull();
    expect(quantileRanks(6, 0.5)).toEqual({ low: 1, at: 3, high: 6 });
    // 0.95 ^ 71 is still above 2.5 %.
    expect(quantileRanks(71, 0.95)).toBeNull();
    expect(quantileRanks(73, 0.95)?.high).toBe(73);
  });
  it("are known for many values too", () => {
    // About 9500 ± 1.96 · √475; exactly: 9543 or more lie below with a probability of 0.0244, 9542 with 0.0272.
    expect(quantileRanks(10_000, 0.95)).toEqual({ low: 9457, at: 9500, high: 9543 });
  });
  it("bound the true quantile about 95 times in 100, whatever the distribution", () => {
    const random = seeded(4);
    const ranks = quantileRanks(200, 0.9);
    let held = 0;
    for (let i = 0; i < 2000; i++) {
      const values = Array.from({ length: 200 }, () => -Math.log(1 - random())).sort((a, b) => a - b);
      const truth = Math.log(10);
      if (ranks && (values[ranks.low - 1] ?? 0) <= truth && truth <= (values[ranks.high - 1] ?? 0)) held++;
    }
    expect(held / 2000).toBeGreaterThan(0.94);
    expect(held / 2000).toBeLessThan(0.98);
  });
});

it("a difference of quantiles has the ends that its sides can make", () => {
  // Down: 30 below the later one and 40 above the earlier one are 50 apart; up: 80 and 60 are 100.
  const found = quantileDifference({ value: 500, low: 440, high: 540 }, { value: 620, low: 590, high: 700 });
  expect(found).toEqual({ difference: 120, low: 70, high: 220 });
});

describe("a difference of means", () => {
  it("has Welch's interval", () => {
    // Standard error √(4/16 + 9/36) = 0.70711; freedom 0.25 / (0.0625/15 + 0.0625/35) = 42; t = 2.01808.
    const found = welch({ mean: 10, variance: 4, n: 16 }, { mean: 12, variance: 9, n: 36 });
    expect(found?.difference).toBe(2);
    expect(found?.low).toBeCloseTo(2 - 1.427, 3);
    expect(found?.high).toBeCloseTo(2 + 1.427, 3);
  });
  it("uses Student's t for few values", () => {
    // One side does not vary: freedom 9, t = 2.26216.
    const found = welch({ mean: 0, variance: 10, n: 10 }, { mean: 0, variance: 0, n: 50 });
    expect(found?.high).toBeCloseTo(2.262, 3);
  });
  it("is exact where nothing varies, and unknown from fewer than ten", () => {
    const still = { mean: 1, variance: 0, n: 20 };
    expect(welch(still, { ...still, mean: 3 })).toEqual({ difference: 2, low: 2, high: 2 });
    expect(welch({ ...still, n: 9 }, still)).toBeNull();
    expect(welch(still, { ...still, n: 9 })).toBeNull();
  });
});
