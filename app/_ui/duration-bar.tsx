import { formatDuration } from "./format.ts";

const SHORTEST_MS = 10;
const LONGEST_MS = 120_000;

/** A duration with a bar on a log scale from 10 ms to 2 minutes: each tenfold is as wide as the next. */
export function DurationBar({ ms }: { ms: number | null }) {
  if (ms === null) return <span className="text-muted">{formatDuration(ms)}</span>;
  const share = Math.log(Math.max(ms, SHORTEST_MS) / SHORTEST_MS) / Math.log(LONGEST_MS / SHORTEST_MS);
  return (
    <span className="flex items-center justify-end gap-2">
      {formatDuration(ms)}
      <span aria-hidden="true" className="h-1.5 w-12 rounded-sm bg-rule">
        <span
          className="measure block h-full rounded-sm bg-[var(--bar)]"
          style={{ width: `${Math.max(3, Math.min(100, share * 100))}%` }}
        />
      </span>
    </span>
  );
}
