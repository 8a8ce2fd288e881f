import type { UsageSource } from "#lib/call.ts";
import { formatCount, UNKNOWN } from "./format.ts";

interface Props {
  count: number | null;
  source: UsageSource;
  low?: number | null;
  high?: number | null;
}

/** A number of tokens: a dash when unknown, "~" when estimated, with what the true figure lies between. */
export function Tokens({ count, source, low = null, high = null }: Props) {
  if (count === null)
    return (
      <span className="text-muted" title={source === "none" ? "The usage of this call is unknown" : undefined}>
        <span aria-hidden="true">{UNKNOWN}</span>
        <span className="sr-only">unknown</span>
      </span>
    );
  if (source !== "estimated") return formatCount(count);
  return (
    <span className="text-warn" title={`Estimated${boundsOf(low, high)}`}>
      <span aria-hidden="true">~</span>
      <span className="sr-only">about </span>
      {formatCount(count)}
    </span>
  );
}

/** ": between 10 and 20", ": at least 10", or nothing */
export function boundsOf(low: number | null, high: number | null): string {
  if (low === null && high === null) return "";
  if (high === null) return `: at least ${formatCount(low)}`;
  return `: between ${formatCount(low ?? 0)} and ${formatCount(high)}`;
}
