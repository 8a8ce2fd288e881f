import { randomFillSync } from "node:crypto";

/** A clock that is set back by more was wrong before: what is dated further ahead than this cannot be stored (db/record-batch.ts). */
const BACK_MAX_MS = 3_600_000;

/**
 * Makes UUIDv7s (RFC 9562) whose millisecond is the request's start and which never go down within this maker, even
 * when the clock is set back by up to an hour: 12 bits count within a millisecond and overflow into the next one.
 */
export function createUuid7(now: () => number = Date.now): () => string {
  const pool = Buffer.allocUnsafe(8 * 512);
  let used = pool.length;
  let lastMs = 0;
  let count = 0;
  return () => {
    const ms = Math.floor(now());
    if (ms > lastMs || lastMs - ms > BACK_MAX_MS) {
      lastMs = ms;
      count = 0;
    } else if (++count > 0xfff) {
      lastMs++;
      count = 0;
    }
    if (used === pool.length) {
      randomFillSync(pool);
      used = 0;
    }
    const variant = ((pool[used] as number) & 0x3f) | 0x80;
    pool[used] = variant;
    const random = pool.toString("hex", used, used + 8);
    used += 8;
    const time = lastMs.toString(16).padStart(12, "0");
    return `${time.slice(0, 8)}-${time.slice(8)}-7${count.toString(16).padStart(3, "0")}-${random.slice(0, 4)}-${random.slice(4)}`;
  };
}

/** The millisecond inside a UUIDv7. */
export const uuid7Ms = (id: string): number => Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
