import { describe, expect, test } from "vitest";
import { decode } from "#lib/openai/decode.ts";
import type { Wire } from "./from-recording.ts";
import { events, exchange } from "./from-recording.ts";

const model = "text-embedding-3-small";
const data = [{ object: "embedding", index: 0, embedding: [0.1, 0.2] }];

const embed = (input: unknown, response: object = { data, model }, wire: Wire = {}) =>
  decode(exchange({ path: "/v1/embeddings", request: { model, input }, response, ...wire }));

describe("an embedding", () => {
  test.each([
    ["numbers", [0.1, 0.2]],
    ["base64", "zczMPc3MTD4="],
  ])("as %s is billed by the tokens that it states", async (_, embedding) => {
    const facts = await embed(["Hello", "world"], {
      data: [{ embedding }],
      model,
      usage: { prompt_tokens: 2, total_tokens: 2 },
    });
    expect(facts).toMatchObject({ model, inputModalities: ["text"], outputModalities: [], problems: [], unit: null });
    expect(facts.usage).toMatchObject({ source: "reported", inputTokens: 2, outputTokens: null, totalTokens: 2 });
    expect(facts.lines).toMatchObject([{ direction: "input", modality: "text", unit: "token", quantity: 2 }]);
    expect(facts.content).toMatchObject({
      input: [{ parts: [{ text: "Hello" }] }, { parts: [{ text: "world" }] }],
      output: [],
    });
  });

  test.each([
    [[1, 2, 3], 3],
    [[[1, 2], [3]], 3],
  ])("of the tokens %j that states nothing is counted", async (input, tokens) => {
    const facts = await embed(input);
    expect(facts.usage).toMatchObject({ source: "measured", inputTokens: tokens, bounds: null });
    expect(facts.lines).toMatchObject([{ quantity: tokens, source: "measured" }]);
    expect(facts.content.input).toEqual([]);
  });

  test("of text that states nothing is estimated between bounds", async () => {
    const facts = await embed(["hello world", "Where was albert einstein born?"]);
    // Two tokens and eight, in the encoding of these models.
    expect(facts.usage).toMatchObject({ source: "estimated", inputTokens: 10, totalTokens: 10 });
    expect(facts.usage.bounds).toEqual({ inputLow: 5, inputHigh: 15, outputLow: 0, outputHigh: 0 });
  });

  test("that was refused, or whose input is neither, costs nothing that is known", async () => {
    const refused = await embed("Hi", { error: { message: "no", code: "model_not_found" } }, { status: 404 });
    expect(refused).toMatchObject({ outcome: "failed", model: null, lines: [], usage: { source: "none" } });
    expect(await embed({ odd: true })).toMatchObject({ lines: [], usage: { source: "none" } });
  });
});

test("a completion of token numbers that states nothing knows its prompt", async () => {
  const response = events(
    { id: "c", model: "davinci-002", choices: [{ index: 0, text: "Hello", finish_reason: null }] },
    "[DONE]",
  );
  const facts = await decode(
    exchange({ path: "/v1/completions", request: { model: "davinci-002", prompt: [5, 6, 7], stream: true }, response }),
  );
  expect(facts.usage).toMatchObject({ source: "estimated", inputTokens: 3, bounds: { inputLow: 3, inputHigh: 3 } });
});
