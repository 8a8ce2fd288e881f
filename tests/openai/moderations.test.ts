import { expect, test } from "vitest";
import { decode } from "#lib/openai/decode.ts";
import { exchange } from "./from-recording.ts";

const path = "/v1/moderations";
const answer = {
  id: "modr-1",
  model: "omni-moderation-latest",
  results: [{ flagged: true, categories: { hate: false } }],
};

test.each([
  ["a text", "Hello", ["text"]],
  ["texts", ["Hello", "world"], ["text"]],
  [
    "a picture and its text",
    [
      { type: "text", text: "Hi" },
      { type: "image_url", image_url: { url: "https://x/a.png?s=1" } },
    ],
    ["text", "image"],
  ],
])("moderation of %s is free, and that is no problem", async (_, input, modalities) => {
  const facts = await decode(exchange({ path, request: { input }, response: answer }));
  expect(facts).toMatchObject({
    model: "omni-moderation-latest",
    requestModel: null,
    responseId: "modr-1",
    inputModalities: modalities,
    usage: { source: "none", inputTokens: null },
    lines: [],
    problems: [],
  });
  expect(facts.content.output).toMatchObject([
    { parts: [{ type: "other", kind: "moderation", json: expect.stringContaining("flagged") }] },
  ]);
});

test("a refused moderation says why", async () => {
  const response = { error: { message: "no", type: "invalid_request_error", code: null } };
  const facts = await decode(exchange({ path, request: { input: [null, 3, {}] }, status: 400, response }));
  expect(facts).toMatchObject({ outcome: "failed", error: { type: "invalid_request_error" }, lines: [] });
});
