import type { KeptFile } from "../bodies/kept-file.ts";
import { isWhole } from "../bodies/kept-file.ts";
import { audioFormat } from "./audio-format.ts";
import { flacLength } from "./flac-length.ts";
import { mp4Length } from "./mp4-length.ts";
import { adtsLength, mp3Length } from "./mpeg-length.ts";
import { oggLength } from "./ogg-length.ts";
import { wavLength } from "./wav-length.ts";
import { webmLength } from "./webm-length.ts";

export interface AudioLength {
  readonly ms: number;
  /** false: reckoned from the part that was kept. */
  readonly exact: boolean;
}

/** What a format's reader found in the kept part. */
export interface FoundLength {
  readonly ms: number;
  /** It holds for the whole file (a header says so, or its end was seen); else only for the bytes at its beginning. */
  readonly ofWhole: boolean;
  /** The bytes that play for so long, when that is not all of the beginning. */
  readonly span?: { readonly from: number; readonly to: number };
}

/**
 * How long an audio file plays; null: not a format that OpenAI takes or gives, or too little of it is there. All formats are read by their
 * frames and headers in one pass, in time that grows with the length alone, whatever the bytes are.
 */
export function audioLength(file: KeptFile): AudioLength | null {
  const found = find(file);
  if (found === null || !(found.ms >= 0)) return null;
  const whole = isWhole(file);
  const { from, to } = found.span ?? { from: 0, to: file.head.length };
  const share = file.bytes === null || to <= from ? 1 : (file.bytes - from) / (to - from);
  const ms = Math.round(found.ofWhole || whole ? found.ms : found.ms * share);
  return ms > AUDIO_MS_MAX ? null : { ms, exact: found.ofWhole || whole };
}

/** Raw audio as OpenAI gives it: 24,000 samples of two bytes a second. */
export const PCM_BYTES_PER_MS = 48;

/** A hundred hours: what claims to be longer is not. */
const AUDIO_MS_MAX = 100 * 3_600_000;

function find(file: KeptFile): FoundLength | null {
  try {
    return readFormat(file);
  } catch {
    return null; // a read beyond the end: a header is not whole
  }
}

function readFormat(file: KeptFile): FoundLength | null {
  switch (audioFormat(file)) {
    case "wav":
      return wavLength(file);
    case "ogg":
      return oggLength(file);
    case "flac":
      return flacLength(file);
    case "mp4":
      return mp4Length(file);
    case "webm":
      return webmLength(file);
    case "pcm":
      return { ms: (file.bytes ?? file.head.length) / PCM_BYTES_PER_MS, ofWhole: file.bytes !== null };
    default:
      return mp3Length(file) ?? adtsLength(file);
  }
}
