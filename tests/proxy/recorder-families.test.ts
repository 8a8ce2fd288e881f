import { expect, test } from "vitest";
import { gauge } from "#lib/metric-family.ts";
import { createFigures } from "#lib/proxy/figures.ts";
import type { WorkerTally } from "#lib/proxy/messages.ts";
import { recorderFamilies } from "#lib/proxy/recorder-families.ts";
import type { RecorderState, SpoolState } from "#lib/recorder-state.ts";

const NOW = 1_800_000_000_000;

const worker = (over: Partial<WorkerTally> = {}): WorkerTally => ({
  worker: 0,
  spool: "spool-a",
  run: "run-2",
  accepted: 100,
  dropped: { spool_full: 7, too_many_calls: 3 },
  atRisk: 0,
  inFlight: 5,
  spoolBytes: 0,
  strained: false,
  figures: createFigures().read(),
  ...over,
});
const spool = (over: Partial<SpoolState> = {}): SpoolState => ({
  spool: "spool-a",
  counts: { run: "run-2", stored: 60, setAside: 2 },
  high: { segment: 1, offset: 0 },
  storedUntilMs: NOW - 3000,
  ...over,
});
const state = (spools: SpoolState[], writtenAtMs = NOW - 1000): RecorderState => ({
  writtenAtMs,
  spools,
  families: [gauge("omnimeter_said", "Said.", 1)],
});

function figures(from: RecorderState | null, workers: WorkerTally[]): Record<string, number | null> {
  const spools = (from?.spools ?? []).map((one, i) => ({ name: `worker-${i}`, dir: "", state: one }));
  return Object.fromEntries(
    recorderFamilies(from, workers, spools, NOW).map(({ name, samples }) => [
      name.replace("omnimeter_", ""),
      (samples[0]?.value as number | undefined) ?? null,
    ]),
  );
}

test("what is accepted and nowhere else is spooled", () => {
  expect(figures(state([spool()]), [worker()])).toEqual({
    recorder_up: 1,
    recorder_lag_seconds: 2,
    stored_calls_total: 60,
    set_aside_calls_total: 2,
    // 100 accepted, 10 dropped, 5 in flight, 62 ended.
    spooled_calls: 23,
    said: 1,
  });
});

test("a run of which the recorder has read nothing yet is in the spool altogether", () => {
  const before = spool({ counts: { run: "run-1", stored: 500, setAside: 0 } });
  expect(figures(state([before]), [worker()])).toMatchObject({ stored_calls_total: 0, spooled_calls: 85 });
});

test("each worker has its own, with its number", () => {
  const second = spool({ spool: "spool-b", counts: { run: "run-9", stored: 1, setAside: 0 } });
  const other = worker({ worker: 1, spool: "spool-b", run: "run-9", accepted: 4, dropped: {}, inFlight: 1 });
  const families = recorderFamilies(state([spool(), second]), [worker(), other], [], NOW);
  const samples = (name: string) => families.find((one) => one.name === `omnimeter_${name}`)?.samples;
  expect(samples("stored_calls_total")).toEqual([
    { labels: { worker: "0" }, value: 60 },
    { labels: { worker: "1" }, value: 1 },
  ]);
  expect(samples("spooled_calls")).toEqual([
    { labels: { worker: "0" }, value: 23 },
    { labels: { worker: "1" }, value: 2 },
  ]);
});

test("while no worker answers, nothing is said to be stored, not even 0", () => {
  const families = recorderFamilies(state([spool()]), [], [], NOW);
  expect(families.find(({ name }) => name === "omnimeter_stored_calls_total")?.samples).toEqual([]);
});

test.each([
  ["the recorder does not hold a spool", [spool({ counts: null })]],
  ["the recorder has not found a spool yet", []],
])("when %s, the equation is unknown and not wrong", (_, spools) => {
  const names = Object.keys(figures(state(spools), [worker()]));
  expect(names).toEqual(["recorder_up", "recorder_lag_seconds", "said"]);
});

test("words older than ten seconds are no longer the recorder's, nor are words from the future", () => {
  for (const writtenAtMs of [NOW - 10_001, NOW + 10_001])
    expect(figures(state([spool()], writtenAtMs), [worker()])).toEqual({ recorder_up: 0 });
  expect(figures(null, [worker()])).toEqual({ recorder_up: 0 });
  expect(figures(state([spool()], NOW - 10_000), [worker()]).recorder_up).toBe(1);
});
