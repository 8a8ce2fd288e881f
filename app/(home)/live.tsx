"use client";

import type { ReactNode } from "react";
import { HeldRows } from "#app/_live/held-rows.tsx";
import { LiveDot } from "#app/_live/live-dot.tsx";
import { LiveStatus } from "#app/_live/live-status.tsx";
import { useLive } from "#app/_live/use-live.ts";
import { LIVE_ROWS } from "./live-rows.ts";

interface Props {
  /** No call was ever recorded: say so, and say it when the first comes. */
  waiting: boolean;
  /** Ids of the shown rows. */
  ids: readonly string[];
  /** Stands above the rows; does not hold the page still. */
  above: ReactNode;
  children: ReactNode;
}

/** Keeps the start page current. */
export function Live({ waiting, ids, above, children }: Props) {
  const live = useLive({ url: "/newest", ids, waiting });
  return (
    <>
      {above}
      <div className={`flex flex-wrap items-center gap-3 ${waiting ? "min-h-10" : "mt-6 min-h-8"}`}>
        {!waiting && <h2 className="text-lg font-semibold">Live</h2>}
        {!live.lost && <LiveDot on />}
        <LiveStatus live={live} waiting={waiting} rows={LIVE_ROWS} />
      </div>
      <HeldRows hold={live.hold}>{children}</HeldRows>
    </>
  );
}
