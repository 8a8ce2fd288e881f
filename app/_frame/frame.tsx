import Link from "next/link";
import type { ReactNode } from "react";
import { readConfig } from "#lib/config.ts";
import { Nav } from "./nav.tsx";
import { ThemePicker } from "./theme-picker.tsx";
import { Watermark } from "./watermark.tsx";

interface Props {
  title: ReactNode;
  /** Range and time zone, on pages that have them. */
  controls?: ReactNode;
  /** Filters, or the way back to them: a landmark of its own. */
  bar?: ReactNode;
  /** Up to when everything is stored (milliseconds); null: not known. */
  watermark: number | null;
  nowMs: number;
  zone: string;
  children: ReactNode;
}

/** What all pages have around them: title, range, zone, theme, how fresh the data is, and the filters. */
export function Frame({ title, controls, bar, watermark, nowMs, zone, children }: Props) {
  return (
    <>
      <a href="#main" className="control absolute left-2 top-2 z-30 -translate-y-16 focus:translate-y-0">
        Skip to content
      </a>
      {readConfig().demo && (
        <p className="bg-surface px-4 py-1 text-center text-warn" data-testid="demo">
          Demo data: this company, its customers and their calls are made up.
        </p>
      )}
      <header className="border-b border-rule">
        <div className="mx-auto flex min-h-12 max-w-[1600px] flex-wrap items-center gap-x-4 gap-y-2 px-4 py-2">
          <Link href="/" className="flex min-h-6 items-center gap-2 font-semibold" aria-label="Omnimeter, start">
            <Mark />
            <span className="max-sm:sr-only">Omnimeter</span>
          </Link>
          <Nav />
          <h1 className="min-w-0 text-lg font-semibold">{title}</h1>
          <div className="ml-auto flex flex-wrap items-center gap-2">
            <Watermark initial={{ watermarkMs: watermark, nowMs }} zone={zone} />
            {controls}
            <ThemePicker />
          </div>
        </div>
      </header>
      {bar && (
        <div className="border-b border-rule bg-surface">
          <div className="mx-auto max-w-[1600px] px-4 py-1.5">{bar}</div>
        </div>
      )}
      <main id="main" tabIndex={-1} className="mx-auto max-w-[1600px] px-4 py-4 outline-none">
        {children}
      </main>
    </>
  );
}

/** A trace with one peak: what a recorder draws. */
function Mark() {
  return (
    <svg aria-hidden="true" width="20" height="20" viewBox="0 0 20 20">
      <rect x="0.75" y="0.75" width="18.5" height="18.5" rx="4" fill="none" stroke="currentColor" strokeWidth="1.5" />
      <path d="M3.5 12h3l2-6 3 9 2-5h3" fill="none" stroke="currentColor" strokeWidth="1.5" strokeLinejoin="round" />
    </svg>
  );
}
