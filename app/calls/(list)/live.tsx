"use client";

import type { ReactNode } from "react";
import { HeldRows } from "#app/_live/held-rows.tsx";
import { LiveDot } from "#app/_live/live-dot.tsx";
import { LiveStatus } from "#app/_live/live-status.tsx";
import { useLive } from "#app/_live/use-live.ts";
import { Link } from "#app/_ui/link.tsx";
import { PAGE_ROWS } from "./page-rows.ts";

interface Props {
  /** Follow new calls. */
  on: boolean;
  /** No call was ever recorded: say so, and say it when the first comes. */
  waiting?: boolean;
  /** Ids of the shown rows. */
  ids: readonly string[];
  /** Query of the shown view. */
  query: string;
  /** Address of the view with following switched the other way; null: there is nothing to follow. */
  toggleHref: string | null;
  /** Stands above the switch; does not hold the page still. */
  above: ReactNode;
  children: ReactNode;
}

/** Keeps a list of calls current, when that is wanted. */
export function Live({ on, waiting = false, ids, query, toggleHref, above, children }: Props) {
  const live = useLive({ url: on ? `/calls/newest?${query}` : null, ids, waiting });
  return (
    <div className="results">
      {above}
      <div className="flex min-h-10 flex-wrap items-center gap-3">
        {toggleHref && (
          <Link href={toggleHref} scroll={false} replace className="control" data-testid="live-toggle">
            <LiveDot on={on && !live.lost} />
            Live {on ? "on" : "off"}
            <span className="sr-only">, switch {on ? "off" : "on"}</span>
          </Link>
        )}
        {waiting && <LiveDot on />}
        <LiveStatus live={live} waiting={waiting} rows={PAGE_ROWS} />
        <span className="computing text-muted" role="status">
          Computing…
        </span>
      </div>
      <HeldRows hold={live.hold}>{children}</HeldRows>
    </div>
  );
}
