import { describe, expect, it } from "vitest";
import { outcomeSentence } from "#app/calls/[id]/outcome-sentence.ts";
import { problemSentence } from "#app/calls/[id]/problem-sentence.ts";
import { lastMoment, type Moments, stagesOf } from "#app/calls/[id]/stages.ts";

const nothing: Moments = {
  requestEndMs: null,
  sentMs: null,
  connectMs: null,
  firstByteMs: null,
  firstTokenMs: null,
  lastTokenMs: null,
  responseEndMs: null,
  durationMs: null,
};

describe("the stages of a call", () => {
  const streamed: Moments = {
    requestEndMs: 2,
    sentMs: 1,
    connectMs: 30,
    firstByteMs: 200,
    firstTokenMs: 220,
    lastTokenMs: 900,
    responseEndMs: 905,
    durationMs: 906,
  };
  const spans = (moments: Moments) =>
    Object.fromEntries(stagesOf(moments).map(({ name, span }) => [name, span && [span.fromMs, span.toMs]]));

  it("follow each other from the request to the last byte", () => {
    expect(spans(streamed)).toEqual({
      "Request upload": [0, 2],
      "Until sent upstream": [0, 1],
      Connect: [1, 31],
      "To first byte": [31, 200],
      "To first token": [200, 220],
      Generation: [220, 900],
      "After the last token": [900, 905],
      "Delivery to the client": [905, 906],
    });
    expect(lastMoment(streamed)).toBe(906);
  });
  it("have no bar where an end was not seen, and say so", () => {
    const aborted = stagesOf({ ...streamed, connectMs: null, responseEndMs: null });
    expect(aborted.filter(({ span }) => !span).map(({ name, note }) => `${name}: ${note}`)).toEqual([
      "Connect: none: an open connection was used",
      "After the last token: the end of the answer was not seen",
      "Delivery to the client: the end was not seen",
    ]);
    expect(stagesOf(nothing).every(({ span, note }) => span === null && note !== null)).toBe(true);
    expect(lastMoment(nothing)).toBe(0);
  });
  it("do without tokens where there were none", () => {
    expect(spans({ ...streamed, firstTokenMs: null, lastTokenMs: null })).toMatchObject({ Answer: [200, 905] });
  });
});

describe("the outcome in a sentence", () => {
  const call = {
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
