import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject, randomBytes } from "node:crypto";
import { readdirSync } from "node:fs";

/**
 * A segment is one append-only file: a header with its own key (wrapped by the spool's key), then sealed batches.
 *
 *   "OMNISPL1" · u32 length · header JSON
 *   batch: u32 MARK · u32 plaintext length · u32 number · AES-256-GCM ciphertext · 16 byte tag
 *
 * The nonce is the batch's number, which never repeats under a segment's key; the 12 bytes before the ciphertext are
 * authenticated with it. A torn or corrupt batch costs that batch: the reader looks for the next mark.
 */
const MAGIC = Buffer.from("OMNISPL1");
export const MARK = 0x4d4f4254;
export const BATCH_HEADER_BYTES = 12;
export const TAG_BYTES = 16;
/** Larger than any batch the writer makes: a length beyond it is damage. */
const BATCH_BYTES_MAX = 1 << 20;

export interface SegmentHeader {
  spool: string;
  /** One life of one worker. */
  run: string;
  openedAt: string;
}

export const segmentName = (number: number): string => `${String(number).padStart(12, "0")}.seg`;

export const segmentNumber = (name: string): number | null => {
  const digits = /^(\d{12})\.seg$/.exec(name)?.[1];
  return digits ? Number(digits) : null;
};

/** Numbers of the segments in a directory, ascending. */
export const listSegments = (dir: string): number[] =>
  readdirSync(dir)
    .map(segmentNumber)
    .filter((number) => number !== null)
    .sort((a, b) => a - b);

/** A fresh key and the bytes that open the file. */
export function createSegmentHeader(spoolKey: Buffer, header: SegmentHeader): { key: KeyObject; bytes: Buffer } {
  const key = randomBytes(32);
  const nonce = randomBytes(12);
  const wrap = createCipheriv("aes-256-gcm", spoolKey, nonce);
  const wrapped = Buffer.concat([nonce, wrap.update(key), wrap.final(), wrap.getAuthTag()]).toString("base64");
  const json = Buffer.from(JSON.stringify({ ...header, key: wrapped }));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(json.length);
  // A key object: handing the bytes to each cipher costs three times as much as sealing a small batch.
  return { key: createSecretKey(key), bytes: Buffer.concat([MAGIC, length, json]) };
}

/** The header and its length in the file, or null when it is not (yet) whole or not ours. */
export function readSegmentHeader(
  bytes: Buffer,
  spoolKey: Buffer,
): { header: SegmentHeader; key: KeyObject; length: number } | null {
  if (bytes.length < MAGIC.length + 4 || !bytes.subarray(0, MAGIC.length).equals(MAGIC)) return null;
  const from = MAGIC.length + 4;
  const to = from + bytes.readUInt32LE(MAGIC.length);
  if (bytes.length < to) return null;
  try {
    const { key: wrapped, ...header } = JSON.parse(bytes.toString("utf8", from, to));
    const sealed = Buffer.from(wrapped, "base64");
    const unwrap = createDecipheriv("aes-256-gcm", spoolKey, sealed.subarray(0, 12));
    unwrap.setAuthTag(sealed.subarray(-TAG_BYTES));
    const key = Buffer.concat([unwrap.update(sealed.subarray(12, -TAG_BYTES)), unwrap.final()]);
    return { header, key: createSecretKey(key), length: to };
  } catch {
    return null;
  }
}

const nonceOf = (number: number): Buffer => {
  const nonce = Buffer.alloc(12);
  nonce.writeUInt32LE(number, 8);
  return nonce;
};

/** Header, ciphertext and tag of one batch, ready to be written in this order. */
export function sealBatch(key: KeyObject, number: number, plaintext: Buffer): Buffer[] {
  const head = Buffer.allocUnsafe(BATCH_HEADER_BYTES);
  head.writeUInt32LE(MARK, 0);
  head.writeUInt32LE(plaintext.length, 4);
  head.writeUInt32LE(number, 8);
  const cipher = createCipheriv("aes-256-gcm", key, nonceOf(number));
  cipher.setAAD(head);
  const body = cipher.update(plaintext);
  cipher.final();
  return [head, body, cipher.getAuthTag()];
}

/** The plaintext of the batch that starts at `offset`, or why there is none. */
export function openBatch(
  bytes: Buffer,
  offset: number,
  key: KeyObject,
): { plaintext: Buffer; next: number } | "incomplete" | "corrupt" {
  if (offset + BATCH_HEADER_BYTES > bytes.length) return "incomplete";
  const length = bytes.readUInt32LE(offset + 4);
  if (bytes.readUInt32LE(offset) !== MARK || length > BATCH_BYTES_MAX) return "corrupt";
  const from = offset + BATCH_HEADER_BYTES;
  const next = from + length + TAG_BYTES;
  if (next > bytes.length) return "incomplete";
  const decipher = createDecipheriv("aes-256-gcm", key, nonceOf(bytes.readUInt32LE(offset + 8)));
  decipher.setAAD(bytes.subarray(offset, from));
  decipher.setAuthTag(bytes.subarray(next - TAG_BYTES, next));
  try {
    const plaintext = decipher.update(bytes.subarray(from, next - TAG_BYTES));
    decipher.final();
    return { plaintext, next };
  } catch {
    return "corrupt";
  }
}
