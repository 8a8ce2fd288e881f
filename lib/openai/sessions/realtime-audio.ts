import { base64Bytes } from "../bodies/parts.ts";

/** How audio is written: raw samples, linear or by G.711. */
export interface AudioFormat {
  mediaType: "audio/pcm" | "audio/pcmu" | "audio/pcma";
  bytesPerMs: number;
}

/** Two bytes a sample, 24,000 a second: what both sides speak unless they agree otherwise. */
export const PCM_24K: AudioFormat = { mediaType: "audio/pcm", bytesPerMs: 48 };

/** Bytes that a base64 text holds, also where the proxy left only `elided:`, its length and its padding. */
export function audioBytes(base64: string): number {
  const elided = /^elided:(\d+)(={0,2})$/.exec(base64);
  if (elided === null) return base64Bytes(base64) ?? 0;
  const characters = Number(elided[1]);
  if (characters > CHARACTERS_MAX) return 0;
  const padding = (elided[2] as string).length;
  return Math.floor((characters * 3) / 4) - (characters % 4 === 0 ? padding : 0);
}

/** A message holds at most 15 MiB of audio; what says more was not written by the proxy. */
const CHARACTERS_MAX = 32 << 20;

export const isElided = (base64: string): boolean => base64.startsWith("elided:");

/**
 * Two clocks side by side: how much audio had been sent, and when. A session states its moments by the first (`audio_end_ms`), and
 * people wait by the second.
 */
export interface AudioClock {
  appendedMs: number;
  /** Ends of the last appends: audio ms, wall ms, and how much of the append's time its audio can have taken. */
  appends: [audioMs: number, atMs: number, spanMs: number][];
}

export const newAudioClock = (): AudioClock => ({ appendedMs: 0, appends: [] });

export function append(clock: AudioClock, ms: number, atMs: number): void {
  if (!(ms > 0)) return;
  // Nobody spoke into it before the session was there: what is sent faster than it was spoken was recorded before.
  if (clock.appendedMs === 0) clock.appends.push([0, Math.max(0, atMs - ms), 0]);
  const last = clock.appends.at(-1);
  clock.appendedMs += ms;
  clock.appends.push([clock.appendedMs, atMs, Math.max(0, Math.min(ms, atMs - (last?.[1] ?? atMs - ms)))]);
  if (clock.appends.length > APPENDS_MAX) clock.appends.splice(0, clock.appends.length - APPENDS_KEPT);
}

/** Twenty seconds in frames of 20 ms: further back nobody asks. */
const APPENDS_KEPT = 1000;
const APPENDS_MAX = 1500;

/**
 * When so much audio had been sent. Inside of an append its audio is taken to have been spoken evenly up to the moment it was sent, but
 * not before the append before it. null: not sent yet, or too long ago.
 */
export function wallOf({ appends }: AudioClock, audioMs: number): number | null {
  for (let i = appends.length - 1; i >= 0; i--) {
    const [endMs, atMs, spanMs] = appends[i] as AudioClock["appends"][number];
    if (audioMs > endMs) return null;
    const beganMs = appends[i - 1]?.[0] ?? null;
    if (beganMs !== null && audioMs <= beganMs) continue;
    if (beganMs === null) return audioMs === endMs ? atMs : oldest(endMs, atMs, spanMs, audioMs);
    return atMs - (spanMs * (endMs - audioMs)) / (endMs - beganMs);
  }
  return null;
}

/** Of the oldest append that is known only its span says where it began. */
function oldest(endMs: number, atMs: number, spanMs: number, audioMs: number): number | null {
  return endMs - audioMs <= spanMs ? atMs - (endMs - audioMs) : null;
}
