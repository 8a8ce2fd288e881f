import type { KeptFile } from "../bodies/kept-file.ts";
import type { FoundLength } from "./audio-length.ts";

/**
 * WebM and Matroska (RFC 9559). What browsers record states no duration and no sizes of its outer elements: then the last block's time
 * counts, and a block is as long as the one before it.
 */
export function webmLength({ head }: KeptFile): FoundLength | null {
  let scaleNs = 1_000_000;
  let duration = 0;
  let cluster = 0;
  let last: number | null = null;
  let step = 0;

  for (const { id, content } of elements(head)) {
    if (id === TIMESTAMP_SCALE) scaleNs = unsigned(content) || scaleNs;
    if (id === DURATION) duration = content.length === 4 ? content.readFloatBE(0) : content.readDoubleBE(0);
    if (id === CLUSTER_TIMESTAMP) cluster = unsigned(content);
    if (id !== SIMPLE_BLOCK && id !== BLOCK) continue;
    // The track's number in one to eight bytes, then the time since the cluster's.
    const time = cluster + content.readInt16BE(numberLength(content[0] ?? 0));
    if (last !== null && time > last) step = time - last;
    last = Math.max(time, last ?? 0);
  }

  const toMs = scaleNs / 1_000_000;
  if (duration > 0) return { ms: duration * toMs, ofWhole: true };
  return last === null ? null : { ms: (last + step) * toMs, ofWhole: false };
}

const SEGMENT = 0x18538067;
const INFO = 0x1549a966;
const CLUSTER = 0x1f43b675;
const BLOCK_GROUP = 0xa0;
const TIMESTAMP_SCALE = 0x2ad7b1;
const DURATION = 0x4489;
const CLUSTER_TIMESTAMP = 0xe7;
const SIMPLE_BLOCK = 0xa3;
const BLOCK = 0xa1;

const OUTER: ReadonlySet<number> = new Set([SEGMENT, INFO, CLUSTER, BLOCK_GROUP]);

/** Elements one after the other; of the outer ones only what is inside. The last one may be cut. */
function* elements(bytes: Buffer): Generator<{ id: number; content: Buffer }> {
  for (let at = 0; at + 2 <= bytes.length; ) {
    const idLength = numberLength(bytes[at] ?? 0);
    if (idLength > 4 || at + idLength >= bytes.length) return;
    const id = bytes.readUIntBE(at, idLength);
    const sizeAt = at + idLength;
    const sizeLength = numberLength(bytes[sizeAt] ?? 0);
    if (sizeLength > 8 || sizeAt + sizeLength > bytes.length) return;
    const from = sizeAt + sizeLength;
    if (OUTER.has(id)) {
      at = from;
      continue;
    }
    const size = withoutMarker(bytes, sizeAt, sizeLength);
    if (from + size > bytes.length) return;
    yield { id, content: bytes.subarray(from, from + size) };
    at = from + size;
  }
}

/** A number says how long it is by the zeros before its first set bit. 9: none. */
const numberLength = (first: number): number => Math.clz32(first) - 23;

function withoutMarker(bytes: Buffer, at: number, length: number): number {
  let value = (bytes[at] ?? 0) & (0xff >> length);
  for (let i = 1; i < length; i++) value = value * 256 + (bytes[at + i] ?? 0);
  return value;
}

function unsigned(content: Buffer): number {
  return content.reduce((value, byte) => value * 256 + byte, 0);
}
