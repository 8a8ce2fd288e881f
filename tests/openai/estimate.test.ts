import { expect, test } from "vitest";
import { decode } from "#lib/openai/decode.ts";
import { imageSize } from "#lib/openai/images/image-size.ts";
import { imageTokens } from "#lib/openai/images/image-tokens.ts";
import { loadTokenizer } from "#lib/openai/usage/tokenizer.ts";
import { events, exchange, fromRecording, recordings } from "./from-recording.ts";

const delta = (content: string) => ({
  id: "c",
  model: "gpt-4o-2024-08-06",
  choices: [{ index: 0, delta: { content }, finish_reason: null }],
});
const request = { model: "gpt-4o", stream: true, messages: [{ role: "user", content: "hi" }] };

test("an aborted stream is estimated: the prompt, what was seen, and bounds for the rest", async () => {
  const facts = await decode(
    exchange({
      request: { ...request, max_tokens: 100, n: 2 },
      response: events(delta("Hello"), delta(" world")),
      ending: "client_aborted",
    }),
  );
  // What OpenAI reports for a lone "hi" is 8.
  expect(facts.usage).toMatchObject({ source: "estimated", inputTokens: 8, outputTokens: 2, totalTokens: 10 });
  expect(facts.usage.bounds).toEqual({ inputLow: 0, inputHigh: 28, outputLow: 2, outputHigh: 200 });
  expect(facts.lines).toEqual([
    {
      direction: "input",
      modality: "text",
      cache: "none",
      unit: "token",
      product: null,
      quantity: 8,
      source: "estimated",
    },
    {
      direction: "output",
      modality: "text",
      cache: "none",
      unit: "token",
      product: null,
      quantity: 2,
      source: "estimated",
    },
  ]);
});

test("without a limit in the request the upper bound of a broken answer is open", async () => {
  const facts = await decode(exchange({ request, response: events(delta("Hello")), ending: null }));
  expect(facts.usage.bounds).toMatchObject({ outputLow: 1, outputHigh: null });
});

test("a whole stream without usage is estimated closely", async () => {
  const end = { ...delta(""), choices: [{ index: 0, delta: {}, finish_reason: "stop" }] };
  const facts = await decode(exchange({ request, response: events(delta("Hello"), end, "[DONE]") }));
  expect(facts).toMatchObject({
    outcome: null,
    usage: { source: "estimated", bounds: { outputLow: 1, outputHigh: 21 } },
  });
});

test("a request that was refused, or got no answer, is not estimated", async () => {
  const refused = await decode(exchange({ request, status: 400, response: { error: { message: "no" } } }));
  const unreachable = await decode(exchange({ request, response: null, ending: "unreachable" }));
  for (const facts of [refused, unreachable])
    expect(facts).toMatchObject({ usage: { source: "none", bounds: null }, lines: [] });
});

test("an answer the client left before its first token still has its prompt estimated", async () => {
  const facts = await decode(
    exchange({ request, response: "", headers: ["content-type", "text/event-stream"], ending: "client_aborted" }),
  );
  expect(facts.usage).toMatchObject({ source: "estimated", inputTokens: 8, outputTokens: 0 });
});

test("input that is elsewhere leaves the upper bound open", async () => {
  const elsewhere = { model: "gpt-4o", input: "hi", previous_response_id: "resp_0" };
  const response = 'data: {"type":"response.output_text.delta","output_index":0,"delta":"x"}\n\n';
  const facts = await decode(
    exchange({ path: "/v1/responses", request: elsewhere, response, ending: "upstream_reset" }),
  );
  expect(facts.usage).toMatchObject({ inputTokens: 8, bounds: { inputHigh: null } });
});

test.each([
  ["gpt-4o", 1024, 1024, "high", 765],
  ["gpt-4o", 2048, 4096, "high", 1105],
  ["gpt-4o", 1920, 1080, "high", 1105],
  ["gpt-4o-2024-08-06", 3024, 4032, "high", 765],
  ["gpt-4o", 512, 512, "high", 255],
  ["gpt-4o-mini", 512, 512, "high", 8500],
  ["gpt-4o-mini", 1024, 1024, "high", 25_501],
  ["gpt-4o-mini", 9, 9, "low", 2833],
])("a picture for %s of %i × %i in %s detail is about %i tokens", (model, width, height, detail, tokens) => {
  const range = imageTokens(model, { width, height }, detail);
  expect(range.likely).toBe(tokens);
  expect(range.low).toBeLessThanOrEqual(tokens);
  expect(range.high).toBeGreaterThanOrEqual(tokens);
});

test("a picture somewhere else has no upper bound", () => {
  expect(imageTokens("gpt-4o", null, null)).toEqual({ likely: 765, low: 85, high: null });
  expect(imageTokens("gpt-4o", null, "low").high).toBe(85);
  expect(imageTokens("some-other-model", { width: 9, height: 9 }, null)).toMatchObject({ low: 0, high: null });
});

test("picture sizes are read from their headers, and garbage has none", () => {
  const gif = Buffer.from("GIF89a\x0a\x00\x14\x00", "latin1");
  expect(imageSize(gif)).toEqual({ width: 10, height: 20 });
  const png = Buffer.concat([
    Buffer.from("\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "latin1"),
    Buffer.from([0, 0, 1, 0, 0, 0, 2, 0]),
  ]);
  expect(imageSize(png)).toEqual({ width: 256, height: 512 });
  const jpeg = Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 4, 0, 0, 0xff, 0xc0, 0, 17, 8, 0, 30, 0, 40, 3]);
  expect(imageSize(jpeg)).toEqual({ width: 40, height: 30 });
  const lossy = Buffer.from("RIFF....WEBPVP8 ..........\x28\x00\x1e\x00", "latin1");
  expect(imageSize(lossy)).toEqual({ width: 40, height: 30 });
  const extended = Buffer.from("RIFF....WEBPVP8X........\x27\0\0\x1d\0\0", "latin1");
  expect(imageSize(extended)).toEqual({ width: 40, height: 30 });
  for (const bytes of ["", "GIF8", "\x89PNG", "RIFF....WEBPVP8X", "hello"])
    expect(imageSize(Buffer.from(bytes, "latin1"))).toBeNull();
});

test("text that is hard to tokenize does not hold up the recorder", async () => {
  const count = await loadTokenizer();
  const hard = ["a".repeat(1 << 20), "👩‍👩‍👧".repeat(50_000), " \n".repeat(200_000), "<|endoftext|>".repeat(20_000)];
  for (const text of hard) {
    const start = performance.now();
    expect(count(text)).toBeGreaterThan(1000);
    expect(performance.now() - start).toBeLessThan(3000);
  }
  const prose = "The quick brown fox jumps over the lazy dog, and then it says hello. ";
  expect(count(prose.repeat(100))).toBe(1601);
});

const stated = recordings("chat_completions").filter(({ request: sent, expected }) => {
  const body = JSON.stringify(sent.body ?? null);
  return (
    expected.usage &&
    !/"(image_url|input_audio|file)"|search-preview|"audio"/.test(body) &&
    !/^(gpt-5|o\d)/.test(expected.model ?? "")
  );
});

test.skipIf(stated.length === 0)("bounds of an estimate hold the usage that was reported", async () => {
  for (const recording of stated) {
    const body = recording.response.body.replace(/"usage": ?\{/g, '"not_usage":{');
    const facts = await decode(fromRecording({ ...recording, response: { ...recording.response, body } }));
    const { input_tokens = 0, output_tokens = 0 } = recording.expected.usage?.normalized ?? {};
    const { inputLow, inputHigh, outputLow, outputHigh } = facts.usage.bounds ?? { inputLow: 1e9, outputLow: 1e9 };
    const seen = { id: recording.id, input_tokens, inputLow, inputHigh, output_tokens, outputLow, outputHigh };
    const fits =
      inputLow <= input_tokens &&
      input_tokens <= (inputHigh ?? 1e9) &&
      outputLow <= output_tokens &&
      output_tokens <= (outputHigh ?? 1e9);
    expect({ ...seen, fits }).toEqual({ ...seen, fits: true });
  }
});
