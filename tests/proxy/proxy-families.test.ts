import { expect, test } from "vitest";
import { createFigures } from "#lib/proxy/figures.ts";
import type { WorkerTally } from "#lib/proxy/messages.ts";
import { proxyFamilies } from "#lib/proxy/proxy-families.ts";

function tally(worker: number, accepted: number, overheadSeconds: number): WorkerTally {
  const figures = createFigures();
  figures.overheadSeconds.add(overheadSeconds);
  figures.answered(404);
  return {
    worker,
    spool: `spool-${worker}`,
    run: "run",
    accepted,
    dropped: { disk_full: worker },
    atRisk: 0,
    inFlight: 0,
    spoolBytes: 0,
    strained: false,
    figures: figures.read(),
  };
}

const samplesOf = (workers: WorkerTally[], name: string) =>
  proxyFamilies(workers).find((one) => one.name === `omnimeter_${name}`)?.samples as {
    labels: Record<string, string>;
    value: unknown;
  }[];

test("a worker that is silent takes nothing from the others' counts: each has series of its own", () => {
  const [first, second] = [tally(0, 100, 0.5), tally(1, 7, 0.5)];
  const before = samplesOf([first, second], "accepted_calls_total");
  expect(before).toEqual([
    { labels: { worker: "0" }, value: 100 },
    { labels: { worker: "1" }, value: 7 },
  ]);
  expect(samplesOf([second], "accepted_calls_total")).toEqual([before[1]]);
  expect(samplesOf([first, second], "dropped_calls_total")).toEqual([
    { labels: { worker: "0", reason: "disk_full" }, value: 0 },
    { labels: { worker: "1", reason: "disk_full" }, value: 1 },
  ]);
  expect(samplesOf([second], "answers_total")[3]).toEqual({ labels: { worker: "1", status_class: "4xx" }, value: 1 });
  expect(samplesOf([first, second], "overhead_seconds").map(({ value }) => value)).toEqual([
    first.figures.overheadSeconds,
    second.figures.overheadSeconds,
  ]);
});

test("while no worker answers, no count is said to be 0", () => {
  expect(samplesOf([], "workers")).toEqual([{ labels: {}, value: 0 }]);
  const others = proxyFamilies([]).filter(({ name }) => name !== "omnimeter_workers");
  expect(others.flatMap(({ samples }) => samples as unknown[])).toEqual([]);
});
