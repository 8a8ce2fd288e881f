import { describe, expect, test } from "vitest";
import type { Exchange } from "#lib/exchange.ts";
import { decode } from "#lib/openai/decode.ts";
import { mp3File, wavFile } from "./audio-files.ts";
import { form } from "./form.ts";
import type { Wire } from "./from-recording.ts";
import { events, exchange, oddly } from "./from-recording.ts";

const path = "/v1/audio/transcriptions";
const file = { name: "a.wav", type: "audio/wav", bytes: wavFile(3700) };
const plain = ["content-type", "text/plain; charset=utf-8"];

const whisper = (wire: Wire = {}) =>
  decode(exchange({ path, ...form({ file, model: "whisper-1" }), response: { text: "Hi." }, ...wire }));
const transcribe = (wire: Wire = {}) => whisper({ ...form({ file, model: "gpt-4o-transcribe" }), ...wire });

const second = (quantity: number, source: string) => [
  { direction: "input", modality: "audio", cache: "none", unit: "second", product: null, quantity, source },
];

describe("a transcription", () => {
  test("is billed by the seconds that it states", async () => {
    const facts = await whisper({ response: { text: "Hi.", usage: { type: "duration", seconds: 4 } } });
    expect(facts).toMatchObject({ model: "whisper-1", requestModel: "whisper-1", inputAudioMs: 3700, problems: [] });
    expect(facts.usage).toMatchObject({ source: "reported", durationSeconds: 4, inputTokens: null, totalTokens: null });
    expect(facts.lines).toEqual(second(4, "reported"));
  });

  test("is billed by its tokens, text and audio apart", async () => {
    const usage = {
      type: "tokens",
      input_tokens: 14,
      input_token_details: { text_tokens: 10, audio_tokens: 4 },
      output_tokens: 101,
      total_tokens: 115,
    };
    const { lines, usage: read } = await transcribe({ response: { text: "Hi.", usage } });
    expect(lines.map((line) => [line.direction, line.modality, line.quantity])).toEqual([
      ["input", "text", 10],
      ["input", "audio", 4],
      ["output", "text", 101],
    ]);
    expect(read).toMatchObject({ source: "reported", inputTextTokens: 10, inputAudioTokens: 4, durationSeconds: null });
  });

  test("without details of its tokens is taken for audio, and says so", async () => {
    const usage = { type: "tokens", input_tokens: 14, output_tokens: 2, total_tokens: 16 };
    const { lines, problems } = await transcribe({ response: { text: "Hi.", usage } });
    expect(lines.map((line) => [line.modality, line.quantity])).toEqual([
      ["audio", 14],
      ["text", 2],
    ]);
    expect(problems).toEqual(["audio_split_assumed"]);
  });

  test.each([
    ["json", { text: "Hi." }, undefined],
    ["text", "Hi.\n", plain],
    ["srt", "1\n00:00:00,000 --> 00:00:03,000\nHi.\n", plain],
    ["vtt", "WEBVTT\n\n00:00.000 --> 00:03.000\nHi.\n", plain],
  ])(
    "in %s that states nothing is billed by the seconds of its file, begun ones whole",
    async (_, response, headers) => {
      const facts = await whisper({ response, ...(headers && { headers }) });
      expect(facts.usage).toMatchObject({ source: "measured", durationSeconds: 4 });
      expect(facts.lines).toEqual(second(4, "measured"));
      expect(facts).toMatchObject({ inputAudioMs: 3700, problems: [] });
      expect(facts.content.output).toMatchObject([
        { role: "assistant", parts: [{ text: expect.stringContaining("Hi.") }] },
      ]);
    },
  );

  test("that states only how long the audio was is billed by that", async () => {
    const facts = await whisper({ response: { text: "Hi.", duration: 8.470000267028809, language: "english" } });
    expect(facts).toMatchObject({ inputAudioMs: 8470, usage: { source: "measured", durationSeconds: 9 } });
    // Nine seconds, however a 32-bit float writes them.
    const nine = await whisper({ response: { text: "Hi.", duration: 9.000000119 } });
    expect(nine.usage.durationSeconds).toBe(9);
  });

  test("of silence is billed too", async () => {
    expect((await whisper({ response: { text: "" } })).usage.durationSeconds).toBe(4);
    expect(
      (await whisper({ response: { text: "" }, ...form({ file: { ...file, bytes: wavFile(0) } }) })).lines,
    ).toEqual([]);
  });

  test("seconds have three decimals, rounded where there were more", async () => {
    const facts = await whisper({ response: { text: "Hi.", usage: { type: "duration", seconds: 1.23456 } } });
    expect(facts.lines).toEqual(second(1.235, "reported"));
    expect(facts.problems).toEqual(["seconds_rounded"]);
  });

  test.each([-1, 1e9, "4", null, Number.NaN])("seconds of %s are none: the file is measured", async (seconds) => {
    const facts = await whisper({ response: { text: "Hi.", usage: { type: "duration", seconds } } });
    expect(facts.lines).toEqual(second(4, "measured"));
    expect(facts.problems).toEqual(["usage_bad_number"]);
  });

  test("of tokens is no duration, whatever stands beside them", async () => {
    const usage = { type: "tokens", seconds: 9, input_tokens: 30, output_tokens: 5, total_tokens: 35 };
    const { lines } = await whisper({ response: { text: "Hi.", usage } });
    expect(lines.map(({ unit, quantity }) => `${unit} ${quantity}`)).toEqual(["token 30", "token 5"]);
  });

  test("of a model with tokens that states nothing is estimated between bounds", async () => {
    const facts = await transcribe({
      ...form({ file, model: "gpt-4o-transcribe", prompt: "Hello world" }),
      response: { text: "Ruby is a programming language." },
    });
    // Ten a second; two words of prompt; six tokens of text.
    expect(facts.usage).toMatchObject({ source: "estimated", inputTokens: 39, outputTokens: 6, totalTokens: 45 });
    expect(facts.usage.bounds).toEqual({ inputLow: 32, inputHigh: 49, outputLow: 1, outputHigh: 11 });
    expect(facts.lines.map(({ modality, quantity, source }) => [modality, quantity, source])).toEqual([
      ["text", 2, "estimated"],
      ["audio", 37, "estimated"],
      ["text", 6, "estimated"],
    ]);
    const diarized = await transcribe({ ...form({ file, model: "gpt-4o-transcribe-diarize" }) });
    expect(diarized.usage.bounds?.outputHigh).toBeNull();
  });

  test("of a file that nobody can measure says that its length is unknown", async () => {
    const text = { ...file, bytes: Buffer.from("no sound") };
    const facts = await whisper(form({ file: text, model: "whisper-1" }));
    expect(facts).toMatchObject({
      lines: [],
      usage: { source: "none" },
      inputAudioMs: null,
      problems: ["duration_unknown"],
    });
    const tokens = await transcribe(form({ file: text, model: "gpt-4o-transcribe" }));
    expect(tokens.usage).toMatchObject({ source: "estimated", inputTokens: null, totalTokens: null, outputTokens: 2 });
    expect(tokens.problems).toEqual(["duration_unknown"]);
  });

  test("of a file with a hole in it is estimated from what was kept", async () => {
    const bytes = mp3File(1000);
    const facts = await decode(
      withHole(
        exchange({ path, ...form({ model: "whisper-1", file: { ...file, bytes } }), response: { text: "Hi." } }),
        50_000,
      ),
    );
    expect(facts).toMatchObject({ inputAudioMs: 24_000, usage: { source: "estimated", durationSeconds: 24 } });
    expect(facts.problems).toEqual(["request_cut"]);
  });

  test("of 25 MB without a model is recorded with what is known", async () => {
    const bytes = Buffer.concat([wavFile(10), Buffer.alloc(25 << 20)]);
    bytes.writeUInt32LE(0, 40);
    const facts = await decode(
      withHole(exchange({ path, ...form({ file: { ...file, bytes } }), response: { text: "Hi." } }), 1 << 20),
    );
    // 26,214,400 bytes at 48 a millisecond, and ten milliseconds.
    expect(facts).toMatchObject({ model: null, inputAudioMs: 546_143, usage: { durationSeconds: 547 } });
    expect(facts.problems).toEqual(["request_cut", "model_missing"]);
  });

  test("that was refused costs nothing and used no model", async () => {
    const error = { message: "no such model", type: "invalid_request_error", code: "model_not_found" };
    const facts = await whisper({ status: 404, response: { error } });
    expect(facts).toMatchObject({ outcome: "failed", model: null, lines: [], usage: { source: "none" }, problems: [] });
    expect(facts.error?.code).toBe("model_not_found");
    const stated = await whisper({ status: 400, response: { error, usage: { type: "duration", seconds: 0 } } });
    expect(stated).toMatchObject({ usage: { source: "reported", durationSeconds: 0 }, lines: [], model: "whisper-1" });
    const html = await whisper({
      status: 502,
      headers: ["content-type", "text/html"],
      response: "<h1>Bad gateway</h1>",
    });
    expect(html).toMatchObject({ outcome: "failed", lines: [], error: { message: "Bad gateway" } });
  });

  test("at Azure has its deployment for a model", async () => {
    const facts = await whisper({
      path: "/openai/deployments/my-whisper/audio/transcriptions?api-version=1",
      ...form({ file }),
    });
    expect(facts).toMatchObject({ requestModel: "my-whisper", model: "my-whisper", problems: [] });
  });

  test("a translation is read in the same way", async () => {
    const facts = await whisper({ path: "/v1/audio/translations", response: { text: "Hello" } });
    expect(facts.lines).toEqual(second(4, "measured"));
  });

  test("keeps its file when asked to, and only if it is whole", async () => {
    const whole = exchange({ path, ...form({ model: "whisper-1", file }), response: { text: "Hi." } });
    expect((await decode(whole)).media).toEqual([]);
    const facts = await decode(whole, { keepAudio: true });
    expect(facts.media).toEqual([{ index: 0, direction: "input", mediaType: "audio/wav", bytes: file.bytes }]);
    expect(facts.content.input[0]?.parts).toEqual([
      { type: "audio", mediaType: "audio/wav", bytes: file.bytes.length, name: "a.wav", media: 0 },
    ]);
    expect((await decode(withHole(whole, 5000), { keepAudio: true })).media).toEqual([]);
  });
});

describe("a streamed transcription", () => {
  const usage = {
    type: "tokens",
    input_tokens: 37,
    input_token_details: { text_tokens: 0, audio_tokens: 37 },
    output_tokens: 4,
    total_tokens: 41,
  };
  const delta = (text: string) => events({ type: "transcript.text.delta", delta: text }).replaceAll("\n", "\r\n");
  const done = events({ type: "transcript.text.done", text: "Hi there.", usage }, "[DONE]").replaceAll("\n", "\r\n");

  test("tells when its words came, and its usage at the end", async () => {
    const response = [
      [100, delta("Hi")],
      [150, delta(" there.")],
      [1400, done],
    ];
    const facts = await transcribe({ response, headers: ["content-type", "text/event-stream"] });
    expect(facts.marks).toMatchObject({
      firstTokenMs: 100,
      firstTextMs: 100,
      lastTokenMs: 150,
      longestGapMs: 50,
      contentChunks: 2,
    });
    expect(facts).toMatchObject({ streamed: true, outcome: null, problems: [], usage: { inputAudioTokens: 37 } });
    expect(facts.content.output[0]?.parts).toEqual([{ type: "text", text: "Hi there." }]);
  });

  test("reads segments of speakers where there are no deltas", async () => {
    const segment = events({ type: "transcript.text.segment", text: " Hi there.", speaker: "A", start: 0, end: 1 });
    const facts = await transcribe({ response: segment + done });
    expect(facts.marks.contentChunks).toBe(1);
    expect(facts.content.output[0]?.parts).toEqual([{ type: "text", text: "Hi there." }]);
  });

  test("that broke off is estimated from what came", async () => {
    const facts = await transcribe({ response: delta("Hi") + delta(" there.") });
    expect(facts).toMatchObject({ outcome: "truncated", problems: ["stream_without_terminal_event"] });
    expect(facts.usage).toMatchObject({ source: "estimated", inputTokens: 37, outputTokens: 3 });
    expect(facts.usage.bounds?.outputHigh).toBeNull();
  });

  test("with an error inside failed", async () => {
    const facts = await transcribe({
      response: delta("Hi") + events({ error: { message: "overloaded", type: "server_error" } }),
    });
    expect(facts).toMatchObject({ outcome: "failed", error: { type: "server_error" }, lines: [] });
  });

  test("cut at any byte gives facts, and split anywhere the same ones", async () => {
    const bytes = Buffer.from(delta("Hi") + delta(" there.") + done);
    const headers = ["content-type", "text/event-stream"];
    const split = await transcribe({ response: bytes, headers, split: oddly });
    expect({ ...split, marks: null }).toEqual({ ...(await transcribe({ response: bytes, headers })), marks: null });
    for (let end = 0; end < bytes.length; end += 3) {
      const facts = await transcribe({
        response: bytes.subarray(0, end),
        headers,
      });
      expect(facts.problems).not.toContain("reader_failed");
      expect(facts.lines.length > 0 || facts.outcome !== null).toBe(true);
    }
  });
});

/** As the proxy keeps a large request: its beginning, and its last kilobyte. */
function withHole(whole: Exchange, head: number): Exchange {
  const bytes = whole.request.chunks[0]?.bytes ?? Buffer.alloc(0);
  const tail = bytes.length - 1024;
  const chunks = [
    { atMs: 1, offset: 0, bytes: bytes.subarray(0, head) },
    { atMs: 2, offset: tail, bytes: bytes.subarray(tail) },
  ];
  return { ...whole, request: { chunks, bytes: bytes.length, cut: true } };
}
