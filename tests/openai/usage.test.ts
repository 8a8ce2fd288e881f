import { expect, test } from "vitest";
import type { Usage } from "#lib/call.ts";
import { readUsage } from "#lib/openai/usage/usage.ts";
import { seeded } from "#tests/support/split.ts";

const plain = { produced: true, mixedInput: false };

const short = (raw: unknown, context = plain) => {
  const { lines, problems } = readUsage(raw, context);
  return { lines: lines.map((line) => `${line.direction} ${line.modality} ${line.cache} ${line.quantity}`), problems };
};

test("cached tokens are part of the input, not beside it", () => {
  const raw = {
    prompt_tokens: 1420,
    completion_tokens: 100,
    total_tokens: 1520,
    prompt_tokens_details: { cached_tokens: 1280 },
  };
  expect(short(raw)).toEqual({
    lines: ["input text none 140", "input text read 1280", "output text none 100"],
    problems: [],
  });
});

test("the published realtime example is divided as its price list says", () => {
  const raw = {
    input_tokens: 132,
    output_tokens: 121,
    total_tokens: 253,
    input_token_details: {
      text_tokens: 119,
      audio_tokens: 13,
      cached_tokens: 64,
      cached_tokens_details: { text_tokens: 64, audio_tokens: 0 },
    },
    output_token_details: { text_tokens: 30, audio_tokens: 91 },
  };
  expect(short(raw).lines).toEqual([
    "input text none 55",
    "input audio none 13",
    "input text read 64",
    "output text none 30",
    "output audio none 91",
  ]);
});

test.each(["prompt_tokens_details", "input_tokens_details", "input_token_details", "prompt_token_details"])(
  "details are found under the name %s",
  (name) => {
    expect(
      readUsage({ input_tokens: 9, output_tokens: 1, [name]: { cached_tokens: 4 } }, plain).usage.cachedTokens,
    ).toBe(4);
  },
);

test("one figure for all cached tokens is read as text first, and marked where other input is there", () => {
  const raw = {
    prompt_tokens: 100,
    completion_tokens: 1,
    prompt_tokens_details: { cached_tokens: 60, audio_tokens: 50 },
  };
  expect(short(raw)).toEqual({
    lines: ["input audio none 40", "input text read 50", "input audio read 10", "output text none 1"],
    problems: ["cached_split_assumed"],
  });
  const unseen = { prompt_tokens: 100, completion_tokens: 1, prompt_tokens_details: { cached_tokens: 60 } };
  expect(short(unseen, { produced: true, mixedInput: true }).problems).toEqual(["cached_split_assumed"]);
  expect(
    short({ ...unseen, prompt_tokens_details: { cached_tokens: 0 } }, { produced: true, mixedInput: true }).problems,
  ).toEqual([]);
});

test("an object among the numbers, as Azure sends it, does no harm", () => {
  const raw = { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7, latency_checkpoint: { engine_ttft_ms: 3 } };
  expect(short(raw)).toEqual({ lines: ["input text none 5", "output text none 2"], problems: [] });
});

test("tokens of a kind that nobody here knows are named, and never priced as text", () => {
  const read = (details: object) =>
    readUsage(
      { input_tokens: 15, output_tokens: 1, total_tokens: 16, input_tokens_details: details },
      { produced: true, mixedInput: false },
    );
  const hidden = read({ text_tokens: 10, video_tokens: 5 });
  expect([hidden.lines, hidden.problems]).toEqual([[], ["usage_inconsistent", "usage_detail_unknown"]]);
  // It may as well be a share of the text.
  for (const details of [{ video_tokens: 5 }, { text_tokens: 15, tool_tokens: 5 }])
    expect(read(details)).toMatchObject({
      problems: ["usage_detail_unknown"],
      lines: [{ quantity: 15 }, { quantity: 1 }],
    });
  expect(read({ text_tokens: 15, video_tokens: 0, note: 7, rate: 1.5 }).problems).toEqual([]);
});

test("zero tokens for an answer that was produced are not believed", () => {
  const raw = { input_tokens: 0, output_tokens: 0, total_tokens: 0 };
  expect(readUsage(raw, plain)).toMatchObject({
    usage: { source: "none", inputTokens: null },
    lines: [],
    problems: ["usage_all_zero"],
  });
  expect(readUsage(raw, { produced: false, mixedInput: false })).toMatchObject({
    usage: { inputTokens: 0 },
    problems: [],
  });
});

test.each([
  [
    "more cached than there is",
    { prompt_tokens: 5, completion_tokens: 1, prompt_tokens_details: { cached_tokens: 6 } },
  ],
  ["more audio than there is", { prompt_tokens: 5, completion_tokens: 1, prompt_tokens_details: { audio_tokens: 6 } }],
  ["a total that is no sum", { prompt_tokens: 5, completion_tokens: 1, total_tokens: 7 }],
  [
    "more reasoning than output",
    { prompt_tokens: 5, completion_tokens: 1, completion_tokens_details: { reasoning_tokens: 2 } },
  ],
  [
    "cached and written beyond the input",
    { input_tokens: 5, output_tokens: 1, input_tokens_details: { cached_tokens: 3, cache_write_tokens: 3 } },
  ],
])("%s keeps the totals and gives no lines", (_, raw) => {
  const { usage, lines, problems } = readUsage(raw, plain);
  expect(usage).toMatchObject({ source: "reported", inputTokens: 5, outputTokens: 1 });
  expect({ lines, problems }).toEqual({ lines: [], problems: ["usage_inconsistent"] });
});

test("a detail that cannot be a part of its total is not known; the others stay", () => {
  const raw = {
    input_tokens: 100,
    output_tokens: 10,
    total_tokens: 110,
    input_tokens_details: {
      cached_tokens: 128,
      cached_tokens_details: { text_tokens: 64 },
      text_tokens: 60,
      audio_tokens: 40,
    },
    output_tokens_details: { reasoning_tokens: 11, text_tokens: 6, audio_tokens: 4, accepted_prediction_tokens: 3 },
  };
  const { usage, lines, problems } = readUsage(raw, plain);
  expect({ lines, problems }).toEqual({ lines: [], problems: ["usage_inconsistent"] });
  expect(usage).toMatchObject({
    inputTokens: 100,
    inputTextTokens: 60,
    inputAudioTokens: 40,
    cachedTokens: null,
    cachedTextTokens: null,
    outputTextTokens: 6,
    reasoningTokens: null,
    acceptedPredictionTokens: 3,
  });
});

test("tokens written to the cache are told by how long they are kept, as far as that is stated", () => {
  const raw = (cache_write_tokens: number | undefined, ttl: object) => ({
    input_tokens: 2000,
    output_tokens: 1,
    input_tokens_details: { cached_tokens: 128, cache_write_tokens, cache_write_tokens_details: ttl },
  });
  expect(short(raw(1500, { ttl_30m_tokens: 1000, ttl_12h_tokens: 300 })).lines).toEqual([
    "input text none 372",
    "input text read 128",
    "input text write 200",
    "input text write_30m 1000",
    "input text write_12h 300",
    "output text none 1",
  ]);
  const bare = readUsage(raw(undefined, { ttl_12h_tokens: 300 }), plain);
  expect(bare.usage.cacheWriteTokens).toBe(300);
  expect(bare.lines.map(({ cache }) => cache)).toEqual(["none", "read", "write_12h", "none"]);
  // More by the parts than by the whole.
  expect(short(raw(1000, { ttl_30m_tokens: 1000, ttl_12h_tokens: 300 }))).toEqual({
    lines: [],
    problems: ["usage_inconsistent"],
  });
});

test.each([-1, 1.5, "12", 1e300, {}, [], true])("%j is not a number of tokens", (value) => {
  const { usage, lines, problems } = readUsage({ prompt_tokens: value, completion_tokens: 1 }, plain);
  expect({ input: usage.inputTokens, lines, problems }).toEqual({
    input: null,
    lines: [],
    problems: ["usage_bad_number", "usage_inconsistent"],
  });
});

test("no usage object, and usage in seconds, are no usage", () => {
  for (const raw of [null, undefined, { type: "duration", seconds: 3 }]) {
    expect(readUsage(raw, plain)).toMatchObject({ usage: { source: "none" }, lines: [], problems: [] });
  }
  expect(readUsage("many", plain).problems).toEqual(["usage_unreadable"]);
});

test("the lines of any usage object sum to its totals, or there is a problem", () => {
  const next = seeded(20_260_101);
  const odd = [0, 1, 2, 5, 64, 128, 1000, null, undefined, -1, "7", {}];
  const number = () => odd[Math.floor(next() * odd.length)];
  const small = () => (next() < 0.7 ? Math.floor(next() * 20) : number());
  const details = () => ({
    cached_tokens: small(),
    cache_write_tokens: small(),
    text_tokens: next() < 0.3 ? small() : undefined,
    audio_tokens: small(),
    image_tokens: small(),
    reasoning_tokens: small(),
    accepted_prediction_tokens: small(),
    cache_write_tokens_details: next() < 0.2 ? { ttl_30m_tokens: small(), ttl_12h_tokens: small() } : undefined,
    cached_tokens_details: next() < 0.1 ? { text_tokens: small(), audio_tokens: small() } : undefined,
  });
  let fitting = 0;
  for (let round = 0; round < 20_000; round++) {
    const input = next() < 0.8 ? 50 + Math.floor(next() * 2000) : number();
    const output = next() < 0.8 ? 50 + Math.floor(next() * 2000) : number();
    const total = next() < 0.8 && typeof input === "number" && typeof output === "number" ? input + output : number();
    const raw = {
      input_tokens: input,
      output_tokens: output,
      total_tokens: total,
      input_tokens_details: details(),
      output_tokens_details: details(),
    };
    const { usage, lines, problems } = readUsage(raw, { produced: next() < 0.5, mixedInput: next() < 0.5 });
    expect(lines.every((line) => Number.isInteger(line.quantity) && line.quantity > 0)).toBe(true);
    expect(new Set(lines.map((l) => `${l.direction} ${l.modality} ${l.cache}`)).size).toBe(lines.length);
    expectStorable(usage);
    const sum = (direction: string) =>
      lines.filter((l) => l.direction === direction).reduce((all, l) => all + l.quantity, 0);
    if (problems.some((problem) => problem !== "cached_split_assumed")) expect(lines).toEqual([]);
    else {
      fitting++;
      expect(sum("input")).toBe(usage.inputTokens ?? 0);
      expect(sum("output")).toBe(usage.outputTokens ?? 0);
      if (usage.totalTokens !== null) expect(sum("input") + sum("output")).toBe(usage.totalTokens);
    }
  }
  expect(fitting).toBeGreaterThan(1000);
});

/** The checks of the table: a part is never more than its whole. */
function expectStorable(usage: Usage): void {
  const fits = (whole: number | null, ...parts: (number | null)[]) =>
    expect(whole === null || parts.reduce<number>((sum, part) => sum + (part ?? 0), 0) <= whole).toBe(true);
  fits(usage.inputTokens, usage.inputTextTokens, usage.inputAudioTokens, usage.inputImageTokens);
  fits(usage.outputTokens, usage.outputTextTokens, usage.outputAudioTokens, usage.outputImageTokens);
  fits(usage.inputTokens, usage.cachedTokens);
  fits(usage.cachedTokens, usage.cachedTextTokens, usage.cachedAudioTokens, usage.cachedImageTokens);
  fits(usage.outputTokens, usage.reasoningTokens);
}
