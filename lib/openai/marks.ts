import { STALL_MS } from "#lib/call.ts";
import type { Marks } from "./facts.ts";

export type Saw = "text" | "audio" | "other";

export interface StreamClock {
  /** An event with content arrived: text somebody can read, audio, or other tokens (reasoning, arguments). */
  saw(what: Saw, atMs: number): void;
  readonly marks: Marks;
}

export const noMarks = (): Marks => ({
  firstTokenMs: null,
  firstTextMs: null,
  firstAudioMs: null,
  lastTokenMs: null,
  longestGapMs: null,
  stalls: null,
  contentChunks: 0,
});

/**
 * When the content of a stream came, measured at the arrival of the chunks that brought it. Whoever must put a stream down and take it
 * up again keeps the marks, which are all it knows.
 */
export function createStreamClock(marks: Marks = noMarks()): StreamClock {
  return { saw, marks };

  function saw(what: Saw, atMs: number): void {
    if (marks.lastTokenMs !== null) {
      const gapMs = atMs - marks.lastTokenMs;
      marks.longestGapMs = Math.max(marks.longestGapMs ?? 0, gapMs);
      if (gapMs > STALL_MS) marks.stalls = (marks.stalls ?? 0) + 1;
    }
    marks.stalls ??= 0;
    marks.firstTokenMs ??= atMs;
    if (what === "text") marks.firstTextMs ??= atMs;
    if (what === "audio") marks.firstAudioMs ??= atMs;
    marks.lastTokenMs = atMs;
    marks.contentChunks++;
  }
}
