import type { MetricFamily } from "#lib/metric-family.ts";
import { proxyFamilies } from "#lib/proxy/proxy-families.ts";
import { recorderFamilies } from "#lib/proxy/recorder-families.ts";
import { spoolFamilies } from "#lib/proxy/spool-families.ts";
import { createFigures } from "#lib/recorder/figures.ts";

/** Every family of /metrics, as an empty system has them. A test compares them with what a real one says. */
export function allFamilies(): MetricFamily[] {
  const state = createFigures({ earlier: [], countRun: async () => null }).state();
  return [...proxyFamilies([]), ...spoolFamilies([], 0), ...recorderFamilies(state, [], [], state.writtenAtMs)];
}
