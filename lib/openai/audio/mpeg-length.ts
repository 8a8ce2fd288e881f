import type { KeptFile } from "../bodies/kept-file.ts";
import { isWhole } from "../bodies/kept-file.ts";
import type { FoundLength } from "./audio-length.ts";

interface Frame {
  readonly bytes: number;
  readonly samples: number;
  readonly rate: number;
}

/**
 * MPEG audio (mp3): its frames counted. Of a file that was not kept whole the encoder's own count, if it left one. What players leave out
 * (the encoder's delay and padding) is left out.
 */
export function mp3Length(file: KeptFile): FoundLength | null {
  const { head } = file;
  const start = afterTag(head);
  const { ms, first, span } = countFrames(head, start, mp3Frame);
  if (first === null) return null;
  const note = encoderNote(head, span.from, first);
  if (note === null) return { ms, ofWhole: false, span };
  const msPerSample = 1000 / first.rate;
  // The frame that holds the note is silent and not played.
  const counted = isWhole(file) || note.frames === null;
  const samples = counted ? ms / msPerSample - first.samples : (note.frames ?? 0) * first.samples;
  return { ms: Math.max(0, samples - note.unplayed) * msPerSample, ofWhole: !counted, span };
}

/** AAC in ADTS frames (ISO/IEC 13818-7, 6.2). */
export function adtsLength({ head }: KeptFile): FoundLength | null {
  const { ms, first, span } = countFrames(head, afterTag(head), adtsFrame);
  return first === null ? null : { ms, ofWhole: false, span };
}

type ReadFrame = (bytes: Buffer, at: number) => Frame | null;

/**
 * What is no frame is passed over byte by byte; the first one must be followed by another, so that text is no audio. A frame that is not
 * whole is not played.
 */
function countFrames(bytes: Buffer, start: number, frameAt: ReadFrame) {
  let ms = 0;
  let first: Frame | null = null;
  const span = { from: 0, to: 0 };
  for (let at = start; at + 4 <= bytes.length; ) {
    const frame = frameAt(bytes, at);
    const next = frame === null ? 0 : at + frame.bytes;
    if (first !== null && next > bytes.length) break;
    const isFrame = frame !== null && (first !== null || next === bytes.length || frameAt(bytes, next) !== null);
    if (!isFrame) {
      const sync = bytes.indexOf(0xff, at + 1);
      if (sync < 0) break;
      at = sync;
      continue;
    }
    if (first === null) span.from = at;
    first ??= frame;
    span.to = next;
    ms += (frame.samples / frame.rate) * 1000;
    at = next;
  }
  return { ms, first, span };
}

/** ISO/IEC 11172-3, 2.4.1.3, and 13818-3 for the lower rates. */
function mp3Frame(bytes: Buffer, at: number): Frame | null {
  const [a, b, c] = [bytes[at] ?? 0, bytes[at + 1] ?? 0, bytes[at + 2] ?? 0];
  if (a !== 0xff || (b & 0xe0) !== 0xe0) return null;
  const version = VERSIONS[(b >> 3) & 3];
  const layer = LAYERS[(b >> 1) & 3];
  const rates = RATES[(c >> 2) & 3];
  if (!version || !layer || !rates) return null;
  const table = version === 1 ? KBPS : KBPS_LOWER;
  const kbps = table[layer][c >> 4] ?? 0;
  if (kbps === 0) return null;
  const rate = rates / (version === 1 ? 1 : version === 2 ? 2 : 4);
  const padding = (c >> 1) & 1;
  const samples = layer === 1 ? 384 : layer === 3 && version !== 1 ? 576 : 1152;
  const slots = Math.floor(((samples / 8) * kbps * 1000) / rate / (layer === 1 ? 4 : 1)) + padding;
  return { bytes: layer === 1 ? slots * 4 : slots, samples, rate };
}

/** 3 stands for 2.5. */
const VERSIONS = [3, null, 2, 1] as const;
const LAYERS = [null, 3, 2, 1] as const;
const RATES = [44_100, 48_000, 32_000, null] as const;
/** By layer. */
const KBPS = {
  1: [0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448, 0],
  2: [0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 0],
  3: [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0],
} as const;
const LOWER = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0] as const;
const KBPS_LOWER = {
  1: [0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256, 0],
  2: LOWER,
  3: LOWER,
} as const;

function adtsFrame(bytes: Buffer, at: number): Frame | null {
  if (at + 7 > bytes.length || bytes[at] !== 0xff || ((bytes[at + 1] ?? 0) & 0xf6) !== 0xf0) return null;
  const rate = ADTS_RATES[((bytes[at + 2] ?? 0) >> 2) & 15] ?? 0;
  const length = (bytes.readUIntBE(at + 3, 3) >> 5) & 0x1fff;
  const blocks = ((bytes[at + 6] ?? 0) & 3) + 1;
  return rate === 0 || length < 7 ? null : { bytes: length, samples: 1024 * blocks, rate };
}

const ADTS_RATES = [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8000, 7350];

/** An ID3v2 tag stands before the audio: ten bytes, and a size of four times seven bits. */
function afterTag(bytes: Buffer): number {
  if (bytes.toString("latin1", 0, 3) !== "ID3" || bytes.length < 10) return 0;
  const [a = 0, b = 0, c = 0, d = 0] = bytes.subarray(6, 10);
  return 10 + (((a & 127) << 21) | ((b & 127) << 14) | ((c & 127) << 7) | (d & 127));
}

/** What encoders leave in the first frame: how many frames follow, and (LAME) how many samples are not the recording's. */
function encoderNote(bytes: Buffer, at: number, frame: Frame): { frames: number | null; unplayed: number } | null {
  const place = bytes.toString("latin1", at, Math.min(at + frame.bytes, bytes.length)).search(/Xing|Info/);
  if (place < 0 || place > 40) return null;
  const flags = bytes.readUInt32BE(at + place + 4);
  const frames = flags & 1 ? bytes.readUInt32BE(at + place + 8) : null;
  const lengths = [flags & 1 ? 4 : 0, flags & 2 ? 4 : 0, flags & 4 ? 100 : 0, flags & 8 ? 4 : 0];
  const encoder = lengths.reduce((sum, length) => sum + length, at + place + 8);
  const isLame = /^(LAME|Lav[cf])/.test(bytes.toString("latin1", encoder, encoder + 4));
  const packed = isLame ? bytes.readUIntBE(encoder + 21, 3) : 0;
  return { frames, unplayed: (packed >> 12) + (packed & 0xfff) };
}
