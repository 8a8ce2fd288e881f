import { counter, gauge, type MetricFamily, type Sample } from "#lib/metric-family.ts";
import { isFresh, type RecorderState } from "#lib/recorder-state.ts";
import type { WorkerTally } from "./messages.ts";
import { workerLabel } from "./proxy-families.ts";
import type { SeenSpool } from "./spool-families.ts";

/** What the recorder says of itself, and the equation of the workers' present runs. Unknown is left out: it is not zero. */
export function recorderFamilies(
  state: RecorderState | null,
  workers: readonly WorkerTally[],
  spools: readonly SeenSpool[],
  nowMs: number,
): MetricFamily[] {
  const fresh = state !== null && isFresh(state, nowMs);
  const up = gauge(
    "omnimeter_recorder_up",
    "1 when the recorder has said something in the last ten seconds.",
    Number(fresh),
  );
  if (!fresh) return [up];
  return [up, lagOf(state, spools), ...equation(workers, state), ...state.families];
}

function lagOf({ writtenAtMs }: RecorderState, spools: readonly SeenSpool[]): MetricFamily {
  return gauge(
    "omnimeter_recorder_lag_seconds",
    "Everything that was spooled longer ago than this is stored.",
    spools.flatMap(({ name, state }) =>
      state === null || state.storedUntilMs === null
        ? []
        : [{ labels: { spool: name }, value: Math.max(0, writtenAtMs - state.storedUntilMs) / 1000 }],
    ),
  );
}

/**
 * accepted = in flight + spooled + stored + set aside + dropped, of the run that each worker lives now. All are counted but
 * the spooled ones, which are what is left. The recorder's word is up to a second older than the workers': never younger, or
 * there would be less than nothing in the spool.
 */
function equation(workers: readonly WorkerTally[], { spools }: RecorderState): MetricFamily[] {
  const stored: Sample<number>[] = [];
  const setAside: Sample<number>[] = [];
  const spooled: Sample<number>[] = [];
  for (const worker of workers) {
    const { spool, run, accepted, dropped, inFlight } = worker;
    const counts = spools.find((one) => one.spool === spool)?.counts;
    if (!counts) return [];
    // It reads another run: an earlier one, so nothing of this one is stored yet.
    const ended = counts.run === run ? counts : { stored: 0, setAside: 0 };
    const lost = Object.values(dropped).reduce((sum, count) => sum + count, 0);
    const labels = workerLabel(worker);
    stored.push({ labels, value: ended.stored });
    setAside.push({ labels, value: ended.setAside });
    spooled.push({ labels, value: accepted - lost - inFlight - ended.stored - ended.setAside });
  }
  return [
    counter("omnimeter_stored_calls_total", "Calls of the present workers that are stored.", stored),
    counter("omnimeter_set_aside_calls_total", "Calls of the present workers that the database refused.", setAside),
    gauge(
      "omnimeter_spooled_calls",
      "Calls that ended and are not stored yet: accepted less in flight, stored, set aside and dropped.",
      spooled,
    ),
  ];
}
