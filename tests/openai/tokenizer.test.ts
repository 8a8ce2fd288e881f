import { countTokens } from "gpt-tokenizer/encoding/o200k_base";
import { expect, it } from "vitest";
import { loadTokenizer } from "#lib/openai/usage/tokenizer.ts";
import { seeded } from "#tests/support/split.ts";

const WORDS = ["the", "quick", "naïve", "über", "日本語", "🙂", "1234", "don't", "\n\n", "<|endoftext|>"];

it("counts a text the same however often it comes, and whatever comes between", async () => {
  const count = await loadTokenizer();
  const random = seeded(7);
  const texts = Array.from({ length: 60 }, (_, i) =>
    Array.from({ length: i * 2 }, () => WORDS[Math.floor(random() * WORDS.length)]).join(" "),
  );
  const first = texts.map(count);
  expect(texts.map(count)).toEqual(first);
  for (let i = 0; i < 10_100; i++) count(`${i} `.repeat(30));
  expect(texts.map(count)).toEqual(first);
});

it("tells long texts apart that differ in their last word", async () => {
  const count = await loadTokenizer();
  const beginning = "hello ".repeat(15).trim();
  const longer = `${beginning} hello hello hello`;
  // Both are cut at one place only, before a space: that changes no count.
  expect([beginning, longer, longer, beginning].map(count)).toEqual([15, 18, 18, 15]);
  expect(countTokens(longer)).toBe(18);
});
