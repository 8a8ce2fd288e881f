"use client";

import { type ReactNode, useState } from "react";

interface Props {
  /** Of the row, for those who only hear the button. */
  name: string;
  testId: string;
  head: ReactNode;
  cells: ReactNode;
  /** Rows that can be shown below; null: there are none. */
  children: ReactNode;
}

/** A row of a table with rows of its own: a `tbody`. */
export function Expandable({ name, testId, head, cells, children }: Props) {
  const [open, setOpen] = useState(false);
  return (
    <tbody>
      <tr data-testid={testId}>
        <th scope="row">
          <span className="flex items-center gap-1">
            {children ? (
              <button
                type="button"
                className="inline-flex size-6 shrink-0 items-center justify-center rounded-sm text-muted hover:bg-surface"
                aria-expanded={open}
                aria-label={`Versions of ${name}`}
                onClick={() => setOpen(!open)}
              >
                <svg aria-hidden="true" width="8" height="8" viewBox="0 0 8 8" className={open ? "" : "-rotate-90"}>
                  <path d="M1 2.5 4 5.5 7 2.5" fill="none" stroke="currentColor" strokeWidth="1.5" />
                </svg>
              </button>
            ) : (
              <span className="size-6 shrink-0" />
            )}
            {head}
          </span>
        </th>
        {cells}
      </tr>
      {open && children}
    </tbody>
  );
}
