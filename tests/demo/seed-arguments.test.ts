import { expect, test } from "vitest";
import { seedArguments } from "#lib/demo/seed-arguments.ts";

const NOW_MS = Date.parse("2026-11-20T16:50:12.345Z");
const read = (words: string) => seedArguments(words.split(" ").filter(Boolean), NOW_MS);

test("the number of calls is enough, the rest has defaults", () => {
  expect(read("--calls 60000")).toEqual({
    calls: 60_000,
    days: 60,
    seed: 1,
    untilMs: Date.parse("2026-11-20T16:50:12Z"),
    add: false,
  });
});

test("everything can be said, days and minutes as UTC", () => {
  expect(read("--calls 2000 --days 7 --seed 42 --until 2026-11-01T00:30Z --add")).toEqual({
    calls: 2000,
    days: 7,
    seed: 42,
    untilMs: Date.parse("2026-11-01T00:30:00Z"),
    add: true,
  });
  expect(read("--calls 2000 --until 2026-11-01").untilMs).toBe(Date.parse("2026-11-01T00:00:00Z"));
});

test.each([
  ["", "--calls is missing"],
  ["--calls", "Option '--calls <value>' argument missing"],
  ["--calls many", '--calls is "many"; it takes a whole number from 2000 to 1000000000'],
  ["--calls 1e6", '--calls is "1e6"; it takes a whole number'],
  ["--calls 1999", '--calls is "1999"; it takes a whole number from 2000'],
  ["--calls 2000 --days 0", '--days is "0"; it takes a whole number from 4 to 3650'],
  ["--calls 2000 --seed -1", "Option '--seed' argument is ambiguous"],
  ["--calls 2000 --until yesterday", '--until is "yesterday"; it takes a UTC moment such as 2026-11-20T00:00Z'],
  ["--calls 2000 --until 2026-11-20T10:00", '--until is "2026-11-20T10:00"; it takes a UTC moment'],
  ["--calls 2000 --until 2026-13-40", '--until is "2026-13-40"; it takes a UTC moment'],
  ["--calls 2000 --until 2026-11-21", "--until is 2026-11-21, which is still to come"],
  ["--calls 2000 --fast", "Unknown option '--fast'"],
  ["2000", "Unexpected argument '2000'"],
])("%s is refused: %s", (words, sentence) => {
  expect(() => read(words)).toThrow(sentence);
  expect(() => read(words)).toThrow("Usage: npm run seed -- --calls 1000000");
});
