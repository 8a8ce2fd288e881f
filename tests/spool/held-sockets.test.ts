import { expect, test } from "vitest";
import { bytesOf, createHeldSockets } from "#lib/spool/held-sockets.ts";

test("a JSON value is about as large as its text, sixteen bytes for each value and sixteen for each name", () => {
  expect(bytesOf(null)).toBe(16);
  expect(bytesOf(1.5)).toBe(16);
  expect(bytesOf("abc")).toBe(19);
  expect(bytesOf(["a", "bc"])).toBe(16 + 17 + 18);
  expect(bytesOf({ a: "x", b: { c: [] } })).toBe(16 + (16 + 17) + (16 + 16 + 16 + 16));
});

test("what is there is looked at first, and whenever 64 kB have been told; in between it grows by what is told", () => {
  const held = createHeldSockets();
  const state = { words: "" };
  // An object, a name and an empty text.
  expect(held.grew(1, state, 0)).toBe(48);
  expect(held.grew(1, state, 60_000)).toBe(60_000);
  expect(held.bytes(1)).toBe(60_048);
  // Nothing of it was kept.
  expect(held.grew(1, state, 10_000)).toBe(-60_000);
  expect(held.bytes(1)).toBe(48);
});

test("what was given up once is not asked for again, until there is more", () => {
  const held = createHeldSockets();
  const state = { words: "x".repeat(100_000) };
  held.grew(1, state, 100_000);
  expect(held.spare(1)).toBe(100_048);
  state.words = "y".repeat(1000);
  expect(held.gaveUp(1, state)).toBe(99_000);
  expect(held.spare(1)).toBe(0);
  state.words += "z".repeat(80_000);
  held.grew(1, state, 80_000);
  expect(held.spare(1)).toBe(80_000);
  held.forget(1);
  expect(held.bytes(1)).toBe(0);
});
