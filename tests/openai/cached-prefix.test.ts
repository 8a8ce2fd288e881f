import { expect, test } from "vitest";
import type { UsageLine } from "#lib/call.ts";
import type { Modality } from "#lib/modalities.ts";
import { alongPrompt } from "#lib/openai/usage/cached-prefix.ts";
import type { PromptPart } from "#lib/openai/usage/prompt-parts.ts";
import { promptParts } from "#lib/openai/usage/prompt-parts.ts";
import { seeded } from "#tests/support/split.ts";

const part = (modality: Modality, tokens: number): PromptPart => ({
  modality,
  tokens: { likely: tokens, low: tokens, high: tokens },
  known: true,
});
const line = (modality: Modality, cache: UsageLine["cache"], quantity: number): UsageLine => ({
  direction: "input",
  modality,
  cache,
  unit: "token",
  product: null,
  quantity,
  source: "reported",
});
const short = (lines: UsageLine[]) => lines.map(({ modality, cache, quantity }) => `${modality} ${cache} ${quantity}`);

test("the cache covers the beginning of the prompt, and what was written follows", () => {
  const prompt = [part("text", 1000), part("image", 500), part("text", 200), part("audio", 300)];
  const lines = [
    line("text", "none", 100),
    line("audio", "none", 300),
    line("text", "read", 1280),
    line("text", "write", 320),
  ];
  // 1,280 read: 1,000 of text, 280 of the picture. 320 written: its other 220, 100 of text. The rest: 100 of text, the audio.
  expect(short(alongPrompt(lines, 500, prompt))).toEqual([
    "text none 100",
    "audio none 300",
    "text read 1000",
    "image read 280",
    "text write 100",
    "image write 220",
  ]);
});

test("guesses are stretched to what was reported, and what no guess explains stands first", () => {
  // Twice the guess: 200 of text, 100 of a picture, 200 of text.
  const prompt = [part("text", 100), part("image", 50), part("text", 100)];
  const lines = [line("text", "none", 244), line("text", "read", 256)];
  expect(short(alongPrompt(lines, 100, prompt))).toEqual([
    "text none 200",
    "image none 44",
    "text read 200",
    "image read 56",
  ]);
  expect(short(alongPrompt(lines, 100, [part("image", 85)]))).toEqual([
    "text none 144",
    "image none 100",
    "text read 256",
  ]);
});

test("whatever the prompt, every modality and every state of the cache keeps its sum", () => {
  const next = seeded(42);
  const upTo = (max: number) => Math.floor(next() * (max + 1));
  const caches = ["none", "read", "write", "write_30m", "write_12h"] as const;
  for (let round = 0; round < 3000; round++) {
    const lines = caches.flatMap((cache) => [line("text", cache, upTo(900)), line("audio", cache, upTo(90))]);
    const of = (list: UsageLine[], fits: (one: UsageLine) => boolean) =>
      list.filter(fits).reduce((sum, { quantity }) => sum + quantity, 0);
    const text = of(lines, ({ modality }) => modality === "text");
    const image = upTo(text);
    const prompt = Array.from({ length: upTo(6) }, () =>
      part((["text", "image", "audio"] as const)[upTo(2)] ?? "text", upTo(800)),
    );
    const result = alongPrompt(lines, image, prompt);
    for (const cache of caches) {
      expect(of(result, (one) => one.cache === cache)).toBe(of(lines, (one) => one.cache === cache));
    }
    expect(of(result, ({ modality }) => modality === "text")).toBe(text - image);
    expect(of(result, ({ modality }) => modality === "image")).toBe(image);
    expect(result.every(({ quantity }) => quantity > 0)).toBe(true);
  }
});

test("a prompt is read in the order in which it is cached: tools, instructions, messages with their parts", () => {
  const letters = (text: string) => text.length;
  const data = Buffer.alloc(48_000).toString("base64");
  const parts = promptParts(
    {
      messages: [
        { role: "system", content: "12345" },
        {
          role: "user",
          content: [
            { type: "image_url", image_url: { url: "https://a.example/b.png", detail: "low" } },
            { type: "text", text: "123" },
            { type: "input_audio", input_audio: { data, format: "wav" } },
          ],
        },
      ],
      tools: [{ a: 1 }],
      instructions: "12",
    },
    "gpt-4o",
    letters,
  );
  // The tool is `{"a":1}`; low detail is 85; a second of raw audio is ten.
  expect(parts.map(({ modality, tokens }) => `${modality} ${tokens.likely}`)).toEqual([
    "text 7",
    "text 2",
    "text 5",
    "image 85",
    "text 3",
    "audio 10",
  ]);
});
