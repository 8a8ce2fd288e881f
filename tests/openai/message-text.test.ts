import { describe, expect, test } from "vitest";
import { createMessageText } from "#lib/openai/message-text.ts";
import { seeded } from "#tests/support/split.ts";

const LIMIT = 256 << 10;
const ENDS = ["response.done", "response.completed", "conversation.item.input_audio_transcription.completed"];
const options = { keepAudio: false, textBytesMax: LIMIT, mask: (secret: string) => `fp_${secret.length}` };

function textOf(json: string | object, cuts: number[] = [], given: Partial<typeof options> = {}) {
  const message = createMessageText({ ...options, ...given });
  const bytes = Buffer.from(typeof json === "string" ? json : JSON.stringify(json));
  const edges = [0, ...cuts, bytes.length];
  for (let i = 1; i < edges.length; i++) {
    // As in the proxy: what is pushed is overwritten afterwards.
    const piece = Buffer.from(bytes.subarray(edges[i - 1], edges[i]));
    message.push(piece, i === edges.length - 1);
    piece.fill(0);
  }
  const { bytes: text, cut, endsCall } = message.take();
  expect(endsCall).toBe(ENDS.includes(/^\{"type":"([\w.]+)"/.exec(bytes.toString())?.[1] ?? ""));
  return { text: text.toString(), cut };
}
const parsed = (json: string | object, cuts?: number[]) => JSON.parse(textOf(json, cuts).text);

const audio = (base64Bytes: number, padding = "") =>
  "QUJD+/".repeat(Math.ceil(base64Bytes / 6)).slice(0, base64Bytes - padding.length) + padding;

describe("audio in a message", () => {
  test.each([
    ["input_audio_buffer.append", "audio"],
    ["session.input_audio_buffer.append", "audio"],
    ["response.output_audio.delta", "delta"],
    ["response.audio.delta", "delta"],
    ["session.output_audio.delta", "delta"],
  ])("of %s is counted, short or long, and the rest stays as it is", (type, key) => {
    for (const [length, padding, kept] of [
      [4, "==", "elided:4=="],
      [1280, "", "elided:1280"],
      [1284, "=", "elided:1284="],
      [100_000, "==", "elided:100000=="],
    ] as const)
      expect(parsed({ type, event_id: "event_1", [key]: audio(length, padding), after: ["x", 1.5, null] })).toEqual({
        type,
        event_id: "event_1",
        [key]: kept,
        after: ["x", 1.5, null],
      });
  });

  test("is counted when it is long and the type comes after it", () => {
    expect(parsed(`{"audio": "${audio(600)}", "type": "input_audio_buffer.append"}`)).toEqual({
      audio: "elided:600",
      type: "input_audio_buffer.append",
    });
  });

  test("is counted when it is as short as a telephone's frame and the type comes after it", () => {
    for (const length of [4, 216, 512])
      expect(parsed(`{"audio":"${audio(length)}","event_id":"e","type":"input_audio_buffer.append"}`)).toEqual({
        audio: `elided:${length}`,
        event_id: "e",
        type: "input_audio_buffer.append",
      });
  });

  test("is nothing where a client writes itself what stands for it, so that nobody is charged for it", () => {
    for (const keepAudio of [true, false])
      for (const key of ["input_audio_buffer.append", "session.input_audio_buffer.append"])
        expect(JSON.parse(textOf({ type: key, audio: "elided:99999999" }, [], { keepAudio }).text).audio).toBe(
          "elided:0",
        );
    expect(parsed('{"audio":"elided:99999999","type":"input_audio_buffer.append"}').audio).toBe("elided:0");
  });

  test("is counted wherever it lies in an item, and a picture's data URL keeps its head", () => {
    const item = {
      type: "message",
      content: [
        { type: "input_audio", audio: audio(4000, "=") },
        { type: "input_text", text: "see: " },
        { type: "input_image", image_url: `data:image/png;base64,${audio(2000, "==")}` },
      ],
    };
    expect(parsed({ type: "conversation.item.create", item }).item.content).toEqual([
      { type: "input_audio", audio: "elided:4000=" },
      { type: "input_text", text: "see: " },
      { type: "input_image", image_url: "data:image/png;base64,elided:2000==" },
    ]);
  });

  test("is counted without what JSON put into it: escaped slashes, plus signs and line ends", () => {
    const base64 = `${"AB/+".repeat(200)}`;
    const php = `{"type":"input_audio_buffer.append","audio":"${base64.replaceAll("/", "\\/")}"}`;
    const dotnet = `{"type":"input_audio_buffer.append","audio":"${base64.replaceAll("+", "\\u002B")}"}`;
    for (const json of [php, dotnet, php.replace(/(.{600})/, "$1\\n")]) {
      expect(parsed(json).audio).toBe("elided:800");
      for (let at = 1; at < json.length; at += 7) expect(parsed(json, [at]).audio).toBe("elided:800");
    }
  });

  test("is kept when it shall be", () => {
    const event = { type: "input_audio_buffer.append", audio: audio(5000) };
    expect(JSON.parse(textOf(event, [], { keepAudio: true }).text)).toEqual(event);
  });
});

describe("what is no audio stays, to the last character", () => {
  test.each([
    ["a transcript", { type: "response.output_audio_transcript.delta", delta: "Hello" }],
    ["a short delta of text that could be base64", { type: "response.output_text.delta", delta: "abcd" }],
    ["a long text", { type: "session.update", session: { instructions: "Be brief. ".repeat(1000) } }],
    ["a long word of another event", { type: "response.output_text.delta", delta: "a".repeat(3000) }],
    ["a long text in an item", { type: "conversation.item.create", item: { text: 'She said: "no" \\ '.repeat(200) } }],
    ["audio that is none", { type: "input_audio_buffer.append", audio: "not base64!" }],
    ["a response's end", { type: "response.done", response: { id: "resp_1" } }],
    ["a response's end over a WebSocket of Responses", { type: "response.completed", response: { id: "resp_1" } }],
    ["a transcript's end", { type: "conversation.item.input_audio_transcription.completed", transcript: "Hello" }],
    ["empty audio", { type: "input_audio_buffer.append", audio: "" }],
    ["a picture's address", { type: "conversation.item.create", image_url: `https://x/${"a".repeat(900)}` }],
    ["quotes and backslashes", { type: 'a"b', "k\\": '\\\\"', x: `${"\\".repeat(601)}"` }],
    ["other languages", { type: "x", text: "你好 🎙️ ".repeat(300) }],
    ["a type further down", { item: { type: "input_audio_buffer.append", audio: "QUJD" } }],
    ["what a very long name names", { audio: "", [`k${"e".repeat(600)}`]: "a".repeat(3000) }],
    ["a secret-like word that a very long name names", { client_secret: "", [`k${"e".repeat(600)}`]: "ek_1" }],
    [
      "base64 that is no audio, but a tool's answer",
      { type: "conversation.item.create", item: { output: "A".repeat(900) } },
    ],
    [
      "base64 that is no audio, but somebody's words",
      { type: "conversation.item.create", item: { text: "A".repeat(900) } },
    ],
  ])("%s", (_, event) => {
    const json = JSON.stringify(event);
    expect(textOf(json)).toEqual({ text: json, cut: false });
  });

  test.each(["", "{", '"', '{"type":"input_audio_buffer.append","audio":"QUJD', "hello", "]]}}", '\\"', '{"a":'])(
    "no JSON: %s",
    (text) => {
      expect(textOf(text)).toEqual({ text, cut: false });
    },
  );
});

test("an ephemeral key becomes what stands for it, whether audio is kept or not", () => {
  const created = { type: "session.created", session: { client_secret: { value: "ek_1234567", expires_at: 1 } } };
  for (const keepAudio of [true, false])
    expect(JSON.parse(textOf(created, [], { keepAudio }).text).session.client_secret.value).toBe("fp_10");
  expect(parsed({ client_secret: "ek_abc", value: "ek_", other: "ek_123" })).toEqual({
    client_secret: "fp_6",
    value: "fp_3",
    other: "ek_123",
  });
});

test("of a text beyond the limit its beginning is kept, and audio does not count towards it", () => {
  const long = JSON.stringify({ type: "x", text: "ä ".repeat(200_000) });
  expect(textOf(long)).toEqual({ text: Buffer.from(long).subarray(0, LIMIT).toString(), cut: true });
  const event = `{"type":"input_audio_buffer.append","audio":"${audio(1_000_000)}"}`;
  expect(textOf(event, [], { textBytesMax: 80 })).toEqual({
    text: '{"type":"input_audio_buffer.append","audio":"elided:1000000"}',
    cut: false,
  });
  expect(textOf("abc", [], { textBytesMax: 0 })).toEqual({ text: "", cut: true });
});

test("of an answer beyond the limit its end is kept too, where its usage stands", () => {
  const response = { id: "resp_1", tools: ["ö".repeat(300_000)], usage: { input_tokens: 7 } };
  const json = JSON.stringify({ type: "response.completed", response, sequence_number: 9 });
  const bytes = Buffer.from(json);
  for (const cuts of [[], [LIMIT], [100, LIMIT - 1, LIMIT + 5, bytes.length - 3], [...bytes.keys()].slice(-40_000)]) {
    const message = createMessageText(options);
    for (const [i, from] of [0, ...cuts].entries())
      message.push(bytes.subarray(from, cuts[i] ?? bytes.length), i === cuts.length);
    const { bytes: kept, cut } = message.take();
    const joint = kept.indexOf(0);
    expect({ cut, length: kept.length }).toEqual({ cut: true, length: LIMIT });
    expect(kept.subarray(0, joint).equals(bytes.subarray(0, joint))).toBe(true);
    expect(kept.subarray(joint + 1).equals(bytes.subarray(-(16 << 10)))).toBe(true);
  }
  const small = createMessageText({ ...options, textBytesMax: 1000 });
  small.push(bytes, true);
  expect(small.take().bytes.equals(bytes.subarray(0, 1000))).toBe(true);
});

test("one message after another: nothing of the last is in the next", () => {
  const message = createMessageText(options);
  const first = Buffer.from(`{"type":"input_audio_buffer.append","audio":"${audio(700)}`);
  message.push(first, true);
  expect(message.take().bytes.toString()).toBe('{"type":"input_audio_buffer.append","audio":"elided:700');
  message.push(Buffer.from('{"delta":"QUJD"}'), true);
  expect(message.take().bytes.toString()).toBe('{"delta":"QUJD"}');
});

test("whole or cut anywhere, the text is the same", () => {
  const random = seeded(7);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  for (let round = 0; round < 300; round++) {
    const event = {
      ...(random() < 0.8 && { type: pick(["input_audio_buffer.append", "conversation.item.create", "x"]) }),
      [pick(["audio", "delta", "text", "image_url"])]: pick([
        audio(Math.floor(random() * 2000)),
        audio(Math.floor(random() * 2000) + 4, "=="),
        `data:image/png;base64,${audio(900)}`,
        '"\\'.repeat(Math.floor(random() * 600)),
        "ab cd ".repeat(Math.floor(random() * 300)),
      ]),
      value: pick(["ek_secret", "x"]),
      last: [1, { a: "b" }],
    };
    const json = JSON.stringify(event);
    const whole = textOf(json);
    const size = Buffer.byteLength(json);
    const cuts = Array.from({ length: 1 + Math.floor(random() * 6) }, () => Math.floor(random() * size));
    expect(
      textOf(
        json,
        cuts.sort((a, b) => a - b),
      ),
    ).toEqual(whole);
    if (round < 30)
      expect(
        textOf(
          json,
          Array.from({ length: size }, (_, i) => i),
        ),
      ).toEqual(whole);
    JSON.parse(whole.text);
  }
});
