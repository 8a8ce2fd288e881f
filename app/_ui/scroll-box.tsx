import type { ReactNode } from "react";

interface Props {
  /** What it holds, for those who reach it by keyboard. */
  name: string;
  className?: string;
  children: ReactNode;
}

/** Scrolls its content inside the page. Reachable by keyboard, because only then can it be scrolled without a mouse. */
export function ScrollBox({ name, className = "", children }: Props) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: see above.
    <section className={`scroll-x ${className}`} aria-label={name} tabIndex={0}>
      {children}
    </section>
  );
}
