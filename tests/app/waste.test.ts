import { expect, it } from "vitest";
import { wasteTotal } from "#app/spend/waste-total.ts";
import { wasteSentence } from "#app/spend/waste-words.ts";
import type { WasteSums } from "#db/queries/waste.ts";
import { OTHER } from "#db/rollup-limit.ts";

const sums = (over: Partial<WasteSums> = {}): WasteSums => ({
  calls: 1,
  callsWithoutUsage: 0,
  callsUnpriced: 0,
  costUsd: "0.1",
  costEstimatedUsd: "0",
  ...over,
});

it("the waste is the sum of its parts", () => {
  const parts = {
    aborted: sums({ calls: 3, costUsd: "0.2", costEstimatedUsd: "0.2", callsUnpriced: 1 }),
    retried: sums({ calls: 5, callsWithoutUsage: 4, costUsd: "0.000000000001" }),
    superseded: sums(),
  };
  expect(wasteTotal(parts)).toEqual({
    calls: 9,
    callsWithoutUsage: 4,
    callsUnpriced: 1,
    callsOfUnknownCost: 5,
    costUsd: "0.300000000001",
    costEstimatedUsd: "0.2",
    unknown: [],
  });
});

it("the waste is at least its known parts, and unknown without any", () => {
  const some = wasteTotal({ aborted: "counting", retried: sums(), superseded: "many" });
  expect(some).toMatchObject({
    costUsd: "0.1",
    unknown: [
      { part: "aborted", why: "counting" },
      { part: "superseded", why: "many" },
    ],
  });
  const none = wasteTotal({ aborted: "counting", retried: "counting", superseded: "dropped" });
  expect(none).toMatchObject({ calls: 0, costUsd: null });
});

it("a sentence names who wastes most, on what, and what to look at", () => {
  const dearest = { part: "aborted", outcome: "client_aborted", feature: "search", costUsd: "12.3" } as const;
  expect(wasteSentence(dearest)).toBe(
    "Most of one kind: $12.30 by search, on calls that clients left before the end. See how long they waited: is a timeout shorter than the answer takes, or do people give up?",
  );
  expect(wasteSentence({ ...dearest, feature: "" })).toContain("by calls without a feature,");
  expect(wasteSentence({ ...dearest, feature: OTHER })).toContain("by features beyond the limit,");
});
