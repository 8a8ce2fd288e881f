import { ERRORS, type Outcome } from "./call.ts";

/**
 * What money bought nothing with, in parts that no two share a call: the client left before the end; the call failed, and was
 * tried again or given up; it completed, and so did a later attempt of its operation. An answer that its own limit of tokens ended
 * is no waste: the client has what it asked for.
 */
export const WASTES = ["aborted", "retried", "superseded"] as const;
export type Waste = (typeof WASTES)[number];

/** The parts that a call's outcome decides. */
export const WASTED_OUTCOMES = {
  aborted: ["client_aborted"],
  retried: ERRORS,
} as const satisfies Partial<Record<Waste, readonly Outcome[]>>;

/** Attempts of one operation begin within this of each other; others are not looked for. */
export const OPERATION_MS = 3_600_000;

interface Attempt {
  attempt: number;
  outcome: string;
}

/** Which part of the waste a call is; `others` are the calls of its operation. null: none. */
export function wasteOf({ attempt, outcome }: Attempt, others: readonly Attempt[]): Waste | null {
  if (outcome === "completed")
    return others.some((other) => other.outcome === "completed" && other.attempt > attempt) ? "superseded" : null;
  return WASTED_OUTCOMES.aborted.some((one) => one === outcome) ? "aborted" : "retried";
}
