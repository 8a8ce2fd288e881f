"use client";

import { useRouter } from "next/navigation";
import { useEffect, useRef, useState, useTransition } from "react";

const POLL_MS = 1000;
/** After a rendering that took long the page rests this many times as long: figures over weeks are not free. */
const REST_TIMES = 4;
const REST_MS_MAX = 30_000;

export interface LiveState {
  /** How many newer calls there are than are shown, while the rows are held still. */
  fresh: number;
  /** Local time since which the dashboard does not answer. */
  lost: string | null;
  /** The first call of all has come while it was waited for. */
  arrived: boolean;
  show(): void;
  /** Nothing moves while this is true. */
  hold(holding: boolean): void;
}

/**
 * Keeps a list of calls current: asks `url` every second which calls are newest (`{ids}`), and renders the page again only when
 * these are others than `ids`. A hidden page asks nothing. When the dashboard does not answer, the rows stay. `url` null: not
 * followed. `waiting`: no call was ever recorded.
 */
export function useLive({
  url,
  ids,
  waiting,
}: {
  url: string | null;
  ids: readonly string[];
  waiting: boolean;
}): LiveState {
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
    if (url === null) return;
    const gone = new AbortController();
    let timer: ReturnType<typeof setTimeout>;
    const ask = async () => {
      const { busy, untilMs } = rest.current;
      if (!document.hidden && !busy && performance.now() >= untilMs)
        await compare(url).catch(() => gone.signal.aborted || setLost((at) => at ?? clock()));
      if (!gone.signal.aborted) timer = setTimeout(ask, POLL_MS);
    };
    const compare = async (address: string) => {
      const response = await fetch(address, { cache: "no-store", signal: gone.signal });
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
  }, [url, shown, waiting, router]);

  return {
    fresh,
    lost,
    arrived,
    show() {
      setFresh(0);
      startRender(() => router.refresh());
    },
    hold(holding) {
      held.current = holding && !waiting;
    },
  };
}

const clock = () => new Date().toLocaleTimeString("en-GB");
