import { expect, test } from "vitest";
import { readSettings } from "#lib/openai/settings.ts";

const NOTHING = {
  maxTokens: null,
  temperature: null,
  topP: null,
  frequencyPenalty: null,
  presencePenalty: null,
  stopSequences: null,
  seed: null,
  choices: null,
  reasoningLevel: null,
  outputType: null,
  dimensions: null,
  encodingFormat: null,
};

test.each([
  [{}, {}],
  [{ max_tokens: 5 }, { maxTokens: 5 }],
  [{ max_tokens: 5, max_completion_tokens: 6 }, { maxTokens: 6 }],
  [{ max_output_tokens: 7 }, { maxTokens: 7 }],
  [
    { temperature: 0, top_p: 0.1 },
    { temperature: 0, topP: 0.1 },
  ],
  [
    { frequency_penalty: -1, presence_penalty: 0.5 },
    { frequencyPenalty: -1, presencePenalty: 0.5 },
  ],
  [{ stop: "END" }, { stopSequences: ["END"] }],
  [{ stop: ["a", 1, "b"] }, { stopSequences: ["a", "b"] }],
  [{ stop: null }, {}],
  [
    { seed: 42, n: 2 },
    { seed: 42, choices: 2 },
  ],
  [{ reasoning_effort: "low" }, { reasoningLevel: "low" }],
  [{ reasoning: { effort: "high" } }, { reasoningLevel: "high" }],
  [{ response_format: { type: "json_schema" } }, { outputType: "json" }],
  [{ text: { format: { type: "text" } } }, { outputType: "text" }],
  [{ modalities: ["text", "audio"] }, { outputType: "speech" }],
  [
    { dimensions: 256, encoding_format: "base64" },
    { dimensions: 256, encodingFormat: "base64" },
  ],
  // Images say it with a word, which is no output type.
  [{ response_format: "b64_json" }, {}],
  [{ max_tokens: 1.5, temperature: "hot", seed: 2 ** 60, n: null, stop: {}, modalities: "audio" }, {}],
])("%j says %j", (parameters, said) => {
  expect(readSettings(parameters)).toEqual({ ...NOTHING, ...said });
});

test("no setting is longer than a real one", () => {
  const long = "x".repeat(5000);
  const settings = readSettings({ stop: Array(100).fill(long), reasoning_effort: long });
  expect(settings.stopSequences).toHaveLength(16);
  expect(settings.stopSequences?.[0]).toHaveLength(128);
  expect(settings.reasoningLevel).toHaveLength(128);
});
