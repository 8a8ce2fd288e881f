import type { KeptFile } from "../bodies/kept-file.ts";
import { isWhole } from "../bodies/kept-file.ts";
import type { FoundLength } from "./audio-length.ts";

/**
 * FLAC (RFC 9639): the header's count of samples. Who writes into a pipe leaves it 0; then the last frame says where it stands.
 */
export function flacLength(file: KeptFile): FoundLength | null {
  const { head, tail } = file;
  const rate = head.readUIntBE(18, 3) >>> 4;
  if (rate === 0) return null;
  const samples = (head.readUInt8(21) & 15) * 2 ** 32 + head.readUInt32BE(22);
  if (samples > 0) return { ms: (samples / rate) * 1000, ofWhole: true };
  const end = lastFrameEnd(tail ?? head, head.readUInt16BE(8));
  return end === null ? null : { ms: (end / rate) * 1000, ofWhole: tail !== null || isWhole(file) };
}

/** In samples. A frame begins with 14 set bits, and its header with a checksum: what only looks like one is passed over. */
function lastFrameEnd(bytes: Buffer, blockSamples: number): number | null {
  for (let at = bytes.length; at > 0; ) {
    at = bytes.lastIndexOf(0xff, at - 1);
    if (at < 0) return null;
    const end = ((bytes[at + 1] ?? 0) & 0xfe) === 0xf8 ? frameEnd(bytes, at, blockSamples) : null;
    if (end !== null) return end;
  }
  return null;
}

function frameEnd(bytes: Buffer, at: number, blockSamples: number): number | null {
  const number = codedNumber(bytes, at + 4);
  if (number === null) return null;
  const sizeCode = (bytes[at + 2] ?? 0) >> 4;
  const sizeBytes = sizeCode === 6 ? 1 : sizeCode === 7 ? 2 : 0;
  const rateBytes = [12, 13, 14].includes((bytes[at + 2] ?? 0) & 15) ? (((bytes[at + 2] ?? 0) & 15) === 12 ? 1 : 2) : 0;
  const checksumAt = number.end + sizeBytes + rateBytes;
  if (checksumAt >= bytes.length || crc8(bytes, at, checksumAt) !== bytes[checksumAt]) return null;
  const stated = sizeBytes > 0 ? bytes.readUIntBE(number.end, sizeBytes) + 1 : (BLOCK_SAMPLES[sizeCode] ?? 0);
  const isVariable = ((bytes[at + 1] ?? 0) & 1) === 1;
  return (isVariable ? number.value : number.value * blockSamples) + stated;
}

/** As UTF-8 codes characters, up to 36 bits. */
function codedNumber(bytes: Buffer, at: number): { value: number; end: number } | null {
  const first = bytes[at];
  if (first === undefined || (first & 0xc0) === 0x80 || first === 0xff) return null;
  const length = first < 0x80 ? 1 : Math.clz32(~(first << 24));
  if (at + length > bytes.length) return null;
  let value = length === 1 ? first : first & (0x7f >> length);
  for (let i = 1; i < length; i++) value = value * 64 + ((bytes[at + i] ?? 0) & 0x3f);
  return { value, end: at + length };
}

/** Polynomial x⁸ + x² + x + 1 over a header of at most sixteen bytes. */
function crc8(bytes: Buffer, from: number, to: number): number {
  let crc = 0;
  for (let at = from; at < to; at++) {
    crc ^= bytes[at] ?? 0;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x80 ? ((crc << 1) ^ 0x07) & 0xff : (crc << 1) & 0xff;
  }
  return crc;
}

const BLOCK_SAMPLES = [0, 192, 576, 1152, 2304, 4608, 0, 0, 256, 512, 1024, 2048, 4096, 8192, 16_384, 32_768];
