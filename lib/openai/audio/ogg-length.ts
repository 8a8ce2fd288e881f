import type { KeptFile } from "../bodies/kept-file.ts";
import { isWhole } from "../bodies/kept-file.ts";
import type { FoundLength } from "./audio-length.ts";

/** Ogg with Opus, Vorbis, FLAC or Speex: the last page says how many samples there are (RFC 3533, 6; for Opus at 48 kHz: RFC 7845, 4). */
export function oggLength(file: KeptFile): FoundLength | null {
  const { head, tail } = file;
  const clock = readClock(head.subarray(28, 28 + 64));
  // A page can be longer than the end that was kept.
  const end = tail && lastPage(tail);
  const last = end ?? lastPage(head);
  if (clock === null || clock.rate === 0 || last === null) return null;
  const ms = (Math.max(0, last.samples - clock.skipped) / clock.rate) * 1000;
  return { ms, ofWhole: end !== null || isWhole(file), span: { from: 0, to: last.end } };
}

/** Samples a second, and how many at the beginning are not played. The first packet is the only one of its page. */
function readClock(packet: Buffer): { rate: number; skipped: number } | null {
  const kind = packet.toString("latin1", 0, 8);
  if (kind === "OpusHead") return { rate: 48_000, skipped: packet.readUInt16LE(10) };
  if (kind.startsWith("\x01vorbis")) return { rate: packet.readUInt32LE(12), skipped: 0 };
  if (kind.startsWith("\x7fFLAC")) return { rate: packet.readUIntBE(27, 3) >>> 4, skipped: 0 };
  if (kind === "Speex   ") return { rate: packet.readUInt32LE(36), skipped: 0 };
  return null;
}

/** How many samples there are up to a page's end. Pages in which no packet ends do not say (all bits set). */
function lastPage(bytes: Buffer): { samples: number; end: number } | null {
  for (let at = bytes.length; at > 0; ) {
    at = bytes.lastIndexOf("OggS", at - 1, "latin1");
    if (at < 0) return null;
    const segments = bytes[at + 26];
    if (segments === undefined || at + 27 + segments > bytes.length || bytes[at + 4] !== 0) continue;
    const granule = bytes.readBigUInt64LE(at + 6);
    if (granule >= 1n << 52n) continue;
    const table = bytes.subarray(at + 27, at + 27 + segments);
    return { samples: Number(granule), end: at + 27 + segments + table.reduce((sum, length) => sum + length, 0) };
  }
  return null;
}
