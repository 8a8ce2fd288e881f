import { describe, expect, test } from "vitest";
import { decode } from "#lib/openai/decode.ts";
import { mp3File, wavFile } from "./audio-files.ts";
import type { Wire } from "./from-recording.ts";
import { events, exchange, oddly } from "./from-recording.ts";

const path = "/v1/audio/speech";
const request = { model: "gpt-4o-mini-tts", input: "Hello, world!", voice: "alloy" };
const mpeg = ["content-type", "audio/mpeg"];

const speak = (wire: Wire = {}) => decode(exchange({ path, request, headers: mpeg, response: mp3File(125), ...wire }));

describe("spoken text", () => {
  test("of a model with tokens is estimated by its text and by how long it plays", async () => {
    const facts = await speak();
    // Four tokens; 3 s at 1,250 a minute.
    expect(facts.usage).toMatchObject({ source: "estimated", inputTokens: 4, outputTokens: 63, totalTokens: 67 });
    expect(facts.usage.bounds).toEqual({ inputLow: 0, inputHigh: 9, outputLow: 56, outputHigh: 109 });
    expect(facts.lines.map((line) => [line.direction, line.modality, line.unit, line.quantity, line.source])).toEqual([
      ["input", "text", "token", 4, "estimated"],
      ["output", "audio", "token", 63, "estimated"],
    ]);
    expect(facts).toMatchObject({ model: "gpt-4o-mini-tts", outputAudioMs: 3000, streamed: false, problems: [] });
    expect(facts).toMatchObject({ inputModalities: ["text"], outputModalities: ["audio"] });
    expect(facts.content.output).toEqual([
      { role: "assistant", parts: [{ type: "audio", mediaType: "audio/mpeg", bytes: 48_000 }] },
    ]);
  });

  test("counts instructions as text", async () => {
    const facts = await speak({ request: { ...request, instructions: "Hello world" } });
    expect(facts.usage.inputTokens).toBe(6);
    expect(facts.content.input.map(({ role }) => role)).toEqual(["system", "user"]);
    expect([facts.unit, (await speak()).unit]).toEqual(["Hello world", null]);
  });

  test.each(["tts-1", "tts-1-hd", "a-deployment"])(
    "of %s is billed by its characters, a smile as one",
    async (model) => {
      const facts = await speak({ request: { ...request, model, input: "Grüße 😀!" } });
      expect(facts.usage).toMatchObject({ source: "measured", inputTokens: null, outputTokens: null });
      expect(facts.lines).toEqual([
        {
          direction: "input",
          modality: "text",
          cache: "none",
          unit: "character",
          product: null,
          quantity: 8,
          source: "measured",
        },
      ]);
    },
  );

  test.each<[string, Wire]>([
    ["wav", { headers: ["content-type", "audio/wav"], response: wavFile(1234, 0xffffffff) }],
    ["pcm", { headers: ["content-type", "audio/pcm"], response: Buffer.alloc(1234 * 48) }],
    [
      "pcm of an unnamed type",
      {
        headers: ["content-type", "application/octet-stream"],
        response: Buffer.alloc(1234 * 48),
        request: { ...request, response_format: "pcm" },
      },
    ],
  ])("as %s is measured", async (_, wire) => {
    expect((await speak(wire)).outputAudioMs).toBe(1234);
  });

  test("is heard from its first bytes on, and its pauses count", async () => {
    const bytes = mp3File(125);
    const response = [
      [300, bytes.subarray(0, 1000)],
      [350, bytes.subarray(1000, 9000)],
      [1500, bytes.subarray(9000)],
    ];
    const { marks } = await speak({ response });
    expect(marks).toEqual({
      firstTokenMs: 300,
      firstTextMs: null,
      firstAudioMs: 300,
      lastTokenMs: 1500,
      longestGapMs: 1150,
      stalls: 1,
      contentChunks: 3,
    });
  });

  test("that nobody can measure has no output figure", async () => {
    const facts = await speak({ response: Buffer.from("no sound") });
    expect(facts.usage).toMatchObject({ source: "estimated", inputTokens: 4, outputTokens: null, totalTokens: null });
    expect(facts.problems).toEqual(["duration_unknown"]);
  });

  test("that was refused, or not heard at all, costs nothing", async () => {
    const error = { message: "Too long", type: "invalid_request_error", code: "string_above_max_length" };
    const refused = await speak({ status: 400, headers: ["content-type", "application/json"], response: { error } });
    expect(refused).toMatchObject({ outcome: "failed", model: null, lines: [], usage: { source: "none" } });
    expect(refused.error?.code).toBe("string_above_max_length");
    expect(await speak({ response: "" })).toMatchObject({ lines: [], outputAudioMs: null, outputModalities: [] });
    expect(await speak({ response: null, ending: "unreachable" })).toMatchObject({ lines: [] });
  });

  test("that broke off is what was heard, and perhaps more", async () => {
    for (const ending of ["client_aborted", "upstream_reset", null] as const) {
      const facts = await speak({ ending });
      expect(facts).toMatchObject({ outputAudioMs: 3000, usage: { source: "estimated", outputTokens: 63 } });
      expect(facts.usage.bounds?.outputHigh).toBeNull();
      const kept = await decode(exchange({ path, request, headers: mpeg, response: mp3File(125), ending }), {
        keepAudio: true,
      });
      expect(kept.media).toEqual([]);
    }
  });

  test("without a readable request is not counted as nothing", async () => {
    const facts = await speak({ request: "{", response: mp3File(125) });
    expect(facts).toMatchObject({ usage: { source: "none" }, model: null, outputAudioMs: 3000 });
    expect(facts.problems).toEqual(["request_unreadable", "characters_unknown"]);
  });

  test("is kept when asked for, raw audio with the header that players need", async () => {
    expect((await speak()).media).toEqual([]);
    const wire = exchange({ path, request, headers: ["content-type", "audio/pcm"], response: Buffer.alloc(480, 1) });
    const facts = await decode(wire, { keepAudio: true });
    expect(facts.media).toMatchObject([{ index: 0, direction: "output", mediaType: "audio/wav" }]);
    expect(facts.media[0]?.bytes).toEqual(Buffer.concat([wavFile(10).subarray(0, 44), Buffer.alloc(480, 1)]));
    expect(facts.content.output[0]?.parts).toMatchObject([{ type: "audio", media: 0 }]);
  });

  test("is the same wherever it was split", async () => {
    const split = await speak({ split: oddly });
    expect({ ...split, marks: null }).toEqual({ ...(await speak()), marks: null });
  });
});

describe("speech in events", () => {
  const audio = mp3File(4);
  const delta = (from: number, to: number) =>
    events({ type: "speech.audio.delta", audio: audio.subarray(from, to).toString("base64") });
  const usage = { input_tokens: 10, output_tokens: 93, total_tokens: 103 };
  const done = events({ type: "speech.audio.done", usage }, "[DONE]");
  const sse = ["content-type", "text/event-stream"];

  test("states its tokens, and its audio is put together", async () => {
    const response = [
      [100, delta(0, 500)],
      [130, delta(500, 1536)],
      [140, done],
    ];
    const facts = await speak({ request: { ...request, stream_format: "sse" }, headers: sse, response });
    expect(facts).toMatchObject({ streamed: true, outputAudioMs: 96, outcome: null, problems: [] });
    expect(facts.usage).toMatchObject({
      source: "reported",
      inputTokens: 10,
      outputTokens: 93,
      outputAudioTokens: null,
    });
    expect(facts.lines.map((line) => [line.direction, line.modality, line.quantity])).toEqual([
      ["input", "text", 10],
      ["output", "audio", 93],
    ]);
    expect(facts.marks).toMatchObject({ firstAudioMs: 100, lastTokenMs: 130, contentChunks: 2 });
  });

  test("whose tokens are stated as none is estimated from what was heard", async () => {
    const zero = { input_tokens: 0, output_tokens: 0, total_tokens: 0 };
    const heard = (stated: object) => {
      const over = events({ type: "speech.audio.done", usage: stated }, "[DONE]");
      return speak({ headers: sse, response: `${delta(0, 1536)}${over}` });
    };
    for (const usage of [{}, zero]) expect((await heard(usage)).usage.source).toBe("estimated");
    expect((await heard(zero)).problems).toContain("usage_all_zero");
  });

  test("that broke off is estimated from what was heard, without an upper bound", async () => {
    const facts = await speak({ headers: sse, response: delta(0, 1536) });
    expect(facts).toMatchObject({ outcome: "truncated", outputAudioMs: 96 });
    expect(facts.usage).toMatchObject({ source: "estimated", inputTokens: 4, outputTokens: 2 });
    expect(facts.usage.bounds?.outputHigh).toBeNull();
  });

  test("with an error inside failed", async () => {
    const error = events({ type: "error", error: { message: "overloaded", code: "server_error" } });
    expect(await speak({ headers: sse, response: error })).toMatchObject({
      outcome: "failed",
      error: { code: "server_error" },
      lines: [],
    });
  });

  test("cut at any byte gives facts", async () => {
    const bytes = Buffer.from(delta(0, 500) + delta(500, 1536) + done);
    for (let end = 0; end < bytes.length; end += 7) {
      const facts = await speak({ headers: sse, response: bytes.subarray(0, end) });
      expect(facts.problems).not.toContain("reader_failed");
    }
  });
});

describe("a spoken chat", () => {
  const asked = (data: Buffer, format: string) => ({
    model: "gpt-4o-audio-preview",
    modalities: ["text", "audio"],
    audio: { voice: "alloy", format: "wav" },
    messages: [
      { role: "user", content: [{ type: "input_audio", input_audio: { data: data.toString("base64"), format } }] },
    ],
  });
  const answered = {
    id: "chatcmpl-1",
    model: "gpt-4o-audio-preview-2024-12-17",
    choices: [
      {
        index: 0,
        finish_reason: "stop",
        message: {
          role: "assistant",
          audio: { id: "audio_1", data: wavFile(250).toString("base64"), transcript: "Hi" },
        },
      },
    ],
    usage: { prompt_tokens: 10, completion_tokens: 9, total_tokens: 19 },
  };

  test("tells how long was spoken, either way, and keeps it only when asked to", async () => {
    const wire = exchange({ request: asked(mp3File(125), "mp3"), response: answered });
    expect(await decode(wire)).toMatchObject({ inputAudioMs: 3000, outputAudioMs: 250, media: [] });
    const facts = await decode(wire, { keepAudio: true });
    expect(facts.media).toEqual([
      { index: 0, direction: "input", mediaType: "audio/mpeg", bytes: mp3File(125) },
      { index: 1, direction: "output", mediaType: "audio/wav", bytes: wavFile(250) },
    ]);
    expect(facts.content.input[0]?.parts).toMatchObject([{ type: "audio", media: 0 }]);
    expect(facts.content.output[0]?.parts).toMatchObject([{ type: "audio", transcript: "Hi", media: 1 }]);
  });

  test("in a stream is raw audio, which becomes a file", async () => {
    const pcm = wavFile(100).subarray(44);
    const chunk = (audio: object) => ({ id: "c", model: "m", choices: [{ index: 0, delta: { audio } }] });
    const response = events(
      chunk({ id: "audio_1", transcript: "Hi" }),
      chunk({ data: pcm.subarray(0, 1000).toString("base64") }),
      chunk({ data: pcm.subarray(1000).toString("base64") }),
      chunk({ expires_at: 1 }),
      "[DONE]",
    );
    const facts = await decode(exchange({ request: asked(wavFile(50), "wav"), response }), { keepAudio: true });
    expect(facts).toMatchObject({ inputAudioMs: 50, outputAudioMs: 100 });
    expect(facts.media[1]).toEqual({ index: 1, direction: "output", mediaType: "audio/wav", bytes: wavFile(100) });
  });

  test("of audio that nobody can measure has no length", async () => {
    const facts = await decode(exchange({ request: asked(Buffer.from("no sound"), "mp3"), response: answered }));
    expect(facts).toMatchObject({ inputAudioMs: null, outputAudioMs: 250 });
  });
});
