import { describe, expect, test } from "vitest";
import type { Usage } from "#lib/call.ts";
import { decode } from "#lib/openai/decode.ts";
import type { Facts } from "#lib/openai/facts.ts";
import type { Recording } from "./from-recording.ts";
import { fromRecording, oddly, recordings } from "./from-recording.ts";

const FOLDERS = [
  "audio_transcriptions",
  "audio_translations",
  "audio_speech",
  "images_generations",
  "images_edits",
  "images_variations",
  "embeddings",
  "moderations",
];
const all = recordings(...FOLDERS).map((recording) => [recording.id, recording] as const);

describe.skipIf(all.length === 0)("recorded audio, images, embeddings and moderations", () => {
  test.each(all)("%s decodes to what it states", async (id, recording) => {
    const { expected } = recording;
    const facts = await decode(fromRecording(recording));
    expect(facts.requestModel).toBe(expected.request_model);
    // Where the answer names no model, the one that was asked for gave it.
    const answered = expected.error === undefined || facts.usage.source !== "none";
    expect(facts.model).toBe(expected.model ?? (answered ? expected.request_model : null));
    expect(facts.responseId).toBe(expected.response_id);
    expect(facts.streamed).toBe(expected.stream !== undefined);
    expect(facts.outcome).toBe(expected.error === undefined ? null : "failed");
    const { type, code, message } = expected.error ?? {};
    expect(facts.error).toEqual(expected.error === undefined ? null : { type, code, message });
    expect(facts.problems).toEqual(KNOWN_PROBLEMS[id] ?? []);
    compareUsage(facts, recording);
  });

  test.each(all)("%s decodes to the same facts when it arrives in odd pieces", async (_, recording) => {
    const atOnce = await decode(fromRecording(recording), { keepAudio: true });
    const inPieces = await decode(fromRecording(recording, oddly), { keepAudio: true });
    expect({ ...inPieces, marks: null }).toEqual({ ...atOnce, marks: null });
  });
});

const KNOWN_PROBLEMS: Record<string, string[]> = {
  // Its recorder left the form out.
  "audio_translations/translate.ai-gateway.08d99b68": ["multipart_unreadable", "duration_unknown", "model_missing"],
  "images_variations/variation.ruby-openai.264d4886": ["model_missing"],
  "moderations/text.braintrust-sdk-ruby.62ff2a29": [],
};

/** Where nothing is stated: what is measured or estimated instead, reckoned by hand from the file or the text. */
const UNSTATED: Record<string, readonly string[]> = {
  // 418 frames of 26.1 ms, less the encoder's delay: 10.04 s. The next three are 71 frames of 24 ms, the last 1.75 s.
  "audio_transcriptions/no-usage.ruby-openai.65b75c54": ["input audio 11 second measured"],
  "audio_transcriptions/srt.openai-dotnet.7da14601": ["input audio 2 second measured"],
  "audio_transcriptions/text.openai-dotnet.7b60f2fd": ["input audio 2 second measured"],
  "audio_transcriptions/vtt.openai-dotnet.4d92a8a6": ["input audio 2 second measured"],
  "audio_translations/translate.dd-trace-js.abe7f286": ["input audio 2 second measured"],
  // "Hello, world!" is four tokens; 1,250 a minute: 1.835 s, 3.648 s, 2.352 s, 1.85 s, 1.9 s.
  "audio_speech/aac-flac.openai-dotnet.bf0c2380": ["input text 4 token estimated", "output audio 38 token estimated"],
  "audio_speech/mp3.openai-dotnet.52ff6f72": ["input text 4 token estimated", "output audio 76 token estimated"],
  "audio_speech/mp3.openai-dotnet.d381be3c": ["input text 4 token estimated", "output audio 49 token estimated"],
  "audio_speech/opus.openai-dotnet.15894858": ["input text 4 token estimated", "output audio 39 token estimated"],
  "audio_speech/wav.openai-dotnet.d09e49e5": ["input text 4 token estimated", "output audio 40 token estimated"],
  "images_generations/gen-url.ruby-openai.1bb5f2c1": ["output image 1 image measured"],
  "images_edits/edit-url.ruby-openai.211c64d9": ["output image 1 image measured"],
  "images_variations/variation.ruby-openai.264d4886": ["output image 2 image measured"],
};

function compareUsage(facts: Facts, { id, expected: { usage } }: Recording): void {
  if (usage === null) {
    const lines = facts.lines.map(
      (line) => `${line.direction} ${line.modality} ${line.quantity} ${line.unit} ${line.source}`,
    );
    expect(lines).toEqual(UNSTATED[id] ?? []);
    expect(facts.usage.source).toBe(facts.lines[0]?.source ?? "none");
    return;
  }
  const stated = Object.entries(NAMES).map(([name, field]) => [field, usage.normalized[name] ?? null]);
  expect(facts.usage).toMatchObject({ source: "reported", ...Object.fromEntries(stated) });
  expect(total(facts, "input", "token")).toBe(usage.normalized.input_tokens ?? 0);
  expect(total(facts, "output", "token")).toBe(usage.normalized.output_tokens ?? 0);
  expect(total(facts, "input", "second")).toBe(usage.normalized.duration_seconds ?? 0);
}

const NAMES: Record<string, keyof Usage> = {
  input_tokens: "inputTokens",
  output_tokens: "outputTokens",
  total_tokens: "totalTokens",
  input_text_tokens: "inputTextTokens",
  input_audio_tokens: "inputAudioTokens",
  input_image_tokens: "inputImageTokens",
  output_text_tokens: "outputTextTokens",
  output_image_tokens: "outputImageTokens",
  duration_seconds: "durationSeconds",
};

function total(facts: Facts, direction: string, unit: string): number {
  const lines = facts.lines.filter((line) => line.direction === direction && line.unit === unit);
  return lines.reduce((sum, { quantity }) => sum + quantity, 0);
}
