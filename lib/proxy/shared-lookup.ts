import { type LookupAddress, lookup } from "node:dns";
import type { LookupFunction } from "node:net";

/** A storm of new connections asks once. */
const FRESH_MS = 1000;

export type LookupAll = (
  hostname: string,
  answer: (error: Error | null, addresses: readonly LookupAddress[]) => void,
) => void;

/**
 * Resolves names for new connections. Whoever asks while an answer is on its way, or within a second, gets the same one:
 * the system answers four at a time. When a resolver fails, the last addresses that it gave are tried.
 */
export function createSharedLookup(resolve: LookupAll = systemLookup, now = () => performance.now()): LookupFunction {
  const names = new Map<string, Name>();
  return (hostname, { all }, answer) => {
    const name = names.get(hostname) ?? { addresses: [], atMs: -Infinity, waiting: null };
    names.set(hostname, name);
    const give = (error: Error | null, addresses: readonly LookupAddress[]) => {
      const [first] = addresses;
      if (!first) return answer(error, "");
      if (all) return answer(null, [...addresses]);
      answer(null, first.address, first.family);
    };
    // As every lookup: never within the call.
    if (now() - name.atMs < FRESH_MS) return process.nextTick(give, null, name.addresses);
    if (name.waiting) return void name.waiting.push(give);
    name.waiting = [give];
    resolve(hostname, (error, addresses) => {
      const waiting = name.waiting ?? [];
      name.waiting = null;
      if (!error && addresses.length > 0) {
        name.addresses = addresses;
        name.atMs = now();
      }
      for (const one of waiting) one(error, name.addresses);
    });
  };
}

/** Bounded: only the upstreams' own names are asked for. */
interface Name {
  addresses: readonly LookupAddress[];
  atMs: number;
  waiting: ((error: Error | null, addresses: readonly LookupAddress[]) => void)[] | null;
}

const systemLookup: LookupAll = (hostname, answer) =>
  lookup(hostname, { all: true }, (error, addresses) => answer(error, addresses ?? []));
