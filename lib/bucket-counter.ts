import type { Buckets } from "./metric-family.ts";

export interface BucketCounter {
  add(value: number): void;
  read(): Buckets;
}

/** Counts values by bucket. An addition is one search in a short list and two additions. */
export function createBucketCounter(bounds: readonly number[]): BucketCounter {
  const counts = new Array<number>(bounds.length + 1).fill(0);
  let sum = 0;
  return {
    add(value) {
      let bucket = 0;
      while (bucket < bounds.length && value > (bounds[bucket] as number)) bucket++;
      counts[bucket] = (counts[bucket] as number) + 1;
      sum += value;
    },
    read: () => ({ bounds, counts: [...counts], sum }),
  };
}
