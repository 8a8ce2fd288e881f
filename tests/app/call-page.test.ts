import { describe, expect, it } from "vitest";
import { createAxis, decades, ownOf, readAxisKind } from "#app/calls/[id]/axis.ts";
import { outcomeSentence } from "#app/calls/[id]/outcome-sentence.ts";
import { placeAttempts } from "#app/calls/[id]/place-attempts.ts";
import { problemSentence } from "#app/calls/[id]/problem-sentence.ts";
import { lastMoment, type Moments, stagesOf, whoseTime } from "#app/calls/[id]/stages.ts";
import { traceHref } from "#app/calls/[id]/trace-href.ts";
import type { AttemptRow } from "#db/queries/call-page.ts";
import { seeded } from "#tests/support/split.ts";

const nothing: Moments = {
  streamed: true,
  requestEndMs: null,
  sentMs: null,
  connectMs: null,
  firstByteMs: null,
  firstTokenMs: null,
  lastTokenMs: null,
  responseEndMs: null,
  durationMs: null,
};
/** Every length differs, so that none can stand for another. */
const streamed: Moments = {
  streamed: true,
  requestEndMs: 2,
  sentMs: 35,
  connectMs: 30,
  firstByteMs: 200,
  firstTokenMs: 220,
  lastTokenMs: 900,
  responseEndMs: 905,
  durationMs: 906,
};
const spans = (moments: Moments) =>
  Object.fromEntries(stagesOf(moments).map(({ name, span }) => [name, span && [span.fromMs, span.toMs]]));

describe("the stages of a call", () => {
  it("follow each other from the request to the last byte", () => {
    expect(spans(streamed)).toEqual({
      "Request upload": [0, 2],
      "Our queue": [2, 5],
      Connect: [5, 35],
      "To first byte": [35, 200],
      "To first token": [200, 220],
      Generation: [220, 900],
      Rest: [900, 905],
      Delivery: [905, 906],
    });
    expect(lastMoment(streamed)).toBe(906);
  });
  it("have no bar where an end was not seen, and say so", () => {
    const aborted = stagesOf({ ...streamed, connectMs: null, responseEndMs: null });
    expect(aborted.filter(({ span }) => !span).map(({ name, note, ms }) => `${name}: ${note}, ${ms}`)).toEqual([
      "Connect: no new connection was opened, 0",
      "Rest: the end of the answer was not seen, null",
      "Delivery: the end was not seen, null",
    ]);
    expect(stagesOf(nothing).every(({ span, note, ms }) => span === null && note !== null && ms === null)).toBe(true);
    expect(lastMoment(nothing)).toBe(0);
  });
  it("do without tokens where an answer is no stream, and miss them where it is one", () => {
    const without = { ...streamed, firstTokenMs: null, lastTokenMs: null };
    expect(spans({ ...without, streamed: false })).toMatchObject({ Answer: [200, 905], Delivery: [905, 906] });
    expect(spans(without)).toMatchObject({ "To first token": null, Generation: null, Rest: [200, 905] });
  });
  it("show an upload that goes on while the upstream works, but do not wait for it twice", () => {
    const large = { ...streamed, requestEndMs: 60, connectMs: null };
    expect(spans(large)).toMatchObject({
      "Request upload": [0, 60],
      "Our queue": [35, 35],
      "To first byte": [35, 200],
    });
    expect(stagesOf(large)[0]?.note).toMatch(/while the upstream/);
    // The connection was begun while the client was still sending: only the rest of its set-up was waited for.
    expect(spans({ ...streamed, requestEndMs: 20 })).toMatchObject({ "Our queue": [20, 20], Connect: [20, 35] });
  });
});

describe("whose time a call took", () => {
  it("sums to its duration", () => {
    expect(whoseTime(streamed)).toEqual({ client: 2, omnimeter: 3 + 1, upstream: 30 + 870 });
    expect(whoseTime({ ...streamed, requestEndMs: 60 })).toEqual({ client: 35, omnimeter: 1, upstream: 870 });
    expect(whoseTime({ ...streamed, requestEndMs: null })).toEqual({ client: 0, omnimeter: 5 + 1, upstream: 30 + 870 });
  });
  it("is the sum of its stages", () => {
    const random = seeded(7);
    for (let i = 0; i < 300; i++) {
      const [requestEndMs, sentMs, firstByteMs, firstTokenMs, lastTokenMs, responseEndMs, durationMs] = ascending(
        random,
        7,
      );
      const connectMs = random() < 0.5 ? null : random() * 100;
      const moments = {
        streamed: true,
        requestEndMs,
        sentMs,
        connectMs,
        firstByteMs,
        firstTokenMs,
        lastTokenMs,
        responseEndMs,
        durationMs,
      } as Moments;
      const time = whoseTime(moments);
      const stages = stagesOf(moments);
      for (const whose of ["client", "omnimeter", "upstream"] as const)
        expect(stages.filter((stage) => stage.whose === whose).reduce((sum, { ms }) => sum + (ms ?? 0), 0)).toBeCloseTo(
          time?.[whose] ?? -1,
          6,
        );
    }
  });
  it("is not known without its ends", () => {
    expect(whoseTime({ ...streamed, sentMs: null })).toBeNull();
    expect(whoseTime({ ...streamed, durationMs: null })).toBeNull();
  });
});

const ascending = (random: () => number, n: number) =>
  Array.from({ length: n }, () => random() * 1000).sort((a, b) => a - b);

describe("the scale", () => {
  it("is linear in moments, or logarithmic in lengths from a floor", () => {
    const linear = createAxis("linear", 200);
    expect([0, 50, 200, 500].map(linear.at)).toEqual([0, 25, 100, 100]);
    const log = createAxis("log", 1000);
    expect([0, 0.1, 1, 10, 1000, 9000].map((ms) => Math.round(log.at(ms)))).toEqual([0, 0, 25, 50, 100, 100]);
    expect(decades(1000)).toEqual([0.1, 1, 10, 100]);
    expect(createAxis("log", 0.01).at(0.01)).toBe(0);
  });
  it("stays in the links of its page", () => {
    expect(readAxisKind({ y: "log" })).toBe("log");
    expect(readAxisKind({ y: "cubic" })).toBe("linear");
    expect(ownOf("x", "log")).toEqual({ path: "/calls/x", params: { y: "log" } });
    expect(ownOf("x", "linear").params).toEqual({});
  });
});

describe("the calls of an operation", () => {
  const row = (atMs: number, outcome: string, durationMs: number | null, costUsd: string | null): AttemptRow => ({
    id: String(atMs),
    attempt: 0,
    outcome,
    status: 200,
    startedAt: new Date(1_000_000 + atMs),
    durationMs,
    usageSource: "reported",
    problems: [],
    costUsd,
    unpriced: false,
  });
  it("stand on one axis, with what was waited between them", () => {
    const { placed, endMs } = placeAttempts([
      row(0, "failed", 200, null),
      row(900, "failed", null, null),
      row(2000, "completed", 500, "0.01"),
      row(2400, "completed", 50, "0.01"),
    ]);
    expect(placed.map(({ fromMs, toMs, waitedMs }) => [fromMs, toMs, waitedMs])).toEqual([
      [0, 200, null],
      [900, null, 700],
      [2000, 2500, null],
      [2400, 2450, -100],
    ]);
    expect(endMs).toBe(2500);
  });
  it("are waste when they did not complete, or a later attempt did as well", () => {
    const costs = (rows: AttemptRow[]) => {
      const { costUsd, wasteUsd, wasteUnknown } = placeAttempts(rows);
      return [costUsd, wasteUsd, wasteUnknown];
    };
    const completed = (at: number, usd: string | null, attempt = at) => ({ ...row(at, "completed", 1, usd), attempt });
    const aborted = (at: number, usd: string | null) => ({ ...row(at, "client_aborted", 1, usd), attempt: at });
    expect(costs([aborted(0, "0.1"), completed(1, "0.2"), aborted(2, "0.000000000001")])).toEqual([
      "0.300000000001",
      "0.100000000001",
      0,
    ]);
    expect(costs([completed(0, "0.1"), completed(1, "0.2")])).toEqual(["0.3", "0.1", 0]);
    // Whichever began first: the number of the attempt says which was to replace which.
    expect(costs([completed(0, "0.1", 1), completed(1, "0.2", 0)])).toEqual(["0.3", "0.2", 0]);
    // Two first attempts are two wishes under one name.
    expect(costs([completed(0, "0.1", 0), completed(1, "0.2", 0)])).toEqual(["0.3", null, 0]);
    expect(costs([aborted(0, "0.1"), aborted(1, null)])).toEqual(["0.1", "0.1", 1]);
    // Nothing is known of the first: that is not nothing.
    expect(costs([aborted(0, null), completed(1, "0.2")])).toEqual(["0.2", null, 1]);
    expect(costs([aborted(0, null), completed(1, null)])).toEqual([null, null, 1]);
  });
  it("say which part of the waste they are", () => {
    const rows = ["failed", "client_aborted", "completed", "truncated", "completed"].map((outcome, i) => ({
      ...row(i, outcome, 1, "1"),
      attempt: i,
    }));
    expect(placeAttempts(rows).placed.map(({ waste }) => waste)).toEqual([
      "retried",
      "aborted",
      "superseded",
      "retried",
      null,
    ]);
  });
});

it("a trace's address has the ids in their places, whatever they hold", () => {
  expect(traceHref("https://t/{trace_id}?s={span_id}&t={trace_id}", "ab", "cd")).toBe("https://t/ab?s=cd&t=ab");
  expect(traceHref("https://t/{trace_id}/{span_id}", "a/b", null)).toBe("https://t/a%2Fb/");
});

describe("the outcome in a sentence", () => {
  const call = {
    endpoint: "chat_completions",
    outcome: "completed",
    status: 200,
    errorType: null,
    errorCode: null,
    durationMs: 1200,
    firstTokenMs: 300,
    usageSource: "reported",
    inputTokensLow: null,
    inputTokensHigh: null,
    outputTokensLow: null,
    outputTokensHigh: null,
  };
  it.each([
    [{}, "Completed after 1.20 s."],
    [
      {
        outcome: "client_aborted",
        usageSource: "estimated",
        inputTokensLow: 44,
        inputTokensHigh: 60,
        outputTokensLow: 12,
      },
      "The client hung up after 1.20 s; the upstream request was stopped. Its usage is estimated: input between 44 and 60, output at least 12 tokens.",
    ],
    [
      { endpoint: "responses_retrieve", usageSource: "none" },
      "Completed after 1.20 s. It is not billed: what was generated is counted with the call that did it.",
    ],
    [{ endpoint: "audio_translations", usageSource: "none" }, "Completed after 1.20 s. Its usage is unknown."],
    [
      { outcome: "failed", status: 429, errorCode: "rate_limit_exceeded", usageSource: "none" },
      "The upstream answered 429 (rate_limit_exceeded) after 1.20 s. Its usage is unknown.",
    ],
    [
      { outcome: "failed", errorType: "server_error" },
      "The upstream reported an error (server_error) inside its answer after 1.20 s.",
    ],
    [
      { outcome: "interrupted", status: null, durationMs: null, usageSource: "none" },
      "Omnimeter stopped while this call was in flight. What had been seen until then is here. Its usage is unknown.",
    ],
    [
      { outcome: "unreachable", status: 502, usageSource: "none" },
      "The upstream gave no answer after 1.20 s. The client got Omnimeter's own error 502. Its usage is unknown.",
    ],
  ])("%j", (changes, sentence) => expect(outcomeSentence({ ...call, ...changes })).toBe(sentence));
});

it("problems are explained, and unknown ones left as they are", () => {
  expect(problemSentence("usage_all_zero")).toMatch(/^The provider reported only zeros/);
  expect(problemSentence("attribution_dropped:tags")).toMatch(/left out \(tags\)\.$/);
  expect(problemSentence("request_encoding_unknown")).toMatch(/^Request: /);
  expect(problemSentence("something_new")).toBeNull();
});
