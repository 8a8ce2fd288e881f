/** Chance that is the same for the same seed. */
export interface Random {
  /** In [0, 1). */
  next(): number;
  /** 32 bits, unsigned. */
  bits(): number;
  /** Whole numbers from 0 to below `count`. */
  below(count: number): number;
  chance(share: number): boolean;
  pick<T>(list: readonly T[]): T;
  /** Half of them lie below `median`; about two thirds within `median` × e^±sigma. */
  logNormal(median: number, sigma: number): number;
}

/** mulberry32: small, fast, and good enough for a company that does not exist. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;

  function bits(): number {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  }
  const next = () => bits() / 4294967296;
  const below = (count: number) => Math.floor(next() * count);

  return {
    next,
    bits,
    below,
    chance: (share) => next() < share,
    pick: <T>(list: readonly T[]) => list[below(list.length)] as T,
    logNormal(median, sigma) {
      const normal = Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
      return median * Math.exp(sigma * normal);
    },
  };
}

/** Draws from `items` in proportion to their weights. */
export function weighted<T>(items: readonly T[], weightOf: (item: T) => number): (random: Random) => T {
  let total = 0;
  const upTo = items.map((item) => {
    total += weightOf(item);
    return total;
  });
  return (random) => {
    const at = random.next() * total;
    let low = 0;
    for (let high = upTo.length - 1; low < high; ) {
      const middle = (low + high) >>> 1;
      if ((upTo[middle] as number) > at) high = middle;
      else low = middle + 1;
    }
    return items[low] as T;
  };
}
