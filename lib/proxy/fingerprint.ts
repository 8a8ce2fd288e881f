import { createHmac } from "node:crypto";

const CACHED_MAX = 10_000;

/**
 * Replaces a secret by a short keyed hash: equal secrets stay equal, nobody can go back. Cached, because every call of a
 * client carries the same one.
 */
export function createFingerprint(key: Buffer): (secret: string) => string {
  const cache = new Map<string, string>();
  return (secret) => {
    const known = cache.get(secret);
    if (known) return known;
    if (cache.size >= CACHED_MAX) cache.clear();
    const made = `fp_${createHmac("sha256", key).update(secret).digest("hex").slice(0, 16)}`;
    cache.set(secret, made);
    return made;
  };
}
