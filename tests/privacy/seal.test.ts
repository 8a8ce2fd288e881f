import { randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { Content } from "#lib/call.ts";
import { openContent, RedactionFailed, toStorable, UnsealFailed } from "#lib/privacy/seal.ts";

const key = randomBytes(32);
const content: Content = {
  parameters: { temperature: 0.2 },
  tools: [],
  input: [{ role: "user", parts: [{ type: "text", text: "What did Ada write? 🖋" }] }],
  output: [{ role: "assistant", parts: [{ type: "text", text: "Notes. ".repeat(200) }] }],
};

test("what is sealed can be opened with the same key, and holds nothing readable", () => {
  const { sealed, redactions } = toStorable(content, key);
  expect(openContent(sealed, key)).toEqual(content);
  expect(redactions).toEqual({});
  expect(sealed.includes("Ada")).toBe(false);
  expect(sealed.length).toBeLessThan(300);
});

test("the same content never looks the same twice", () => {
  expect(toStorable(content, key).sealed.equals(toStorable(content, key).sealed)).toBe(false);
});

test("a secret is gone before it is sealed", () => {
  const leaky = { ...content, parameters: { note: "password=hunter22!" } };
  const { sealed, redactions } = toStorable(leaky, key);
  expect(openContent(sealed, key).parameters).toEqual({ note: "password=[secret:password]" });
  expect(redactions).toEqual({ "secret:password": 1 });
});

describe("refused", () => {
  const { sealed } = toStorable(content, key);

  test("another key", () => expect(() => openContent(sealed, randomBytes(32))).toThrow(UnsealFailed));

  test("a change to any byte", () => {
    for (let at = 0; at < sealed.length; at++) {
      const changed = Buffer.from(sealed);
      changed[at] = (changed[at] as number) ^ 1;
      expect(() => openContent(changed, key)).toThrow(UnsealFailed);
    }
  });

  test("a cut", () => {
    for (let length = 0; length < sealed.length; length++)
      expect(() => openContent(sealed.subarray(0, length), key)).toThrow(UnsealFailed);
  });
});

test("content that cannot be redacted is not stored", () => {
  let nested: unknown = "deep";
  for (let i = 0; i < 200_000; i++) nested = [nested];
  expect(() => toStorable({ ...content, parameters: { nested } }, key)).toThrow(RedactionFailed);
});
