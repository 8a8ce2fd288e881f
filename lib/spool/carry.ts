import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { deflateRawSync, inflateRawSync } from "node:zlib";
import type { OpenExchange } from "./assembler.ts";

/** Seals any JSON value with the spool's key: what leaves the spool for the database without being decoded. */
export function sealWithSpoolKey(key: Buffer, value: unknown): Buffer {
  const nonce = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", key, nonce);
  const body = Buffer.concat([cipher.update(deflateRawSync(JSON.stringify(value), { level: 1 })), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), body]);
}

/** @throws when another key sealed it or it is damaged. */
export function openWithSpoolKey(key: Buffer, sealed: Buffer): unknown {
  const decipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(0, 12));
  decipher.setAuthTag(sealed.subarray(12, 28));
  const body = Buffer.concat([decipher.update(sealed.subarray(28)), decipher.final()]);
  return JSON.parse(inflateRawSync(body).toString("utf8"));
}

/** A call in flight as it stands, so that the segments behind it can go. */
export const sealOpenExchange = (key: Buffer, open: OpenExchange): Buffer =>
  sealWithSpoolKey(key, { ...open, request: asText(open.request), response: asText(open.response) });

export function openOpenExchange(key: Buffer, sealed: Buffer): OpenExchange {
  const open = openWithSpoolKey(key, sealed) as Omit<OpenExchange, "request" | "response"> &
    Record<"request" | "response", TextBody>;
  return { ...open, request: asBytes(open.request), response: asBytes(open.response) };
}

interface TextBody {
  keptBytes: number;
  chunks: { atMs: number; offset: number; bytes: string }[];
}

const asText = (body: OpenExchange["request"]): TextBody => ({
  ...body,
  chunks: body.chunks.map((chunk) => ({ ...chunk, bytes: chunk.bytes.toString("base64") })),
});

const asBytes = (body: TextBody): OpenExchange["request"] => ({
  ...body,
  chunks: body.chunks.map((chunk) => ({ ...chunk, bytes: Buffer.from(chunk.bytes, "base64") })),
});
