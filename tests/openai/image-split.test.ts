import { expect, test } from "vitest";
import { addMoney } from "#lib/money.ts";
import { decode } from "#lib/openai/decode.ts";
import type { Facts } from "#lib/openai/facts.ts";
import { priceLines } from "#lib/pricing/price-lines.ts";
import { exchange } from "./from-recording.ts";

/** The first bytes of a PNG of that size: all that is looked at. */
const png = (width: number, height: number) => {
  const bytes = Buffer.alloc(24);
  bytes.write("\x89PNG\r\n\x1a\n", 0, "latin1");
  bytes.writeUInt32BE(width, 16);
  bytes.writeUInt32BE(height, 20);
  return `data:image/png;base64,${bytes.toString("base64")}`;
};
const picture = (url: string, detail?: string) => ({
  type: "image_url",
  image_url: { url, ...(detail && { detail }) },
});
const text = (value: string) => ({ type: "text", text: value });

const chat = (
  content: unknown,
  promptTokens: number,
  more: { model?: string; details?: object; before?: object[] } = {},
) => {
  const { model = "gpt-4o-2024-08-06", details = {}, before = [] } = more;
  return decode(
    exchange({
      request: { model, messages: [...before, { role: "user", content }] },
      response: {
        id: "c",
        model,
        choices: [{ index: 0, message: { role: "assistant", content: "Fine." }, finish_reason: "stop" }],
        usage: {
          prompt_tokens: promptTokens,
          completion_tokens: 2,
          total_tokens: promptTokens + 2,
          prompt_tokens_details: details,
        },
      },
    }),
  );
};

const short = ({ lines }: Facts) =>
  lines.map(({ direction, modality, cache, quantity, source }) => {
    expect(source).toBe("reported");
    return `${direction} ${modality} ${cache} ${quantity}`;
  });

test("the tokens of a picture of known size are told from those of text, and the sum stays", async () => {
  // 1024 × 1024 → 768 × 768, 4 tiles: 85 + 4 × 170 = 765. "What is this?" is 4 tokens, 8 with its message, 11 with the reply's opening.
  const facts = await chat([text("What is this?"), picture(png(1024, 1024), "high")], 776);
  expect(short(facts)).toEqual(["input text none 11", "input image none 765", "output text none 2"]);
  expect(facts.problems).toEqual(["image_split_estimated"]);
  expect(facts.usage).toMatchObject({ inputTokens: 776, inputTextTokens: null, inputImageTokens: null });
});

test("of the ways to scale a small picture the one that fits the total is taken", async () => {
  // 512 × 512: one tile as it is (255), four when enlarged (765), none at low detail (85).
  const content = [text("What is this?"), picture(png(512, 512))];
  for (const [promptTokens, image] of [
    [266, 255],
    [776, 765],
    [96, 85],
    [270, 255],
  ] as const) {
    const facts = await chat(content, promptTokens);
    expect(short(facts).slice(0, 2)).toEqual([`input text none ${promptTokens - image}`, `input image none ${image}`]);
    expect(facts.problems).toEqual(["image_split_estimated"]);
  }
});

test("a picture behind a URL is what text does not explain", async () => {
  const facts = await chat([text("What is this?"), picture("https://a.example/b.png")], 776);
  expect(short(facts).slice(0, 2)).toEqual(["input text none 11", "input image none 765"]);
  expect(facts.problems).toEqual(["image_split_estimated"]);
});

test("a division that the arithmetic does not explain is marked, and never takes more than there is", async () => {
  const far = await chat([text("What is this?"), picture(png(512, 512), "high")], 500);
  expect(far.problems).toEqual(["image_split_estimated", "image_split_off"]);
  const tiny = await chat([picture(png(1024, 1024), "high")], 50);
  expect(short(tiny)).toEqual(["input image none 50", "output text none 2"]);
  expect(tiny.problems).toEqual(["image_split_estimated", "image_split_off"]);
});

test("stated figures are not estimated", async () => {
  const content = [text("What is this?"), picture(png(1024, 1024))];
  const stated = await chat(content, 776, { details: { image_tokens: 765, text_tokens: 11, audio_tokens: 0 } });
  expect(stated.problems).toEqual([]);
  expect(short(stated).slice(0, 2)).toEqual(["input text none 11", "input image none 765"]);
  const textAlone = await chat(content, 776, { details: { text_tokens: 21, audio_tokens: 0 } });
  expect(textAlone.problems).toEqual([]);
  expect(short(textAlone).slice(0, 2)).toEqual(["input text none 21", "input image none 755"]);
});

test("models that read pictures at a price of their own, or are not known, keep one line", async () => {
  for (const model of ["o3-2025-04-16", "gpt-4-turbo", "llama-4", "gpt-realtime", "gpt-6-luna"]) {
    const facts = await chat([text("What is this?"), picture(png(1024, 1024))], 776, { model });
    expect(short(facts)).toEqual(["input text none 776", "output text none 2"]);
    expect(facts.problems).toEqual([]);
  }
});

test("what came from the cache is what stands at the beginning of the prompt", async () => {
  // 1,200 tokens of instructions ("a a a …": one each, and the words around), then two pictures of 765.
  const before = [{ role: "system", content: "a ".repeat(1200).trim() }];
  const content = [picture(png(1024, 1024), "high"), text("And this?"), picture(png(1024, 1024), "high")];
  const promptTokens = 1200 + 2 * 765 + 3 + 11;
  const inText = await chat(content, promptTokens, { before, details: { cached_tokens: 1152 } });
  expect(short(inText)).toEqual([
    `input text none ${1200 + 14 - 1152}`,
    "input image none 1530",
    "input text read 1152",
    "output text none 2",
  ]);
  const inPicture = await chat(content, promptTokens, { before, details: { cached_tokens: 1536 } });
  const read = short(inPicture).filter((line) => line.includes("read"));
  // The instructions, with their share of the words around messages, then the first picture up to 1,536.
  expect(read).toEqual(["input text read 1211", "input image read 325"]);
  expect(inPicture.problems).toEqual(["cached_split_assumed", "image_split_estimated"]);
});

test("the division moves no money, to the last digit", async () => {
  const models = [
    "gpt-4o-2024-05-13",
    "gpt-4o-2024-08-06",
    "gpt-4o-mini-2024-07-18",
    "gpt-4.1",
    "gpt-4.1-mini",
    "gpt-5",
    "gpt-5-mini",
    "ft:gpt-4o-2024-08-06:acme::1",
  ];
  const before = [{ role: "system", content: "a ".repeat(1200).trim() }];
  for (const model of models) {
    // The oldest has no cached price.
    const details = { cached_tokens: model === "gpt-4o-2024-05-13" ? 0 : 1536 };
    const content = [picture(png(1024, 1024), "high"), text("And this?")];
    const facts = await chat(content, 41_987, { model, before, details });
    expect(facts.lines.some(({ modality }) => modality === "image")).toBe(true);
    const whole = await chat("And this?", 41_987, { model, before, details });
    expect(cost(facts, model)).toBe(cost(whole, model));
  }
});

function cost({ lines }: Facts, model: string): string | null {
  const call = {
    model,
    serviceTier: null,
    region: null,
    startedAt: Date.UTC(2026, 0, 1),
    inputTokens: 41_987,
    projectId: "p",
    upstream: "default",
  };
  const costs = priceLines(lines, call).map(({ costUsd }) => costUsd);
  expect(costs).not.toContain(null);
  return (costs as string[]).reduce(addMoney);
}
