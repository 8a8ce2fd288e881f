import { describe, expect, it } from "vitest";
import { readView } from "#app/_frame/view.ts";
import { formatBounds, formatPointBounds, formatPoints, formatRate, signed } from "#app/_ui/format-rate.ts";
import { verdictSentence } from "#app/quality/changes.tsx";
import { judgeChanges } from "#app/quality/judge-changes.ts";
import { qualityHref, readGrouping, withDefaults } from "#app/quality/query.ts";
import type { CallsOnSide, Change } from "#db/queries/quality-changes.ts";

describe("rates", () => {
  it.each([
    [0.84, "84.0 %"],
    [0, "0.0 %"],
    [1, "100.0 %"],
    [0.0001, "< 0.1 %"],
    [0.99999, "> 99.9 %"],
    [null, "—"],
  ])("%j is written %s", (share, text) => expect(formatRate(share)).toBe(text));
  it("come with their bounds, differences with their sign", () => {
    expect(formatBounds({ low: 0.7149, high: 0.9166 })).toBe("[71.5–91.7]");
    expect(formatPoints(-0.06)).toBe("−6.0 pp");
    expect(formatPoints(0.1)).toBe("+10.0 pp");
    // What is written as nothing has no sign.
    expect(formatPoints(-0.0001)).toBe("0.0 pp");
    expect(formatPointBounds({ low: -0.0935, high: 0.0264 })).toBe("[−9.3, +2.6]");
    expect(signed(-1500, (ms) => `${ms / 1000} s`)).toBe("−1.5 s");
  });
});

describe("the page's address", () => {
  const view = (params: Record<string, string>) =>
    readView(withDefaults(params), "UTC", Date.parse("2026-11-20T10:00Z"));
  it("names the range always: this page's default is not the others'", () => {
    expect(view({}).range).toMatchObject({ text: "30d" });
    expect(qualityHref(view({}), "feature")).toBe("/quality?r=30d");
    expect(qualityHref(view({ r: "24h" }), "feature")).toBe("/quality?r=1d");
    expect(qualityHref(view({ r: "24h", f: "feature:a;customer:b" }), "snapshot")).toBe(
      "/quality?r=1d&f=feature:a;customer:b&g=snapshot",
    );
  });
  it("knows its groups, and falls back to features", () => {
    expect(readGrouping({ g: "version" })).toBe("version");
    expect(readGrouping({ g: "nonsense" })).toBe("feature");
    expect(readGrouping({})).toBe("feature");
  });
});

describe("a judged change", () => {
  const change: Change = {
    kind: "template_version",
    subject: "support_reply",
    value: "13",
    valueBefore: "12",
    firstCallId: "x",
    atMs: 0,
    beforeFromMs: -1,
    afterToMs: 1,
  };
  const side = (values: Partial<CallsOnSide> = {}): CallsOnSide => ({
    calls: 0,
    pricedCalls: 0,
    costMean: null,
    costVariance: null,
    durationsMs: [],
    ...values,
  });
  const nothing = { before: side(), after: side() };
  const upTo = (n: number) => Array.from({ length: n }, (_, i) => i + 1);

  it("compares ratings, cost and durations of both sides", () => {
    const [judged] = judgeChanges(
      [change],
      [
        { change: 1, side: "before", up: 850, down: 150 },
        { change: 1, side: "after", up: 790, down: 210 },
      ],
      [
        {
          before: side({ calls: 18, pricedCalls: 16, costMean: "10", costVariance: "4", durationsMs: upTo(100) }),
          after: side({ calls: 37, pricedCalls: 36, costMean: "12", costVariance: "9", durationsMs: upTo(20) }),
        },
      ],
    );
    expect(judged?.verdict.word).toBe("regressed");
    expect(judged?.ratings.before).toEqual({ successes: 850, n: 1000 });
    expect(judged?.calls).toEqual({ before: 18, after: 37 });
    expect(judged?.cost).toMatchObject({ before: "10", after: "12", unpriced: 3 });
    expect(judged?.cost.difference?.low).toBeCloseTo(0.573, 3);
    // The 50th of 100, the 10th of 20: 40 less. Bounds: the 40th and 61st, the 6th and 15th.
    expect(judged?.p50Ms).toMatchObject({ before: 50, after: 10, difference: { difference: -40 } });
    expect(judged?.p50Ms.difference?.low).toBeCloseTo(-40 - Math.hypot(4, 11), 9);
    expect(judged?.p50Ms.difference?.high).toBeCloseTo(-40 + Math.hypot(5, 10), 9);
    // Twenty values are no 95th percentile.
    expect(judged?.p95Ms).toEqual({ before: 95, after: null, difference: null });
  });
  it("without ratings and calls says nothing rather than zero", () => {
    const [judged] = judgeChanges([change], [], [nothing]);
    expect(judged?.verdict).toMatchObject({ word: "not enough data", difference: null });
    expect(judged?.cost).toEqual({ before: null, after: null, difference: null, unpriced: 0 });
    expect(judged?.p50Ms).toEqual({ before: null, after: null, difference: null });
  });
  it("is counted in a sentence, the worst first", () => {
    const ratings = [
      { change: 2, side: "before" as const, up: 850, down: 150 },
      { change: 2, side: "after" as const, up: 790, down: 210 },
    ];
    expect(verdictSentence(judgeChanges([change, change, change], ratings, [nothing, nothing, nothing]))).toBe(
      "1 regressed, 2 not enough data.",
    );
    expect(verdictSentence([])).toMatch(/^No template version/);
  });
});
