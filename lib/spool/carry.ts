import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { deflateRawSync, inflateRawSync } from "node:zlib";
import type { OpenExchange } from "./assembler.ts";
import { keepBeginning, type OpenBody } from "./open-body.ts";

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

/** More than this is carried without the rest of its bodies: one text holds all of it on its way to the database. */
export const CARRY_BYTES_MAX = 64 << 20;

/** A call in flight as it stands, so that the segments behind it can go. A body that is too large gives up all but its beginning. */
export function sealOpenExchange(key: Buffer, open: OpenExchange): Buffer {
  const { request, response } = open;
  for (const body of [request, response]) if (body.keptBytes > CARRY_BYTES_MAX / 2) keepBeginning(body);
  return sealWithSpoolKey(key, { ...open, request: asText(request), response: asText(response) });
}

export function openOpenExchange(key: Buffer, sealed: Buffer): OpenExchange {
  const open = openWithSpoolKey(key, sealed) as Omit<OpenExchange, "request" | "response"> &
    Record<"request" | "response", TextBody>;
  return { ...open, request: asBytes(open.request), response: asBytes(open.response) };
}

interface TextBody {
  keptBytes: number;
  chunks: { atMs: number; offset: number; bytes: string }[];
}

const asText = ({ keptBytes, chunks }: OpenBody): TextBody => ({
  keptBytes,
  chunks: chunks.map((chunk) => ({ ...chunk, bytes: chunk.bytes.toString("base64") })),
});

const asBytes = (body: TextBody): OpenBody => ({
  ...body,
  chunks: body.chunks.map((chunk) => ({ ...chunk, bytes: Buffer.from(chunk.bytes, "base64") })),
});
