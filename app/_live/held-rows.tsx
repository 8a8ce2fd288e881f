"use client";

import type { ReactNode } from "react";
import type { LiveState } from "./use-live.ts";

/** Rows that stand still while the pointer or the focus is on them. */
export function HeldRows({ hold, children }: Pick<LiveState, "hold"> & { children: ReactNode }) {
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: holds still what is being read; nothing is operated here.
    <div
      onPointerEnter={() => hold(true)}
      onPointerLeave={() => hold(false)}
      onFocus={() => hold(true)}
      onBlur={() => hold(false)}
    >
      {children}
    </div>
  );
}
