"use client";

import { type ReactNode, useEffect, useId, useRef, useState } from "react";

interface Props {
  /** What the button shows. */
  label: ReactNode;
  /** Its name for those who do not see it, when the label alone does not say it. */
  name?: string;
  testId?: string;
  align?: "left" | "right";
  /** Called with a function that closes the panel. */
  children: ReactNode | ((close: () => void) => ReactNode);
}

/** A button with a panel. Escape, a click elsewhere and a chosen link close it; focus goes back to the button. */
export function Popover({ label, name, testId, align = "left", children }: Props) {
  const [open, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const id = useId();

  useEffect(() => {
    if (!open) return;
    const onPointer = (event: PointerEvent) => {
      if (!root.current?.contains(event.target as Node)) setOpen(false);
    };
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== "Escape") return;
      setOpen(false);
      button.current?.focus();
    };
    document.addEventListener("pointerdown", onPointer);
    document.addEventListener("keydown", onKey);
    return () => {
      document.removeEventListener("pointerdown", onPointer);
      document.removeEventListener("keydown", onKey);
    };
  }, [open]);

  const close = () => {
    setOpen(false);
    button.current?.focus();
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: notices where the focus goes; nothing is operated here.
    <div
      ref={root}
      className="relative"
      onBlur={(event) => {
        // Tabbing out closes; losing focus to nothing (a click on text) does not.
        if (event.relatedTarget && !root.current?.contains(event.relatedTarget)) setOpen(false);
      }}
    >
      <button
        ref={button}
        type="button"
        className="control"
        aria-expanded={open}
        aria-controls={open ? id : undefined}
        aria-label={name}
        data-testid={testId}
        onClick={() => setOpen(!open)}
      >
        {label}
        <svg aria-hidden="true" width="8" height="8" viewBox="0 0 8 8" className="text-muted">
          <path d="M1 2.5 4 5.5 7 2.5" fill="none" stroke="currentColor" strokeWidth="1.5" />
        </svg>
      </button>
      {open && (
        <div
          id={id}
          className={`absolute top-full z-20 mt-1 max-h-[70vh] max-w-[calc(100vw-24px)] overflow-auto rounded-md border border-control bg-bg p-2 shadow-lg ${align === "right" ? "right-0" : "left-0"}`}
        >
          {typeof children === "function" ? children(close) : children}
        </div>
      )}
    </div>
  );
}
