import { describe, expect, it } from "vitest";
import { compare, tokensPerSecondOf } from "#app/calls/[id]/comparison.ts";
import { comparisonSentence } from "#app/calls/[id]/comparison-sentence.ts";
import { usualInWords, usualOf } from "#app/calls/[id]/usual.ts";
import { COMPARABLE_LIMITS, type Timed } from "#db/queries/comparable-calls.ts";

/** A stream of 900 ms: sent at 1, first byte at 300, first token at 310, tokens until 890. */
const usual: Timed = {
  streamed: true,
  requestEndMs: 0.5,
  sentMs: 1,
  connectMs: null,
  firstByteMs: 300,
  firstTokenMs: 310,
  firstTextMs: 310,
  firstAudioMs: null,
  lastTokenMs: 890,
  responseEndMs: 899,
  durationMs: 900,
  longestGapMs: 40,
  stalls: 0,
  contentChunks: 50,
  requestBytes: 1000,
  usageSource: "reported",
  outputTokens: 59,
};
/** The same, with everything from the first byte on this much later. */
const later = (call: Timed, ms: number): Timed => ({
  ...call,
  firstByteMs: 300 + ms,
  firstTokenMs: 310 + ms,
  lastTokenMs: 890 + ms,
  responseEndMs: 899 + ms,
  durationMs: 900 + ms,
});
const times = (n: number, call = usual) => Array.from({ length: n }, () => call);
const sentence = (call: Timed & { outcome?: string }, others: Timed[] | null) =>
  comparisonSentence({ outcome: "completed", ...call }, compare(call, others && { by: "template", calls: others }));

describe("what is usual", () => {
  it("is a value that occurred, by nearest rank", () => {
    const oneTo = (n: number) => Array.from({ length: n }, (_, i) => n - i);
    expect(usualOf(oneTo(100))).toEqual({ n: 100, p50: 50, tail: 95 });
    expect(usualOf(oneTo(101))).toEqual({ n: 101, p50: 51, tail: 96 });
    expect(usualOf(oneTo(100), 0.05)).toEqual({ n: 100, p50: 50, tail: 5 });
    // Sorted as numbers, not as text.
    expect(usualOf([9, 100, ...oneTo(20).map((i) => i + 1000)]).p50).toBe(1009);
  });
  it("is not said of too few", () => {
    expect(usualOf(Array(19).fill(5))).toEqual({ n: 19, p50: null, tail: null });
    expect(usualOf(Array(99).fill(5))).toEqual({ n: 99, p50: 5, tail: null });
    expect(usualOf([...Array(19).fill(5), null, null])).toMatchObject({ n: 19, p50: null });
  });
  it("is written with its number, and nothing is rounded to none", () => {
    expect(usualInWords({ n: 812, p50: 420, tail: 1100 })).toBe("usually 420 ms, p95 1.10 s, n 812");
    expect(usualInWords({ n: 40, p50: 420, tail: null })).toBe("usually 420 ms, n 40");
    expect(usualInWords({ n: 1812, p50: 0, tail: 31 })).toBe("usually none, p95 31 ms, n 1,812");
    expect(usualInWords({ n: 7, p50: null, tail: null })).toBe("only 7 comparable");
    expect(usualInWords({ n: 0, p50: null, tail: null })).toBe("no comparable call");
  });
});

describe("a call beside comparable ones", () => {
  it("has each stage's own quantiles, and counts a pooled connection as none", () => {
    const others = [...times(90), ...times(10, { ...usual, connectMs: 0.25 })];
    const { stages, n, newConnections, durationMs } = compare(usual, { by: "feature", calls: others });
    const of = (name: string) => stages.find((stage) => stage.name === name)?.usual;
    expect(n).toBe(100);
    expect(newConnections).toBe(10);
    expect(durationMs).toEqual({ n: 100, p50: 900, tail: 900 });
    expect(of("Connect")).toEqual({ n: 100, p50: 0, tail: 0.25 });
    expect(of("Generation")).toEqual({ n: 100, p50: 580, tail: 580 });
    expect(of("To first byte")).toEqual({ n: 100, p50: 299, tail: 299 });
  });
  it("says when there may be more than were taken", () => {
    expect(compare(usual, { by: "feature", calls: times(COMPARABLE_LIMITS.taken) }).isNewest).toBe(true);
    expect(compare(usual, { by: "feature", calls: times(COMPARABLE_LIMITS.taken - 1) }).isNewest).toBe(false);
  });
  it("has a token speed only where the provider counted, and time passed", () => {
    // 58 tokens after the first, in 580 ms.
    expect(tokensPerSecondOf(usual)).toBe(100);
    for (const changes of [
      { streamed: false },
      { usageSource: "estimated" },
      { outputTokens: 1 },
      { outputTokens: null },
      { lastTokenMs: 310 },
      { lastTokenMs: null },
    ])
      expect(tokensPerSecondOf({ ...usual, ...changes })).toBeNull();
  });
});

describe("the comparison in a sentence", () => {
  it("names the stage that differs most", () => {
    expect(sentence(later(usual, 1500), times(812))).toBe(
      "Slower than usual: 2.40 s against 900 ms (p50 of 812 comparable calls); 1.50 s of it upstream before the first byte.",
    );
    const queued = { ...later(usual, 700), sentMs: 701 };
    expect(sentence(queued, times(25))).toBe(
      "Slower than usual: 1.60 s against 900 ms (p50 of 25 comparable calls); 700 ms of it in Omnimeter's own queue.",
    );
  });
  it("does not say that more than all of it was in one stage", () => {
    const call = {
      ...usual,
      firstByteMs: 1000,
      firstTokenMs: 1010,
      lastTokenMs: 1400,
      responseEndMs: 1499,
      durationMs: 1500,
    };
    expect(sentence(call, times(30))).toMatch(/; 700 ms more upstream before the first byte\.$/);
  });
  it("takes little for nothing", () => {
    const as = (ms: number) => sentence(later(usual, ms), times(30)).split(":")[0];
    expect(as(0)).toBe("As usual");
    expect(as(449)).toBe("As usual as a whole");
    expect(as(450)).toBe("Slower than usual");
    expect(as(-299)).toBe("As usual");
    expect(as(-300)).toBe("Faster than usual");
    // Twice as long, but no tenth of a second more.
    const quick = { ...usual, durationMs: 80 };
    expect(sentence({ ...usual, durationMs: 160 }, times(30, quick))).toMatch(/^As usual: 160 ms against 80 ms/);
  });
  it("names a slow stage even where another made up for it", () => {
    const call = {
      ...usual,
      firstByteMs: 500,
      firstTokenMs: 510,
      lastTokenMs: 790,
      responseEndMs: 799,
      durationMs: 800,
    };
    expect(sentence(call, times(30))).toBe(
      "As usual as a whole: 800 ms against 900 ms (p50 of 30 comparable calls), but 200 ms more upstream before the first byte.",
    );
    const faster = { ...call, lastTokenMs: 515, responseEndMs: 519, durationMs: 520 };
    expect(sentence(faster, times(30))).toMatch(/^Faster than usual as a whole: .*, but 200 ms more upstream before/);
  });
  it("does not compare the length of a call that did not complete", () => {
    const aborted = {
      ...later(usual, 1500),
      outcome: "client_aborted",
      lastTokenMs: 1900,
      responseEndMs: null,
      durationMs: 2000,
    };
    expect(sentence(aborted, times(30))).toBe(
      "Comparable calls that completed took 900 ms (p50, n 30); this one took 1.50 s more upstream before the first byte.",
    );
    expect(sentence({ ...usual, outcome: "failed", durationMs: 20 }, times(30))).toBe(
      "Comparable calls that completed took 900 ms (p50, n 30).",
    );
  });
  it("says what is missing", () => {
    expect(sentence(usual, null)).toMatch(/^Nothing to compare with: the call has no template/);
    expect(sentence(usual, [])).toMatch(/^Nothing to compare with: there were no comparable calls/);
    expect(sentence(usual, times(1))).toBe(
      "Only 1 comparable call in the seven days before: too few to say what is usual.",
    );
    expect(sentence(usual, times(19))).toMatch(/^Only 19 comparable calls/);
  });
});
