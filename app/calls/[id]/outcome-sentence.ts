import { formatCount, formatDuration } from "#app/_ui/format.ts";
import type { CallFacts } from "#db/queries/call-page.ts";
import { unbilledSentence } from "./unbilled-sentence.ts";

type Facts = Pick<
  CallFacts,
  | "endpoint"
  | "outcome"
  | "status"
  | "errorType"
  | "errorCode"
  | "durationMs"
  | "firstTokenMs"
  | "usageSource"
  | "inputTokensLow"
  | "inputTokensHigh"
  | "outputTokensLow"
  | "outputTokensHigh"
>;

/** How the call ended, and what that means for its figures. */
export function outcomeSentence(call: Facts): string {
  return `${ending(call)} ${usage(call)}`.trim();
}

function ending({ outcome, status, errorCode, errorType, durationMs, firstTokenMs }: Facts): string {
  const after = durationMs === null ? "" : ` after ${formatDuration(durationMs)}`;
  const code = errorCode ?? errorType;
  switch (outcome) {
    case "completed":
      return `Completed${after}.`;
    case "failed":
      if (status !== null && status >= 400)
        return `The upstream answered ${status}${code ? ` (${code})` : ""}${after}.`;
      return `The upstream reported an error${code ? ` (${code})` : ""} inside its answer${after}.`;
    case "client_aborted":
      return firstTokenMs === null
        ? `The client hung up${after}, before the first token.`
        : `The client hung up${after}; the upstream request was stopped.`;
    case "truncated":
      return `The upstream's answer broke off${after}; the client saw it break off too.`;
    case "unreachable":
      return `The upstream gave no answer${after}. The client got Omnimeter's own error${status === null ? "" : ` ${status}`}.`;
    case "interrupted":
      return "Omnimeter stopped while this call was in flight. What had been seen until then is here.";
    default:
      return `Ended as “${outcome}”.`;
  }
}

function usage(call: Facts): string {
  if (call.usageSource === "none") return unbilledSentence(call) ?? "Its usage is unknown.";
  if (call.usageSource !== "estimated") return "";
  const input = span(call.inputTokensLow, call.inputTokensHigh);
  const output = span(call.outputTokensLow, call.outputTokensHigh);
  if (!input && !output) return "Its usage is estimated.";
  return `Its usage is estimated: ${[input && `input ${input}`, output && `output ${output} tokens`].filter(Boolean).join(", ")}.`;
}

function span(low: number | null, high: number | null): string {
  if (low === null) return "";
  if (high === null) return `at least ${formatCount(low)}`;
  return low === high ? formatCount(low) : `between ${formatCount(low)} and ${formatCount(high)}`;
}
