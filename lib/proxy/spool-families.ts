import { gauge, type MetricFamily, type Sample } from "#lib/metric-family.ts";
import type { SpoolState } from "#lib/recorder-state.ts";
import { type SpoolDepth, spoolDepth } from "#lib/spool/depth.ts";

/** A spool's directory, and how far it is stored as far as the recorder has ever said; null: it has not. */
export interface SeenSpool {
  /** `worker-0` and so on. */
  name: string;
  dir: string;
  state: SpoolState | null;
}

/**
 * What waits on disk for the recorder. Measured when asked for, against the last place that the recorder said is stored: that
 * stays right while the recorder is down, which is when it is needed most. Without such a place nothing is known.
 */
export function spoolFamilies(spools: readonly SeenSpool[], nowMs: number): MetricFamily[] {
  const depths = spools.flatMap(({ name, dir, state }) => {
    const depth = state && depthOf(dir, state);
    return depth ? [{ name, state, depth }] : [];
  });
  const each = (value: (depth: SpoolDepth, state: SpoolState) => number): Sample<number>[] =>
    depths.map(({ name, state, depth }) => ({ labels: { spool: name }, value: value(depth, state) }));
  return [
    gauge(
      "omnimeter_spool_waiting_bytes",
      "Bytes on disk that are not stored yet.",
      each(({ bytes }) => bytes),
    ),
    gauge(
      "omnimeter_spool_waiting_segments",
      "Segments on disk that are not wholly stored yet.",
      each(({ segments }) => segments),
    ),
    gauge(
      "omnimeter_spool_oldest_seconds",
      "At most this old is what waits longest in the spool; 0 when nothing waits.",
      each(({ begunAtMs }, { storedUntilMs }) =>
        begunAtMs === null ? 0 : Math.max(0, nowMs - Math.max(begunAtMs, storedUntilMs ?? 0)) / 1000,
      ),
    ),
  ];
}

/** A directory that is being deleted has no depth. */
function depthOf(dir: string, { high }: SpoolState): SpoolDepth | null {
  try {
    return spoolDepth(dir, high);
  } catch {
    return null;
  }
}
