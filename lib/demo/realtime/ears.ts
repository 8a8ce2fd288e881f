import { BYTES_PER_MS } from "./events.ts";

/** Somebody began to speak, or has been silent for long enough: when they did, on the audio clock. */
export interface SpeechEdge {
  readonly kind: "started" | "stopped";
  readonly atMs: number;
}

/** Notices speech in audio as it comes. */
export interface Ears {
  /** PCM16, mono, 24 kHz. `silenceMs`: so much of it ends what was said. */
  hear(pcm: Buffer, silenceMs: number): SpeechEdge[];
}

/** Hears speech where it is told to, in milliseconds of the audio; in order. */
export function scriptedEars(speech: readonly { fromMs: number; toMs: number }[]): Ears {
  let heardMs = 0;
  let begun = 0;
  let ended = 0;
  return {
    hear(pcm, silenceMs) {
      const edges: SpeechEdge[] = [];
      heardMs += pcm.length / BYTES_PER_MS;
      for (; begun < speech.length && heardMs >= (speech[begun]?.fromMs ?? 0); begun++)
        edges.push({ kind: "started", atMs: speech[begun]?.fromMs ?? 0 });
      for (; ended < begun && heardMs >= (speech[ended]?.toMs ?? 0) + silenceMs; ended++)
        edges.push({ kind: "stopped", atMs: speech[ended]?.toMs ?? 0 });
      return edges;
    },
  };
}

const FRAME_MS = 20;
const FRAME_BYTES = FRAME_MS * BYTES_PER_MS;
/** Of a sample; the loudest is 32,767. A quiet room is far below, speech at a microphone far above. */
const LOUD = 600;
/** What is shorter is a click. */
const SPEECH_MS_MIN = 60;

/** Hears speech where it is loud. */
export function loudnessEars(): Ears {
  let rest: Buffer = Buffer.alloc(0);
  let atMs = 0;
  let loudSinceMs: number | null = null;
  let loudUntilMs = 0;
  let speaking = false;

  function frame(isLoud: boolean, silenceMs: number): SpeechEdge | null {
    const fromMs = atMs;
    atMs += FRAME_MS;
    if (isLoud) {
      loudSinceMs ??= fromMs;
      loudUntilMs = atMs;
      if (speaking || atMs - loudSinceMs < SPEECH_MS_MIN) return null;
      speaking = true;
      return { kind: "started", atMs: loudSinceMs };
    }
    if (!speaking) loudSinceMs = null;
    else if (atMs - loudUntilMs >= silenceMs) {
      speaking = false;
      loudSinceMs = null;
      return { kind: "stopped", atMs: loudUntilMs };
    }
    return null;
  }

  return {
    hear(pcm, silenceMs) {
      const edges: SpeechEdge[] = [];
      rest = Buffer.concat([rest, pcm]);
      let at = 0;
      for (; at + FRAME_BYTES <= rest.length; at += FRAME_BYTES) {
        const edge = frame(loudness(rest, at) > LOUD, silenceMs);
        if (edge) edges.push(edge);
      }
      rest = rest.subarray(at);
      return edges;
    },
  };
}

/** Root mean square of a frame. */
function loudness(pcm: Buffer, from: number): number {
  let sum = 0;
  for (let at = from; at < from + FRAME_BYTES; at += 2) sum += pcm.readInt16LE(at) ** 2;
  return Math.sqrt(sum / (FRAME_BYTES / 2));
}
