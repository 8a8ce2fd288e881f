import type { RecordedBody, RecordedChunk } from "#lib/exchange.ts";
import type { Frame } from "./frames.ts";

/** What is kept of a body while its exchange is in flight. */
export interface OpenBody {
  chunks: RecordedChunk[];
  keptBytes: number;
  /** Where the next chunks go, and how much of it is taken. */
  block?: { bytes: Buffer; used: number };
}

export const BEGINNING_BYTES = 64 << 10;
/** Of a chunk, beside its bytes: a stream of single bytes is not small. */
export const CHUNK_BYTES = 200;
const BLOCK_BYTES_MAX = 256 << 10;

export const newBody = (): OpenBody => ({ chunks: [], keptBytes: 0 });

export const held = (body: OpenBody): number => body.keptBytes + body.chunks.length * CHUNK_BYTES;

/** A copy: the payload is a view of a batch that is about to be reused. */
export function addChunk(body: OpenBody, { at, offset, payload }: Frame): void {
  body.chunks.push({ atMs: at, offset, bytes: copyInto(body, payload) });
  body.keptBytes += payload.length;
}

/** Lets go of all but the first chunks of a body. */
export function keepBeginning(body: OpenBody): void {
  let bytes = 0;
  const kept = body.chunks.findIndex((chunk) => {
    bytes += chunk.bytes.length + CHUNK_BYTES;
    return bytes > BEGINNING_BYTES;
  });
  // Copies: a view would keep the whole block.
  body.chunks = body.chunks
    .slice(0, kept < 0 ? undefined : kept)
    .map((chunk) => ({ ...chunk, bytes: Buffer.from(chunk.bytes) }));
  body.keptBytes = body.chunks.reduce((sum, chunk) => sum + chunk.bytes.length, 0);
  delete body.block;
}

/** What there was of it, kept or not. */
export function totalOf(body: OpenBody, stated: number | undefined): RecordedBody {
  const seen = body.chunks.reduce((most, one) => Math.max(most, one.offset + one.bytes.length), 0);
  const bytes = Math.max(stated ?? 0, seen);
  return { chunks: body.chunks, bytes, cut: body.keptBytes < bytes };
}

/**
 * The first chunk lies in Node's pool of small buffers, as most bodies are over with it; later ones lie in blocks of the body's own. In
 * the pool each chunk of a long stream would hold a slab of 8 kB that was shared with calls long gone.
 */
function copyInto(body: OpenBody, payload: Buffer): Buffer {
  if (body.chunks.length === 0) return Buffer.from(payload);
  let { block } = body;
  if (!block || block.used + payload.length > block.bytes.length) {
    const size = Math.max(payload.length, Math.min(body.keptBytes, BLOCK_BYTES_MAX));
    block = { bytes: Buffer.allocUnsafeSlow(size), used: 0 };
    body.block = block;
  }
  const to = block.used + payload.length;
  payload.copy(block.bytes, block.used);
  const copy = block.bytes.subarray(block.used, to);
  block.used = to;
  return copy;
}
