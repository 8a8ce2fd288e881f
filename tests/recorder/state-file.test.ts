import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createLog } from "#lib/log.ts";
import { createFigures } from "#lib/recorder/figures.ts";
import { keepStateFile } from "#lib/recorder/state-file.ts";
import { readRecorderState, writeRecorderState } from "#lib/recorder-state.ts";

let dir: string;
beforeEach(() => {
  vi.useFakeTimers({ now: 1_800_000_000_000 });
  dir = mkdtempSync(join(tmpdir(), "omnimeter-state-file-"));
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(dir, { recursive: true });
});

const recorder = () => createFigures({ earlier: [], countRun: async () => ({ stored: 0, setAside: 0 }) });
const keep = (figures: ReturnType<typeof recorder>) => keepStateFile(dir, figures, createLog("test"));
const spoolsSaid = () => readRecorderState(dir)?.spools.map(({ spool }) => spool);
const held = { run: "r", high: { segment: 1, offset: 0 } };

test("a second recorder that holds nothing leaves the first one's figures alone, and takes over when it is gone", async () => {
  const first = recorder();
  const watch = await first.follow("spool-a", held);
  keep(first);
  const second = recorder();
  vi.advanceTimersByTime(500);
  keep(second);
  for (let look = 0; look < 5; look++) {
    expect(spoolsSaid()).toEqual(["spool-a"]);
    vi.advanceTimersByTime(500);
  }
  // The first lets go, as a recorder does that stops, and the second one follows the spool.
  watch.letGo();
  await second.follow("spool-b", held);
  vi.advanceTimersByTime(1000);
  expect(spoolsSaid()).toEqual(["spool-b"]);
  vi.advanceTimersByTime(500);
  expect(spoolsSaid()).toEqual(["spool-b"]);
});

test("alone it speaks at once and each second, with a spool or without one", () => {
  keep(recorder());
  expect(readRecorderState(dir)?.writtenAtMs).toBe(1_800_000_000_000);
  vi.advanceTimersByTime(1000);
  expect(readRecorderState(dir)?.writtenAtMs).toBe(1_800_000_001_000);
});

test("what a dead recorder said last is in nobody's way once it is old", () => {
  writeRecorderState(dir, { writtenAtMs: 1_800_000_000_000 - 9500, spools: [], families: [] });
  keep(recorder());
  expect(readRecorderState(dir)?.writtenAtMs).toBe(1_800_000_000_000 - 9500);
  vi.advanceTimersByTime(1000);
  expect(readRecorderState(dir)?.writtenAtMs).toBe(1_800_000_001_000);
});
