import type { ChildFacts, Facts } from "../facts.ts";

/** A call that an exchange tells of, before its own particulars: completed, of no known size. */
export function childOf(endpoint: string, key: readonly string[], startedAtMs: number, facts: Facts): ChildFacts {
  return {
    key,
    endpoint,
    startedAtMs,
    timings: {},
    outcome: facts.outcome ?? "completed",
    status: null,
    requestBytes: 0,
    responseBytes: 0,
    facts,
  };
}

/** Seconds since the epoch, as OpenAI states moments → milliseconds; null: none stated. */
export function secondsToMs(value: unknown): number | null {
  return typeof value === "number" && value > 0 && value < MOMENT_MAX ? Math.round(value * 1000) : null;
}

/** The year 2100: what is beyond is no moment of a call. */
const MOMENT_MAX = 4_102_444_800;
