import { randomBytes } from "node:crypto";
import { afterEach, expect, test, vi } from "vitest";
import { createStretchDecoder } from "#lib/recorder/decode-stretch.ts";
import { chatExchange } from "#tests/support/exchange.ts";

const DAY_MS = 86_400_000;
const START = Date.UTC(2026, 5, 16);

afterEach(() => {
  vi.useRealTimers();
});

const newDecoder = () =>
  createStretchDecoder({
    projectId: "default",
    contentKey: randomBytes(32),
    knownInstructions: new Set(),
    spoolKey: randomBytes(32),
    caution: { careful: () => false, isDeadly: () => false, begins() {}, stored() {}, over() {} },
  });

test("while many are decoded the loop turns, so that what is stored meanwhile goes on", async () => {
  let turns = 0;
  let counting = true;
  const count = () => {
    turns++;
    if (counting) setImmediate(count);
  };
  setImmediate(count);
  const { calls } = await newDecoder().decode(Array.from({ length: 200 }, () => chatExchange()));
  counting = false;
  expect(calls).toHaveLength(200);
  expect(turns).toBeGreaterThanOrEqual(3);
});

test("words of instructions that were forgotten come back within a day of being said again", async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: START });
  const decoder = newDecoder();
  const request_ = { model: "gpt-4o", messages: [{ role: "system", content: "Be brief." }] };
  const brings = async () =>
    (await decoder.decode([chatExchange({ request_ })])).calls.map(({ words }) => words !== null);
  expect(await brings()).toEqual([true]);
  expect(await brings()).toEqual([false]);
  vi.setSystemTime(START + DAY_MS + 1);
  expect(await brings()).toEqual([true]);
  expect(await brings()).toEqual([false]);
});
