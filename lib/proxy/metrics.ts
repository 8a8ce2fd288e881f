import { basename } from "node:path";
import type { MetricFamily } from "#lib/metric-family.ts";
import { readRecorderState } from "#lib/recorder-state.ts";
import { listSpools } from "#lib/spool/spool-dir.ts";
import type { WorkerTally } from "./messages.ts";
import { proxyFamilies } from "./proxy-families.ts";
import { recorderFamilies } from "./recorder-families.ts";
import { spoolFamilies } from "./spool-families.ts";

/** What the proxy knows of itself and its spools, and what the recorder has said. `gather` asks the workers. */
export async function readMetrics(
  dataDir: string,
  gather: () => Promise<WorkerTally[]>,
): Promise<{ proxy: MetricFamily[]; recorder: MetricFamily[] }> {
  // Before the workers are asked: whatever it counts as stored, they then count as ended.
  const state = readRecorderState(dataDir);
  const workers = await gather();
  const nowMs = Date.now();
  const spools = listSpools(dataDir).map(({ dir, spool }) => ({
    name: basename(dir),
    dir,
    state: state?.spools.find((one) => one.spool === spool) ?? null,
  }));
  return {
    proxy: [...proxyFamilies(workers), ...spoolFamilies(spools, nowMs)],
    recorder: recorderFamilies(state, workers, spools, nowMs),
  };
}
