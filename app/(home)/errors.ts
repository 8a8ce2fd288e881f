import type { Outcome } from "#lib/call.ts";

/** Outcomes that count as an error. What the client gave up is none: it is shown apart. */
export const ERRORS: readonly Outcome[] = ["failed", "truncated", "unreachable", "interrupted"];
