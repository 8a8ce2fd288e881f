import { randomBytes } from "node:crypto";
import { afterEach, expect, test, vi } from "vitest";
import { createStretchDecoder } from "#lib/recorder/decode-stretch.ts";
import { createSocketReading, type SessionStretch } from "#lib/recorder/read-sockets.ts";
import type { SocketStep } from "#lib/spool/socket-reader.ts";
import { chatExchange } from "#tests/support/exchange.ts";
import { tinyReader } from "#tests/support/tiny-session.ts";

const DAY_MS = 86_400_000;
const START = Date.UTC(2026, 5, 16);

afterEach(() => {
  vi.useRealTimers();
});

const caution = { careful: () => false, isDeadly: () => false, begins() {}, stored() {}, over() {} };
const reading = createSocketReading({ projectId: "default", caution, readerOf: () => tinyReader });
const newDecoder = (over: Partial<Parameters<typeof createStretchDecoder>[0]> = {}) =>
  createStretchDecoder({
    projectId: "default",
    contentKey: randomBytes(32),
    knownInstructions: new Set(),
    spoolKey: randomBytes(32),
    caution,
    reading,
    ...over,
  });

test("while many are decoded the loop turns, so that what is stored meanwhile goes on", async () => {
  let turns = 0;
  let counting = true;
  const count = () => {
    turns++;
    if (counting) setImmediate(count);
  };
  setImmediate(count);
  const { calls } = await newDecoder().decode(
    Array.from({ length: 200 }, () => chatExchange()),
    [],
  );
  counting = false;
  expect(calls).toHaveLength(200);
  expect(turns).toBeGreaterThanOrEqual(3);
});

test("words of instructions that were forgotten come back within a day of being said again", async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: START });
  const decoder = newDecoder();
  const request_ = { model: "gpt-4o", messages: [{ role: "system", content: "Be brief." }] };
  const brings = async () =>
    (await decoder.decode([chatExchange({ request_ })], [])).calls.map(({ words }) => words !== null);
  expect(await brings()).toEqual([true]);
  expect(await brings()).toEqual([false]);
  vi.setSystemTime(START + DAY_MS + 1);
  expect(await brings()).toEqual([true]);
  expect(await brings()).toEqual([false]);
});

/** What a session says, as the assembler gives it on. */
function stepsOf(texts: string[]): SocketStep<SessionStretch>[] {
  const { id, origin, start } = chatExchange();
  const source = { id, origin, start };
  const state = reading.open(source);
  return texts.map((text, i) => {
    const message = { from: "server" as const, atMs: 100 * (i + 1), bytes: text.length, text };
    return { source, state, output: reading.take(source, state, message, false), ended: false };
  });
}

test("a session's steps in one stretch are one row, as it stands after the last of them, with all of their turns", async () => {
  const steps = stepsOf(["done r0", "noise", "done r1"]);
  const other = stepsOf(["done o0"]);
  const mixed = [steps[0], other[0], steps[1], { ...steps[2], ended: true }] as SocketStep<SessionStretch>[];
  const { calls, sessions } = await newDecoder().decode([], mixed);
  expect(calls.map(({ call }) => call.responseId)).toEqual(["r0", "o0", "r1"]);
  expect(sessions.map(({ session, turns, ended }) => [session.turns, turns.map(({ index }) => index), ended])).toEqual([
    [2, [0, 1], true],
    [1, [0], false],
  ]);
});

test("a session whose calls take the recorder down loses them and nobody else's", async () => {
  const [deadly, other] = [stepsOf(["done r0"]), stepsOf(["done o0"])];
  const isDeadly = ({ id }: { id: string }) => id === deadly[0]?.source.id;
  const { calls, sessions } = await newDecoder({ caution: { ...caution, isDeadly } }).decode([], [...deadly, ...other]);
  expect(calls.map(({ call }) => call.responseId)).toEqual(["o0"]);
  expect(sessions.map(({ session }) => session.problems)).toEqual([["reader_failed"], []]);
});
