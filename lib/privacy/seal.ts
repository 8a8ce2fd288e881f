import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject, randomBytes } from "node:crypto";
import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import type { Content } from "#lib/call.ts";
import { redactContent } from "./redact.ts";

declare const sealed: unique symbol;
/** Content as it may be stored. Only `toStorable` makes it, and it redacts first. */
export type SealedContent = Buffer & { readonly [sealed]: true };

export interface Storable {
  sealed: SealedContent;
  /** How many of each kind were taken out. */
  redactions: Record<string, number>;
}

/** The content could not be redacted: the caller drops it and keeps the facts. */
export class RedactionFailed extends Error {
  readonly code = "redaction_failed";
}

/** The sealed bytes are damaged, or another key sealed them. */
export class UnsealFailed extends Error {
  readonly code = "unseal_failed";
}

// version (1) · nonce (12) · tag (16) · AES-256-GCM of the compressed bytes (of content: JSON). The version is authenticated too.
const VERSION = Buffer.from([1]);
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEAD_BYTES = VERSION.length + NONCE_BYTES + TAG_BYTES;
/** 32 µs for a call of 2 kB; the usual level takes 51 for 1 % less. */
const FAST = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };
/** More than any kept exchange; a damaged length must not take the process down. */
const MOST_BYTES = 512 << 20;

/** @throws RedactionFailed */
export function toStorable(content: Content, key: Buffer): Storable {
  let text: string;
  let redactions: Record<string, number>;
  try {
    const redacted = redactContent(content);
    text = JSON.stringify(redacted.content);
    redactions = redacted.redactions;
  } catch (cause) {
    throw new RedactionFailed("The content could not be redacted and must not be stored", { cause });
  }
  return { sealed: seal(Buffer.from(text), key) as SealedContent, redactions };
}

/** Audio that somebody asked to keep: there is nothing in it that could be redacted. */
export const sealBytes = (bytes: Buffer, key: Buffer): Buffer => seal(bytes, key);

/** @throws UnsealFailed */
export const openContent = (bytes: Buffer, key: Buffer): Content =>
  JSON.parse(openBytes(bytes, key).toString()) as Content;

/** What sealBytes had sealed. @throws UnsealFailed */
export function openBytes(bytes: Buffer, key: Buffer): Buffer {
  if (bytes.length < HEAD_BYTES || bytes[0] !== VERSION[0])
    throw new UnsealFailed("The stored content has an unknown form: a newer version may have written it");
  try {
    const decipher = createDecipheriv("aes-256-gcm", keyObjectOf(key), bytes.subarray(1, 1 + NONCE_BYTES), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(VERSION);
    decipher.setAuthTag(bytes.subarray(1 + NONCE_BYTES, HEAD_BYTES));
    const compressed = Buffer.concat([decipher.update(bytes.subarray(HEAD_BYTES)), decipher.final()]);
    return zstdDecompressSync(compressed, { maxOutputLength: MOST_BYTES });
  } catch (cause) {
    throw new UnsealFailed("The stored content was sealed with another key, or is damaged", { cause });
  }
}

function seal(plain: Buffer, key: Buffer): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv("aes-256-gcm", keyObjectOf(key), nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(VERSION);
  const body = Buffer.concat([cipher.update(zstdCompressSync(plain, FAST)), cipher.final()]);
  return Buffer.concat([VERSION, nonce, cipher.getAuthTag(), body]);
}

const keyObjects = new WeakMap<Buffer, KeyObject>();

/** Node takes 12 µs to find out what kind of key a Buffer is, each time; a third of what sealing a call took. */
function keyObjectOf(key: Buffer): KeyObject {
  let known = keyObjects.get(key);
  if (!known) {
    known = createSecretKey(key);
    keyObjects.set(key, known);
  }
  return known;
}
