import type { KeptFile } from "../bodies/kept-file.ts";
import type { FoundLength } from "./audio-length.ts";

/**
 * MP4 and M4A (ISO/IEC 14496-12): the movie's header, which stands at the beginning or at the end. What browsers record is in fragments, and
 * the header says nothing: then the last fragment of a track tells where it ends.
 */
export function mp4Length({ head, tail }: KeptFile): FoundLength | null {
  const movie = find(head, "moov") ?? (tail && lateMovie(tail));
  if (!movie) return null;
  const seconds = stated(movie) ?? fragmentsEnd(movie, head);
  if (seconds === null) return null;
  return { ms: seconds.value * 1000, ofWhole: seconds.ofWhole };
}

interface Box {
  readonly kind: string;
  readonly content: Buffer;
}

/** A box may say that it reaches to the end (0), or give its size in 64 bits (1). */
function* boxes(bytes: Buffer): Generator<Box> {
  for (let at = 0; at + 8 <= bytes.length; ) {
    const short = bytes.readUInt32BE(at);
    const isLong = short === 1 && at + 16 <= bytes.length;
    const size = isLong ? Number(bytes.readBigUInt64BE(at + 8)) : short === 0 ? bytes.length - at : short;
    const header = isLong ? 16 : 8;
    if (size < header) return;
    yield { kind: bytes.toString("latin1", at + 4, at + 8), content: bytes.subarray(at + header, at + size) };
    at += size;
  }
}

function find(bytes: Buffer, ...path: string[]): Buffer | null {
  let inside: Buffer | undefined = bytes;
  for (const kind of path) {
    inside = inside && boxes(inside).find((box) => box.kind === kind)?.content;
  }
  return inside ?? null;
}

const all = (bytes: Buffer, kind: string): Buffer[] =>
  [...boxes(bytes)].filter((box) => box.kind === kind).map(({ content }) => content);

/** Nothing says where in the tail a box begins. */
function lateMovie(tail: Buffer): Buffer | null {
  const at = tail.lastIndexOf("moov", undefined, "latin1");
  return at < 4 ? null : find(tail.subarray(at - 4), "moov");
}

function stated(movie: Buffer): { value: number; ofWhole: true } | null {
  const header = find(movie, "mvhd");
  if (header === null) return null;
  const isLong = header[0] === 1;
  const scale = header.readUInt32BE(isLong ? 20 : 12);
  const fragments = find(movie, "mvex", "mehd");
  const units =
    (isLong ? number64(header, 24) : header.readUInt32BE(16)) || (fragments && fragmentDuration(fragments)) || 0;
  const isKnown = scale > 0 && units > 0 && units < 0xffff_ffff;
  return isKnown ? { value: units / scale, ofWhole: true } : null;
}

function fragmentDuration(box: Buffer): number {
  return box[0] === 1 ? number64(box, 4) : box.readUInt32BE(4);
}

/** In seconds, of the track that ends last, as far as its fragments were kept. */
function fragmentsEnd(movie: Buffer, bytes: Buffer): { value: number; ofWhole: false } | null {
  const tracks = new Map<number, { scale: number; sampleUnits: number; end: number }>();
  for (const track of all(movie, "trak")) {
    const header = find(track, "tkhd");
    const media = find(track, "mdia", "mdhd");
    if (header === null || media === null) continue;
    const scale = media.readUInt32BE(media[0] === 1 ? 20 : 12);
    if (scale > 0) tracks.set(header.readUInt32BE(header[0] === 1 ? 20 : 12), { scale, sampleUnits: 0, end: 0 });
  }
  for (const defaults of all(find(movie, "mvex") ?? Buffer.alloc(0), "trex")) {
    const track = tracks.get(defaults.readUInt32BE(4));
    if (track) track.sampleUnits = defaults.readUInt32BE(12);
  }
  for (const { kind, content } of boxes(bytes)) {
    if (kind !== "moof") continue;
    for (const fragment of all(content, "traf")) addFragment(tracks, fragment);
  }
  const end = Math.max(0, ...[...tracks.values()].map((track) => track.end / track.scale));
  return end > 0 ? { value: end, ofWhole: false } : null;
}

function addFragment(tracks: Map<number, { sampleUnits: number; end: number }>, fragment: Buffer): void {
  const header = find(fragment, "tfhd");
  const track = header && tracks.get(header.readUInt32BE(4));
  if (!header || !track) return;
  const flags = header.readUIntBE(1, 3);
  const at = 8 + (flags & 1 ? 8 : 0) + (flags & 2 ? 4 : 0);
  const sampleUnits = flags & 8 ? header.readUInt32BE(at) : track.sampleUnits;
  const time = find(fragment, "tfdt");
  const begins = time === null ? track.end : time[0] === 1 ? number64(time, 4) : time.readUInt32BE(4);
  const units = all(fragment, "trun").reduce((sum, run) => sum + runUnits(run, sampleUnits), 0);
  track.end = Math.max(track.end, begins + units);
}

/** Each sample has up to four figures, its duration first. */
function runUnits(run: Buffer, sampleUnits: number): number {
  const flags = run.readUIntBE(1, 3);
  const samples = run.readUInt32BE(4);
  if (!(flags & 0x100)) return samples * sampleUnits;
  const step = 4 * [0x100, 0x200, 0x400, 0x800].filter((flag) => flags & flag).length;
  let units = 0;
  for (let i = 0, at = 8 + (flags & 1 ? 4 : 0) + (flags & 4 ? 4 : 0); i < samples; i++, at += step) {
    units += run.readUInt32BE(at);
  }
  return units;
}

const number64 = (bytes: Buffer, at: number): number => Number(bytes.readBigUInt64BE(at));
