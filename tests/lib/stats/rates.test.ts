import { describe, expect, it } from "vitest";
import { survivors } from "#lib/stats/benjamini-hochberg.ts";
import { newcombe } from "#lib/stats/newcombe.ts";
import { ratingsNeeded } from "#lib/stats/ratings-needed.ts";
import { twoSharePValue } from "#lib/stats/two-share-test.ts";
import { verdicts } from "#lib/stats/verdict.ts";
import { wilson } from "#lib/stats/wilson.ts";
import { seeded } from "#tests/support/split.ts";

const percent = (share: number, digits = 1) => Number((share * 100).toFixed(digits));
const of = (successes: number, n: number) => ({ successes, n });

describe("a rate", () => {
  it.each([
    [42, 50, 84, 71.5, 91.7],
    [10, 10, 100, 72.2, 100],
    [0, 12, 0, 0, 24.2],
    [0, 1, 0, 0, 79.3],
    [1, 1, 100, 20.7, 100],
    [850, 1000, 85, 82.7, 87.1],
  ])("%i of %i is %f % [%f, %f]", (successes, n, rate, low, high) => {
    const found = wilson(successes, n);
    expect(found && [found.rate, found.low, found.high].map((share) => percent(share))).toEqual([rate, low, high]);
  });
  it("of nothing is unknown", () => expect(wilson(0, 0)).toBeNull());
  it("lies within its bounds, and they within 0 and 1", () => {
    const random = seeded(1);
    for (let i = 0; i < 2000; i++) {
      const n = 1 + Math.floor(random() * 400);
      const found = wilson(Math.floor(random() * (n + 1)), n);
      expect(found && 0 <= found.low && found.low <= found.rate && found.rate <= found.high && found.high <= 1).toBe(
        true,
      );
    }
  });
  it("has an interval that holds the truth about 95 times in 100", () => {
    const random = seeded(2);
    let held = 0;
    for (let i = 0; i < 4000; i++) {
      let successes = 0;
      for (let k = 0; k < 60; k++) if (random() < 0.83) successes++;
      const found = wilson(successes, 60);
      if (found && found.low <= 0.83 && 0.83 <= found.high) held++;
    }
    expect(held / 4000).toBeGreaterThan(0.93);
    expect(held / 4000).toBeLessThan(0.975);
  });
});

describe("a difference of rates", () => {
  it.each([
    [of(850, 1000), of(790, 1000), -6, -9.35, -2.64],
    [of(45, 50), of(40, 50), -10, -24.2, 4.3],
  ])("from %j to %j is %f points [%f, %f]", (before, after, difference, low, high) => {
    const found = newcombe(before, after);
    const digits = before.n === 1000 ? 2 : 1;
    expect(found && [found.difference, found.low, found.high].map((share) => percent(share, digits))).toEqual([
      difference,
      low,
      high,
    ]);
  });
  it("needs two sides", () => {
    expect(newcombe(of(0, 0), of(1, 2))).toBeNull();
    expect(newcombe(of(1, 2), of(0, 0))).toBeNull();
  });
  it("turns its sign with its sides", () => {
    const there = newcombe(of(45, 50), of(40, 50));
    const back = newcombe(of(40, 50), of(45, 50));
    expect(there?.low).toBeCloseTo(-(back?.high ?? 0), 12);
    expect(there?.difference).toBeCloseTo(-(back?.difference ?? 0), 12);
  });
});

it("the test of two shares gives the p value of its z", () => {
  // Pooled 0.82, z = 0.06 / √(0.82 · 0.18 · 2/1000) = 3.4922.
  expect(twoSharePValue(of(850, 1000), of(790, 1000))).toBeCloseTo(0.000479, 6);
  expect(twoSharePValue(of(5, 10), of(50, 100))).toBeCloseTo(1, 6);
  expect(twoSharePValue(of(10, 10), of(20, 20))).toBe(1);
  expect(twoSharePValue(of(0, 0), of(20, 20))).toBe(1);
});

describe("of several findings", () => {
  it("those stand whose p value is small for their number", () => {
    // q·k/m = 0.02, 0.04, 0.06, 0.08, 0.10: the fourth is the last that fits, and takes the third along.
    expect(survivors([0.5, 0.001, 0.03, 0.079, 0.065], 0.1)).toEqual([false, true, true, true, true]);
    expect(survivors([0.09], 0.1)).toEqual([true]);
    expect(survivors([0.09, 0.5], 0.1)).toEqual([false, false]);
    expect(survivors([], 0.1)).toEqual([]);
  });
});

it("the ratings that a change needs are those of the textbook formula", () => {
  expect(ratingsNeeded(0.85, 0.05)).toBe(906);
  expect(ratingsNeeded(0.9, 0.05)).toBe(686);
  // 3 % cannot drop by five points: the same change upwards.
  expect(ratingsNeeded(0.03, 0.05)).toBe(ratingsNeeded(0.08, 0.05));
});

describe("a verdict", () => {
  const one = (before: [number, number], after: [number, number]) =>
    verdicts([{ before: of(...before), after: of(...after) }])[0];

  it.each([
    [[850, 1000], [790, 1000], "regressed"],
    [[790, 1000], [850, 1000], "improved"],
    [[45, 50], [40, 50], "not enough data"],
    // Significant, but fewer than a hundred ratings on a side.
    [[95, 99], [60, 99], "not enough data"],
    // Significant, but less than two points.
    [[90_000, 100_000], [89_000, 100_000], "no clear change"],
    [[90_000, 100_000], [90_100, 100_000], "no clear change"],
    [[0, 0], [10, 12], "not enough data"],
  ] as [[number, number], [number, number], string][])("from %j to %j is: %s", (before, after, word) =>
    expect(one(before, after)?.word).toBe(word),
  );
  it("says what it would take", () => {
    expect(one([85, 100], [83, 100])?.needs).toBe("needs ≈ 906 ratings per side to see a 5-point drop from 85 %");
    expect(one([850, 1000], [835, 1000])?.needs).toMatch(/^needs ≈ 5,\d{3} ratings per side to see a 2-point drop/);
    expect(one([8500, 10_000], [8300, 10_000])?.word).toBe("regressed");
    expect(one([8500, 10_000], [8310, 10_000])?.needs).toBe("lies too near 2 points to call");
    expect(one([0, 0], [0, 0])?.needs).toBe("needs ratings");
    expect(one([1, 40], [2, 40])?.needs).toMatch(/5-point rise from 3 %$/);
    expect(one([850, 1000], [790, 1000])?.needs).toBeNull();
  });
  it("that stands alone can fall among many", () => {
    // z = 2.2: p = 0.028 passes 0.10 alone, and not as one of ten.
    const alone = { before: of(850, 1000), after: of(813, 1000) };
    const quiet = { before: of(800, 1000), after: of(800, 1000) };
    expect(verdicts([alone])[0]?.word).toBe("regressed");
    expect(verdicts([alone, ...Array.from({ length: 9 }, () => quiet)])[0]?.word).toBe("not enough data");
  });
  it("finds few changes where there are none", () => {
    const random = seeded(3);
    const sample = () => of(Array.from({ length: 400 }, random).filter((x) => x < 0.8).length, 400);
    let alarms = 0;
    for (let day = 0; day < 50; day++) {
      const rows = Array.from({ length: 20 }, () => ({ before: sample(), after: sample() }));
      if (verdicts(rows).some(({ word }) => word === "regressed" || word === "improved")) alarms++;
    }
    expect(alarms).toBeLessThan(12);
  });
});
