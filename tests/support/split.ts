/** How a body is cut into writes: whole, one byte each, after each SSE event, n bytes each, or at odd places from a seed. */
export type Split = "whole" | "bytes" | "events" | { every: number } | { seed: number };

/** The pieces of `body`; together they are the body again. */
export function splitBytes(body: Buffer, split: Split): Buffer[] {
  if (body.length === 0) return [];
  if (split === "whole") return [body];
  if (split === "bytes") return cut(body, () => 1);
  if (split === "events") return splitEvents(body);
  if ("every" in split) return cut(body, () => split.every);
  const random = seeded(split.seed);
  // Mostly a handful of bytes, now and then a large piece with many events: both kinds of boundary are met.
  return cut(body, () => (random() < 0.8 ? 1 + Math.floor(random() * 61) : 1 + Math.floor(random() * 4000)));
}

function cut(body: Buffer, size: () => number): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < body.length; ) {
    const next = Math.min(body.length, at + size());
    pieces.push(body.subarray(at, next));
    at = next;
  }
  return pieces;
}

function splitEvents(body: Buffer): Buffer[] {
  const pieces: Buffer[] = [];
  let at = 0;
  for (const { index, 0: end } of body.toString("latin1").matchAll(/\n\r?\n/g)) {
    pieces.push(body.subarray(at, index + end.length));
    at = index + end.length;
  }
  if (at < body.length) pieces.push(body.subarray(at));
  return pieces;
}

/** Numbers in [0, 1) that are the same for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** `size` bytes without pattern, the same for the same seed, made without keeping them all. */
export function* seededBytes(size: number, seed: number, step = 64 << 10): Generator<Buffer> {
  const random = seeded(seed);
  const block = Buffer.alloc(step);
  for (let i = 0; i + 4 <= step; i += 4) block.writeUInt32LE(Math.floor(random() * 4294967296), i);
  for (let left = size; left > 0; left -= step) {
    // Each piece differs from the last, so that a repeated or exchanged piece changes the hash.
    block.writeUInt32LE(left >>> 0, 0);
    yield Buffer.from(block.subarray(0, Math.min(step, left)));
  }
}
