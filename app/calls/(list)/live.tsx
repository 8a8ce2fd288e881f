"use client";

import { useRouter } from "next/navigation";
import { type ReactNode, useEffect, useRef, useState, useTransition } from "react";
import { Link } from "#app/_ui/link.tsx";

const POLL_MS = 1000;

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

/**
 * Keeps a list of calls current. Asks every second which calls are newest, and renders the page again only when that
 * changed. While the pointer or the focus is on the rows nothing moves: a button says how many are new. A hidden page
 * asks nothing. When the dashboard does not answer, the rows stay and their age is said.
 */
export function Live({ on, waiting = false, ids, query, toggleHref, above, children }: Props) {
  const router = useRouter();
  const [fresh, setFresh] = useState(0);
  const [lost, setLost] = useState<string | null>(null);
  const [arrived, setArrived] = useState(false);
  const [rendering, startRender] = useTransition();
  const held = useRef(false);
  const busy = useRef(false);
  busy.current = rendering;
  const shown = ids.join();

  useEffect(() => {
    setFresh(0);
    if (!on) return;
    const gone = new AbortController();
    let timer: ReturnType<typeof setTimeout>;
    const ask = async () => {
      if (!document.hidden && !busy.current)
        await compare().catch(() => gone.signal.aborted || setLost((at) => at ?? clock()));
      if (!gone.signal.aborted) timer = setTimeout(ask, POLL_MS);
    };
    const compare = async () => {
      const response = await fetch(`/calls/newest?${query}`, { cache: "no-store", signal: gone.signal });
      if (!response.ok) throw new Error(`status ${response.status}`);
      const { ids: newest }: { ids: string[] } = await response.json();
      setLost(null);
      if (newest.join() === shown) return setFresh(0);
      if (held.current && newest.length > 0) {
        const known = new Set(shown.split(","));
        return setFresh(newest.filter((id) => !known.has(id)).length);
      }
      if (waiting) setArrived(true);
      startRender(() => router.refresh());
    };
    timer = setTimeout(ask, POLL_MS);
    return () => {
      gone.abort();
      clearTimeout(timer);
    };
  }, [on, query, shown, waiting, router]);

  const hold = (holding: boolean) => {
    held.current = holding && !waiting;
  };
  const show = () => {
    setFresh(0);
    startRender(() => router.refresh());
  };
  return (
    <div className="results">
      {above}
      <div className="flex min-h-10 flex-wrap items-center gap-3">
        {toggleHref && (
          <Link href={toggleHref} scroll={false} replace className="control" data-testid="live-toggle">
            <Dot on={on && !lost} />
            Live {on ? "on" : "off"}
            <span className="sr-only">, switch {on ? "off" : "on"}</span>
          </Link>
        )}
        {waiting && <Dot on />}
        <p role="status" className={waiting ? "text-base font-semibold" : "sr-only"} data-testid="live-status">
          {arrived ? "Your first call has been recorded." : waiting ? "Waiting for your first call…" : ""}
        </p>
        {fresh > 0 && (
          <button type="button" className="control !border-accent" onClick={show} data-testid="live-new">
            {fresh} new
          </button>
        )}
        {lost && (
          <p role="status" className="text-warn">
            New calls cannot be read since {lost}; trying again every second. What is shown is from before.
          </p>
        )}
        <span className="computing text-muted" role="status">
          Computing…
        </span>
      </div>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: holds still what is being read; nothing is operated here. */}
      <div
        onPointerEnter={() => hold(true)}
        onPointerLeave={() => hold(false)}
        onFocus={() => hold(true)}
        onBlur={() => hold(false)}
      >
        {children}
      </div>
    </div>
  );
}

const clock = () => new Date().toLocaleTimeString("en-GB");

function Dot({ on }: { on: boolean }) {
  return (
    <span
      aria-hidden="true"
      className={`inline-block size-2 rounded-full ${on ? "pulse bg-[var(--good)]" : "border border-control"}`}
    />
  );
}
