import type { Params, View } from "#app/_frame/view.ts";

/** The two ways to read the waterfall: when things happened, or how long each took on a log scale. */
export type AxisKind = "linear" | "log";

/** What took less stands at the left edge of a log axis. */
export const LOG_FLOOR_MS = 0.1;

export interface Axis {
  kind: AxisKind;
  /** Where it ends. */
  endMs: number;
  /** Percent from the left, from 0 to 100. */
  at(ms: number): number;
}

export function createAxis(kind: AxisKind, endMs: number): Axis {
  const inside = (share: number) => 100 * Math.min(1, Math.max(0, share));
  if (kind === "linear") return { kind, endMs, at: (ms) => inside(ms / endMs) };
  const decades = Math.log(Math.max(endMs, LOG_FLOOR_MS * 10) / LOG_FLOOR_MS);
  return { kind, endMs, at: (ms) => inside(Math.log(Math.max(ms, LOG_FLOOR_MS) / LOG_FLOOR_MS) / decades) };
}

/** Round durations inside a log axis, a decade apart. */
export function decades(endMs: number): number[] {
  const ticks: number[] = [];
  for (let ms = LOG_FLOOR_MS; ms < endMs * 0.9; ms *= 10) ticks.push(Number(ms.toPrecision(1)));
  return ticks;
}

export const readAxisKind = (params: Params): AxisKind => (params.y === "log" ? "log" : "linear");

/** What the links of a call's page keep besides the view. */
export const ownOf = (id: string, kind: AxisKind): NonNullable<View["own"]> => ({
  path: `/calls/${id}`,
  params: kind === "log" ? { y: "log" } : {},
});
