import { expect, test } from "vitest";
import { decode } from "#lib/openai/decode.ts";
import { seeded } from "../support/split.ts";
import { mp3File } from "./audio-files.ts";
import { form } from "./form.ts";
import type { Wire } from "./from-recording.ts";
import { events, exchange } from "./from-recording.ts";

const file = { name: "a.mp3", bytes: mp3File(3) };
const transcription = form({ model: "gpt-4o-transcribe", file });
const shapes: Record<string, (usage: unknown) => Wire> = {
  transcription: (usage) => ({ path: "/v1/audio/transcriptions", ...transcription, response: { text: "Hi", usage } }),
  speech: (usage) => ({
    path: "/v1/audio/speech",
    request: { model: "gpt-4o-mini-tts", input: "Hi" },
    response: events({ type: "speech.audio.delta", audio: "AAAA" }, { type: "speech.audio.done", usage }),
  }),
  images: (usage) => ({
    path: "/v1/images/edits",
    request: { model: "gpt-image-1", prompt: "Hi", images: [{ file_id: "file-1" }] },
    response: { data: [{ b64_json: "AAAA" }], usage },
  }),
  embeddings: (usage) => ({
    path: "/v1/embeddings",
    request: { model: "text-embedding-3-small", input: "Hi" },
    response: { data: [{}], model: "text-embedding-3-small", usage },
  }),
};

test.each(Object.entries(shapes))(
  "whatever usage %s states, its lines sum to it or there is a problem",
  async (_, wire) => {
    const random = seeded(11);
    for (let round = 0; round < 400; round++) {
      const { usage, lines, problems } = await decode(exchange(wire(randomUsage(random))));
      const keys = lines.map(({ direction, modality, cache, unit }) => `${direction} ${modality} ${cache} ${unit}`);
      expect(new Set(keys).size).toBe(keys.length);
      expect(lines.every(({ quantity }) => quantity > 0 && /^\d+(\.\d{1,3})?$/.test(String(quantity)))).toBe(true);
      expect(problems).not.toContain("reader_failed");
      if (usage.source !== "reported" || problems.some((problem) => problem.startsWith("usage_"))) continue;
      const total = (direction: string) =>
        lines.filter((line) => line.direction === direction).reduce((sum, { quantity }) => sum + quantity, 0);
      expect(total("output")).toBe(usage.outputTokens ?? 0);
      expect(total("input")).toBe(usage.durationSeconds ?? usage.inputTokens ?? 0);
    }
  },
);

/** Mostly figures that could be true, in any of the shapes that are known, now and then one that could not. */
function randomUsage(random: () => number): unknown {
  const pick = (...values: unknown[]) => values[Math.floor(random() * values.length)];
  const count = () => (random() < 0.9 ? Math.floor(random() * 50) : pick(-1, 1.5, "7", null, {}, 1e300));
  if (random() < 0.2) return { type: "duration", seconds: pick(count(), random() * 10) };
  const [text, audio, image, output] = [count(), count(), count(), count()];
  const parts = [text, audio, image].filter((value) => typeof value === "number");
  const sum = parts.reduce((total, value) => total + value, 0);
  const input = random() < 0.8 ? sum : Math.floor(random() * 50);
  const details = { text_tokens: text, audio_tokens: audio, image_tokens: image };
  return {
    ...(random() < 0.5 && { type: "tokens" }),
    ...(random() < 0.95 && { [String(pick("input_tokens", "prompt_tokens"))]: input }),
    ...(random() < 0.6 && {
      [String(pick("input_token_details", "input_tokens_details"))]: pick(details, { text_tokens: text }),
    }),
    ...(random() < 0.9 && { output_tokens: output }),
    ...(random() < 0.3 && { output_tokens_details: { image_tokens: output } }),
    ...(random() < 0.7 && typeof output === "number" && { total_tokens: input + output }),
  };
}
