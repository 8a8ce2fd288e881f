"use client";

import { useEffect, useState } from "react";
import { formatDuration } from "#app/_ui/format.ts";
import { Glyph } from "#app/_ui/glyph.tsx";
import { formatMoment, formatOffset, timeParts } from "#app/_ui/time.ts";

const POLL_MS = 5000;
const LATE_MS = 60_000;
const STALE_MS = 300_000;

export interface Freshness {
  watermarkMs: number | null;
  nowMs: number;
}

/** Up to when everything is stored: "Data to 10:42:07 UTC · 3 s behind". Asks again every few seconds while visible. */
export function Watermark({ initial, zone }: { initial: Freshness; zone: string }) {
  const [answer, setAnswer] = useState<{ freshness: Freshness | null; since: Freshness }>({
    freshness: null,
    since: initial,
  });
  // A page that was rendered again knows better than the last answer.
  const known = answer.since.nowMs === initial.nowMs ? (answer.freshness ?? initial) : initial;

  useEffect(() => {
    const timer = setInterval(async () => {
      if (document.hidden) return;
      try {
        const response = await fetch("/watermark", { cache: "no-store" });
        if (response.ok) setAnswer({ freshness: await response.json(), since: initial });
      } catch {
        // The dashboard is restarting; the next answer counts.
      }
    }, POLL_MS);
    return () => clearInterval(timer);
  }, [initial]);

  const { watermarkMs, nowMs } = known;
  if (watermarkMs === null)
    return (
      <span data-testid="watermark" className="text-muted" title="No recorder has stored anything yet">
        No data yet
      </span>
    );
  const behindMs = Math.max(0, nowMs - watermarkMs);
  const sameDay = timeParts(watermarkMs, zone).day === timeParts(nowMs, zone).day;
  const moment = sameDay ? timeParts(watermarkMs, zone).second : formatMoment(watermarkMs, zone);
  const colour = behindMs > STALE_MS ? "text-bad" : behindMs > LATE_MS ? "text-warn" : "text-muted";
  return (
    <span
      data-testid="watermark"
      className={`inline-flex items-center gap-1.5 ${colour}`}
      title={
        behindMs > LATE_MS
          ? "Calls after this moment may be missing: numbers may rise"
          : "Every call that ended before this moment is here"
      }
    >
      {behindMs > LATE_MS && <Glyph name="warn" />}
      Data to {moment} {formatOffset(watermarkMs, zone)} · {roughly(behindMs)} behind
    </span>
  );
}

const roughly = (ms: number) => (ms < 60_000 ? `${Math.round(ms / 1000)} s` : formatDuration(ms));
