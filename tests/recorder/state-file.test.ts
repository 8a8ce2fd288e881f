import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createLog } from "#lib/log.ts";
import { createFigures } from "#lib/recorder/figures.ts";
import { keepStateFile } from "#lib/recorder/state-file.ts";
import { RECORDER_SLOTS, readRecorderState, readSlot, writeRecorderState } from "#lib/recorder-state.ts";

const NOW = 1_800_000_000_000;
/** A process that lives and is not this one. */
const ALIVE = process.ppid;

let dir: string;
beforeEach(() => {
  vi.useFakeTimers({ now: NOW });
  dir = mkdtempSync(join(tmpdir(), "omnimeter-state-file-"));
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(dir, { recursive: true });
});

const recorder = () => createFigures({ earlier: [], countRun: async () => ({ stored: 0, setAside: 0 }) });
const keep = (figures = recorder(), holder?: string) =>
  keepStateFile(
    dir,
    figures,
    createLog("test", () => {}),
    holder,
  );
const held = { run: "r", high: { segment: 1, offset: 0 } };
const said = (holder: string, writtenAtMs = NOW, slot = 0) =>
  writeRecorderState(dir, { holder, writtenAtMs, spools: [], families: [] }, slot);

test("two recorders of one folder each have their say, and are read as one", async () => {
  const first = recorder();
  const watch = await first.follow("spool-a", held);
  keep(first, `${ALIVE}:first`);
  const second = recorder();
  await second.follow("spool-b", held);
  keep(second, "1:second");
  for (let look = 0; look < 5; look++) {
    expect(readRecorderState(dir)?.spools).toMatchObject([
      { spool: "spool-a", counts: { run: "r" } },
      { spool: "spool-b", counts: { run: "r" } },
    ]);
    vi.advanceTimersByTime(500);
  }
  const batches = readRecorderState(dir)?.families.find(({ name }) => name === "omnimeter_batch_calls");
  expect(batches?.samples.map(({ labels }) => labels)).toEqual([{}, { recorder: "1" }]);
  // The first lets go, as a recorder does that stops, and the second one takes it.
  watch.letGo();
  await second.follow("spool-a", { run: "s", high: { segment: 2, offset: 5 } });
  vi.advanceTimersByTime(1000);
  const [a] = readRecorderState(dir)?.spools ?? [];
  expect(a).toMatchObject({ spool: "spool-a", counts: { run: "s" }, high: { segment: 2, offset: 5 } });
});

test("two that begin in the same moment part at their next word", () => {
  keep(recorder(), `${ALIVE}:first`);
  // As if neither had seen the other.
  said(`${ALIVE}:other`);
  vi.advanceTimersByTime(1000);
  expect([readSlot(dir, 0)?.holder, readSlot(dir, 1)?.holder]).toEqual([`${ALIVE}:other`, `${ALIVE}:first`]);
});

test("alone it speaks at once and each second, with a spool or without one", () => {
  keep();
  expect(readRecorderState(dir)?.writtenAtMs).toBe(NOW);
  vi.advanceTimersByTime(1000);
  expect(readRecorderState(dir)?.writtenAtMs).toBe(NOW + 1000);
});

test.each([
  ["whose process is gone", "999999999:dead", NOW],
  ["that is silent for long", `${ALIVE}:hung`, NOW - 10_001],
  ["that had this process's number", `${process.pid}:before`, NOW],
])("takes the place of one %s", (_, holder, writtenAtMs) => {
  said(holder, writtenAtMs);
  keep(recorder(), "2:mine");
  expect(readSlot(dir, 0)?.holder).toBe("2:mine");
});

test("what a dead one said of a spool stays true, but its counts are not known and its figures are gone", async () => {
  const first = recorder();
  await first.follow("spool-a", held);
  writeRecorderState(dir, { ...first.state(), holder: "1:dead", writtenAtMs: NOW - 60_000 }, 1);
  keep(recorder(), "2:mine");
  const state = readRecorderState(dir);
  expect(state?.spools).toMatchObject([{ spool: "spool-a", counts: null, high: held.high }]);
  expect(state?.families.every(({ samples }) => samples.every(({ labels }) => !("recorder" in labels)))).toBe(true);
});

test("one more than there are places for says nothing, and disturbs nobody", () => {
  for (let slot = 0; slot < RECORDER_SLOTS; slot++) said(`${ALIVE}:${slot}`, NOW, slot);
  keep(recorder(), "2:mine");
  const holders = Array.from({ length: RECORDER_SLOTS }, (_, slot) => readSlot(dir, slot)?.holder);
  expect(holders).not.toContain("2:mine");
});
