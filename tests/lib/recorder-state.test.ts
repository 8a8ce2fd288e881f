import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { createBucketCounter } from "#lib/bucket-counter.ts";
import { byLabel, counter, histogram } from "#lib/metric-family.ts";
import { type RecorderState, readRecorderState, writeRecorderState } from "#lib/recorder-state.ts";

const dir = mkdtempSync(join(tmpdir(), "omnimeter-state-"));
afterAll(() => rmSync(dir, { recursive: true }));
const file = join(dir, "recorder-state.json");

const state: RecorderState = {
  writtenAtMs: 1,
  spools: [
    { spool: "a", counts: { run: "r", stored: 2, setAside: 0 }, high: { segment: 3, offset: 4 }, storedUntilMs: 5 },
    { spool: "b", counts: null, high: { segment: 0, offset: 0 }, storedUntilMs: null },
  ],
  families: [
    counter("omnimeter_c_total", "C.", byLabel("model", { 'gpt "4"\n': 1 })),
    histogram("omnimeter_h", "H.", createBucketCounter([1, 2]).read()),
  ],
};

test("what was written is read, and nothing else is left in the folder", () => {
  writeRecorderState(dir, state);
  expect(readRecorderState(dir)).toEqual(state);
  expect(readdirSync(dir)).toEqual(["recorder-state.json"]);
});

test("without a file nothing is known", () => {
  expect(readRecorderState(join(dir, "nowhere"))).toBeNull();
});

const changed = (change: (copy: RecorderState) => unknown) => {
  const copy = structuredClone(state);
  change(copy);
  return JSON.stringify(copy);
};
test.each([
  ["empty", ""],
  ["half", JSON.stringify(state).slice(0, 200)],
  ["null", "null"],
  ["a list", "[]"],
  ["without a time", changed((copy) => Object.assign(copy, { writtenAtMs: "now" }))],
  ["with a spool that is none", changed((copy) => Object.assign(copy.spools[0] as object, { high: 7 }))],
  ["with a count that is none", changed((copy) => Object.assign(copy.spools[0] as object, { counts: { run: "r" } }))],
  ["with a foreign name", changed((copy) => Object.assign(copy.families[0] as object, { name: "up 1\nomnimeter_x" }))],
  ["with an unknown type", changed((copy) => Object.assign(copy.families[0] as object, { type: "constructor" }))],
  [
    "with a value that is none",
    changed((copy) => Object.assign(copy.families[0]?.samples[0] as object, { value: "1" })),
  ],
  [
    "with a bad label",
    changed((copy) => Object.assign(copy.families[0]?.samples[0] as object, { labels: { 'a"': "" } })),
  ],
  [
    "with a bucket too few",
    changed(({ families }) => Object.assign(families[1]?.samples[0]?.value as object, { counts: [0, 0] })),
  ],
])("a file that is damaged (%s) is as good as none", (_, text) => {
  writeFileSync(file, text);
  expect(readRecorderState(dir)).toBeNull();
});
