import type { Call } from "#lib/call.ts";

/**
 * `error.type` of everything but a completed call: what the provider called its error, else the status; and the outcome's
 * own name when nobody said no (client_aborted, truncated, unreachable, interrupted).
 */
export function errorTypeOf({ outcome, errorCode, errorType, status }: Call): string | null {
  if (outcome === "completed") return null;
  if (outcome !== "failed") return outcome;
  return errorCode ?? errorType ?? (status !== null && status >= 400 ? String(status) : "_OTHER");
}
