"use client";

import { useRouter } from "next/navigation";
import { type ReactNode, useEffect, useRef, useState, useTransition } from "react";
import { LIVE_ROWS } from "./live-rows.ts";

const POLL_MS = 1000;
/** After a rendering that took long the page rests this many times as long: figures over weeks are not free. */
const REST_TIMES = 4;
const REST_MS_MAX = 30_000;

interface Props {
  /** No call was ever recorded: say so, and say it when the first comes. */
  waiting: boolean;
  /** Ids of the shown rows. */
  ids: readonly string[];
  /** Stands above the rows; does not hold the page still. */
  above: ReactNode;
  children: ReactNode;
}

/**
 * Keeps the start page current: asks every second which calls are newest and renders again when that changed. While the
 * pointer or the focus is on the rows nothing moves: a button says how many are new. A hidden page asks nothing.
 */
export function Live({ waiting, ids, above, children }: Props) {
  const router = useRouter();
  const [fresh, setFresh] = useState(0);
  const [lost, setLost] = useState<string | null>(null);
  const [arrived, setArrived] = useState(false);
  const [rendering, startRender] = useTransition();
  const held = useRef(false);
  const rest = useRef({ startedMs: 0, untilMs: 0, busy: false });
  const shown = ids.join();

  useEffect(() => {
    const { current } = rest;
    const now = performance.now();
    if (rendering) current.startedMs = now;
    else if (current.busy) current.untilMs = now + Math.min(REST_MS_MAX, REST_TIMES * (now - current.startedMs));
    current.busy = rendering;
  }, [rendering]);

  useEffect(() => {
    setFresh(0);
    const gone = new AbortController();
    let timer: ReturnType<typeof setTimeout>;
    const ask = async () => {
      const { busy, untilMs } = rest.current;
      if (!document.hidden && !busy && performance.now() >= untilMs)
        await compare().catch(() => gone.signal.aborted || setLost((at) => at ?? clock()));
      if (!gone.signal.aborted) timer = setTimeout(ask, POLL_MS);
    };
    const compare = async () => {
      const response = await fetch("/newest", { cache: "no-store", signal: gone.signal });
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
  }, [shown, waiting, router]);

  const hold = (holding: boolean) => {
    held.current = holding && !waiting;
  };
  const show = () => {
    setFresh(0);
    startRender(() => router.refresh());
  };
  return (
    <>
      {above}
      <div className={`flex flex-wrap items-center gap-3 ${waiting ? "min-h-10" : "mt-6 min-h-8"}`}>
        {!waiting && <h2 className="text-lg font-semibold">Live</h2>}
        {!lost && <Dot />}
        <p role="status" className={waiting ? "text-base font-semibold" : "sr-only"} data-testid="live-status">
          {arrived ? "Your first call has been recorded." : waiting ? "Waiting for your first call…" : ""}
        </p>
        {fresh > 0 && (
          <button type="button" className="control !border-accent" onClick={show} data-testid="live-new">
            {/* When every row would be new, more may have come than there are rows. */}
            {fresh === LIVE_ROWS ? `${fresh} or more` : fresh} new
          </button>
        )}
        {lost && (
          <p role="status" className="text-warn">
            New calls cannot be read since {lost}; trying again every second. What is shown is from before.
          </p>
        )}
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
    </>
  );
}

const clock = () => new Date().toLocaleTimeString("en-GB");

function Dot() {
  return <span aria-hidden="true" className="pulse inline-block size-2 rounded-full bg-[var(--good)]" />;
}
