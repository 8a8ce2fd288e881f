import type { Sample } from "#lib/metric-family.ts";

/** Sums by label set. Money is summed as decimals and becomes a number only when it is shown. */
export interface Sums<T> {
  add(labels: Record<string, string>, amount: T): void;
  samples(): Sample<number>[];
}

export function createSums<T extends number | string>(zero: T, plus: (a: T, b: T) => T): Sums<T> {
  const sums = new Map<string, { labels: Record<string, string>; total: T }>();
  return {
    add(labels, amount) {
      const key = Object.values(labels).join("\0");
      const sum = sums.get(key);
      if (sum) sum.total = plus(sum.total, amount);
      else sums.set(key, { labels, total: plus(zero, amount) });
    },
    samples: () => [...sums.values()].map(({ labels, total }) => ({ labels, value: Number(total) })),
  };
}
