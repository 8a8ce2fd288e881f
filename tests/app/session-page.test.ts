import { describe, expect, it } from "vitest";
import { contextOf } from "#app/sessions/[id]/context.ts";
import { placeTurn, turnAxis } from "#app/sessions/[id]/place-turn.ts";
import { waitsInWords, waitsOf } from "#app/sessions/[id]/quantiles.ts";
import { endInWords, type SessionFigures, whatHappened, whatToDo } from "#app/sessions/[id]/session-sentences.ts";
import { bargeInInWords, latencyInWords, realtimeFactor } from "#app/sessions/[id]/turn-words.ts";
import type { Turn } from "#lib/session.ts";
import { seeded } from "#tests/support/split.ts";

const nothing: Turn = {
  sessionId: "0197f0a0-0000-7000-8000-000000000001",
  index: 0,
  callId: null,
  kind: "server_vad",
  ...{ inputStartMs: null, inputEndMs: null, createdMs: null, firstTextMs: null, firstAudioMs: null, doneMs: null },
  latencyMs: null,
  toolCalls: 0,
  ...{ modelMs: null, toolMs: null, audioMs: null, generationMs: null },
  ...{ bargeIn: null, bargeInMs: null, heardMs: null, wastedMs: null, wastedUsd: null, reactionMs: null },
  ...{ status: null, reason: null, problems: [] },
};
/** Speaks from 1 to 3 s, hears the answer from 3.32 s on, speaks into it at 5 s: it is cut at 5.12 s of 4 s. */
const cut: Turn = {
  ...nothing,
  ...{ inputStartMs: 1000, inputEndMs: 3000, createdMs: 3100, firstTextMs: 3300, firstAudioMs: 3320, doneMs: 4320 },
  ...{ latencyMs: 320, audioMs: 4000, generationMs: 1000, heardMs: 1800, wastedMs: 2200, wastedUsd: "0.00352" },
  ...{ bargeIn: "confirmed", bargeInMs: 5000, reactionMs: 120, status: "cancelled", reason: "turn_detected" },
};
const barsOf = (turn: Turn) => placeTurn(turn).bars.map(({ kind, fromMs, toMs }) => `${kind} ${fromMs}..${toMs}`);

describe("a turn on the time axis", () => {
  it("stands around the end of the user's input: speech, wait, what was heard and what never was", () => {
    expect(barsOf(cut)).toEqual(["speech -2000..0", "wait 0..320", "heard 320..2120", "wasted 2120..4320"]);
    expect(placeTurn(cut)).toMatchObject({ zeroMs: 3000, bargeInMs: 2000 });
  });
  it("with a tool has the tool inside its wait", () => {
    const tool: Turn = {
      ...cut,
      kind: "tool",
      firstAudioMs: 5000,
      modelMs: 400,
      toolMs: 900,
      heardMs: 4000,
      wastedMs: 0,
    };
    expect(barsOf(tool)).toEqual(["speech -2000..0", "wait 0..2000", "tool 500..1400", "heard 2000..6000"]);
  });
  it("without audio is text; without an answer only waits", () => {
    const text: Turn = { ...cut, firstAudioMs: null, audioMs: null, heardMs: null, wastedMs: null };
    expect(barsOf(text)).toEqual(["speech -2000..0", "wait 0..300", "text 300..1320"]);
    expect(barsOf({ ...text, firstTextMs: null })).toEqual(["speech -2000..0", "wait 0..1320"]);
  });
  it("says nothing about hearing where nobody did", () => {
    expect(barsOf({ ...cut, heardMs: null, wastedMs: null })).toContain("generated 320..4320");
  });
  it("of which no moment is known has no bars, and none reach backwards whatever the figures are", () => {
    expect(placeTurn(nothing)).toMatchObject({ zeroMs: null, bars: [] });
    const random = seeded(6);
    for (let i = 0; i < 500; i++) {
      const maybe = () => (random() < 0.3 ? null : Math.floor(random() * 10_000));
      const turn: Turn = {
        ...nothing,
        ...{
          inputStartMs: maybe(),
          inputEndMs: maybe(),
          createdMs: maybe(),
          firstTextMs: maybe(),
          firstAudioMs: maybe(),
        },
        ...{
          doneMs: maybe(),
          modelMs: maybe(),
          toolMs: maybe(),
          audioMs: maybe(),
          heardMs: maybe(),
          wastedMs: maybe(),
        },
      };
      const placed = placeTurn(turn);
      const axis = turnAxis([placed]);
      for (const { fromMs, toMs } of placed.bars) {
        expect(toMs).toBeGreaterThan(fromMs);
        expect(axis.at(fromMs)).toBeGreaterThanOrEqual(0);
        expect(axis.at(toMs)).toBeLessThanOrEqual(100);
      }
    }
  });
  it("shares a round axis with all others, which ends where an outlier would squeeze them", () => {
    const { fromMs, toMs, ticks, at } = turnAxis([placeTurn(cut)]);
    expect([fromMs, toMs, ticks]).toEqual([-2000, 4320, [-2000, -1000, 0, 1000, 2000, 3000, 4000]]);
    expect(at(1160)).toBe(50);
    const hour = placeTurn({ ...cut, inputStartMs: 3000 - 3_600_000, firstAudioMs: 3_600_000 });
    expect(turnAxis([hour])).toMatchObject({ fromMs: -15_000, toMs: 45_000 });
    expect(turnAxis([])).toMatchObject({ fromMs: 0, toMs: 100 });
  });
});

describe("a turn in words", () => {
  it("tells the wait, and what came of the interruption", () => {
    expect(latencyInWords(cut)).toBe("first audio after 320 ms");
    expect(latencyInWords({ ...cut, firstAudioMs: null })).toBe("first text after 320 ms");
    expect(latencyInWords(nothing)).toBe("no answer");
    expect(latencyInWords({ ...cut, latencyMs: null })).toBe("wait unknown");
    expect(bargeInInWords(cut)).toBe("barge-in, 1.80 s heard, 2.20 s never heard, cut after 120 ms");
    expect(bargeInInWords({ ...cut, bargeIn: "false" })).toMatch(/^false barge-in/);
    expect(bargeInInWords(nothing)).toBe("");
    expect([realtimeFactor(cut), realtimeFactor(nothing), realtimeFactor({ ...cut, generationMs: 0 })]).toEqual([
      4,
      null,
      null,
    ]);
  });
});

describe("the waits of a session", () => {
  it("are of answers in audio or in text, with their number; a p95 needs a hundred", () => {
    const turns = [300, 500, 400, null].map((latencyMs) => ({ latencyMs, firstAudioMs: 1 }));
    const text = { latencyMs: 90, firstAudioMs: null };
    expect(waitsOf([...turns, text], "audio")).toEqual({ n: 3, p50: 400, p95: null, max: 500 });
    expect(waitsInWords(waitsOf([...turns, text], "audio"))).toBe("median 400 ms, longest 500 ms, n 3");
    expect(waitsInWords(waitsOf([text], "text"))).toBe("90 ms, n 1");
    expect(waitsInWords(waitsOf([], "text"))).toBe("—");
    const many = Array.from({ length: 100 }, (_, i) => ({ latencyMs: 100 - i, firstAudioMs: 1 }));
    expect(waitsOf(many, "audio")).toEqual({ n: 100, p50: 50, p95: 95, max: 100 });
  });
});

describe("the context of a session", () => {
  const call = (id: string, inputTokens: number | null, cachedTokens: number | null = 0) => ({
    ...{ id, inputTokens, cachedTokens, outputTokens: 10, costUsd: "0" },
  });
  it("is billed again with every response, as far as the one before had it", () => {
    const context = contextOf([call("a", 100), call("b", 250, 64), call("c", 180, 128)], [{ ...cut, callId: "b" }]);
    expect(context).toMatchObject({ inputTokens: 530, billedAgain: 100 + 180, cachedTokens: 192, unknown: 0 });
    expect(context.steps.map(({ turn, billedAgain }) => [turn, billedAgain])).toEqual([
      [null, 0],
      [0, 100],
      [null, 180],
    ]);
  });
  it("of a turn with a tool has both of its responses, and of no turn what no turn has", () => {
    const turns = [
      { ...cut, callId: "a" },
      { ...cut, index: 1, callId: "d", toolCalls: 1 },
    ];
    const { steps } = contextOf(
      ["a", "b", "d", "e"].map((id) => call(id, 10)),
      turns,
    );
    expect(steps.map(({ turn }) => turn)).toEqual([0, 1, 1, null]);
    expect(contextOf([call("x", 1), call("a", 2)], turns).steps.map(({ turn }) => turn)).toEqual([null, 0]);
  });
  it("does not guess across a response whose input is not known", () => {
    const { steps, unknown } = contextOf([call("a", 100), call("b", null, null), call("c", 300)], []);
    expect([steps.map(({ billedAgain }) => billedAgain), unknown]).toEqual([[0, null, null], 1]);
    // What nobody stated is not none.
    expect(contextOf([call("a", 100, null)], [])).toMatchObject({ cachedTokens: null });
    expect(contextOf([call("a", 100, null), call("b", 200, 0)], [])).toMatchObject({ cachedTokens: 0 });
    expect(contextOf([], [])).toMatchObject({ steps: [], inputTokens: 0, cachedTokens: null });
  });
});

describe("a session in plain words", () => {
  const figures: SessionFigures = {
    session: {
      ...{ kind: "realtime", endReason: "client_closed", closeCode: 1000, turns: 2, bargeIns: 1, falseBargeIns: 0 },
      ...{ wastedMs: 2200, wastedUsd: "0.00352", errors: 0, toolCalls: 0, rateLimits: {}, idleMs: 0 },
    },
    lastedMs: 133_000,
    turns: [cut, { ...cut, index: 1, latencyMs: 2500 }],
    context: contextOf([], []),
    unpriced: 0,
  };
  it("says how long it was, how it ended, and what was wasted", () => {
    expect(whatHappened(figures)).toEqual([
      "It lasted 2 m 13 s with 2 turns. The client closed it (close code 1000).",
      "1 answer was cut off by the user. 2.20 s of audio was generated but never heard and cost $0.00352.",
      "The longest wait was 2.50 s in turn 2 (speech).",
    ]);
    expect(whatToDo(figures)).toEqual([
      expect.stringMatching(/^Ask for shorter answers/),
      expect.stringMatching(/^1 turn of 2 without a tool waited more than 1\.50 s/),
    ]);
  });
  it("does not call unknown money nothing", () => {
    const session = { ...figures.session, wastedUsd: null };
    expect(whatHappened({ ...figures, session })[1]).toMatch(/never heard; what it cost is not known\.$/);
  });
  it("of nothing remarkable gives no advice", () => {
    const session = { ...figures.session, bargeIns: 0, wastedMs: 0, wastedUsd: null };
    const quiet = { ...figures, session, turns: [cut] };
    expect(whatHappened(quiet)).toHaveLength(1);
    expect(whatToDo(quiet)).toEqual([]);
  });
  it("tells of limits nearly used up, of expiry, and of what has no price", () => {
    const rateLimits = {
      tokens: { limit: 1000, remaining: 90, resetSeconds: 3 },
      requests: { limit: 100, remaining: 10, resetSeconds: null },
      odd: { limit: null, remaining: 0, resetSeconds: null },
    };
    const session = { ...figures.session, rateLimits, wastedMs: 0, endReason: "expired" as const };
    expect(whatToDo({ ...figures, session, turns: [], unpriced: 2 })).toEqual([
      "Of the limit of tokens 9 % was left: more sessions at once would be refused.",
      expect.stringMatching(/^A session cannot be prolonged/),
      expect.stringMatching(/^2 calls have no price/),
    ]);
  });
  it("tells of a conversation that is paid for again and again", () => {
    const call = (id: string, inputTokens: number) => ({
      id,
      inputTokens,
      cachedTokens: 0,
      outputTokens: 1,
      costUsd: null,
    });
    const context = contextOf([call("a", 4000), call("b", 5000)], []);
    expect(whatToDo({ ...figures, turns: [], session: { ...figures.session, wastedMs: 0 }, context })).toEqual([]);
    const longer = contextOf([call("a", 4000), call("b", 5000), call("c", 6000)], []);
    expect(whatToDo({ ...figures, turns: [], session: { ...figures.session, wastedMs: 0 }, context: longer })).toEqual([
      expect.stringMatching(/^60 % of the input had been sent before, and only 0 % came from the cache/),
    ]);
  });
  it("knows every way to end, and none", () => {
    expect(endInWords({ endReason: null, closeCode: null })).toBe("It is still open.");
    expect(endInWords({ endReason: "reset", closeCode: null })).toBe("The connection to the upstream broke.");
  });
});
