"use client";

import type { LiveState } from "./use-live.ts";

/** What there is to say about a list that is kept current: the first call, how many are new, and that none can be read. */
export function LiveStatus({ live, waiting, rows }: { live: LiveState; waiting: boolean; rows: number }) {
  const { arrived, fresh, lost, show } = live;
  return (
    <>
      <p role="status" className={waiting ? "text-base font-semibold" : "sr-only"} data-testid="live-status">
        {arrived ? "Your first call has been recorded." : waiting ? "Waiting for your first call…" : ""}
      </p>
      {fresh > 0 && (
        <button type="button" className="control !border-accent" onClick={show} data-testid="live-new">
          {/* When every row would be new, more may have come than there are rows. */}
          {fresh >= rows ? `${fresh} or more` : fresh} new
        </button>
      )}
      {lost && (
        <p role="status" className="text-warn">
          New calls cannot be read since {lost}; trying again every second. What is shown is from before.
        </p>
      )}
    </>
  );
}
