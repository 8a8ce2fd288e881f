import { createHash } from "node:crypto";

/**
 * The UUIDv7 of a call that came out of another exchange: the millisecond it began (since the epoch), and a hash of what it is, so that
 * whoever reads the same thing again, however often, finds the same id. `what`: e.g. the parent's id and the provider's.
 */
export function derivedId(startedAtMs: number, ...what: readonly string[]): string {
  const ms = Math.max(0, Math.floor(startedAtMs)).toString(16).padStart(12, "0").slice(-12);
  const hash = createHash("sha256").update(what.join("\n")).digest("hex");
  const variant = ((Number.parseInt(hash[3] as string, 16) & 3) | 8).toString(16);
  return `${ms.slice(0, 8)}-${ms.slice(8)}-7${hash.slice(0, 3)}-${variant}${hash.slice(4, 7)}-${hash.slice(7, 19)}`;
}
