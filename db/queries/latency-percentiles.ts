import type { PendingQuery, Row } from "postgres";
import type { Reader } from "./call-filter.ts";

/** Of n calls, right to 1 %; null where n is too small for it to mean anything. */
export interface Percentiles {
  n: number;
  p50Ms: number | null;
  p95Ms: number | null;
  p99Ms: number | null;
}

/** From how many calls on a percentile is told. */
export interface EnoughCalls {
  p50: number;
  p95: number;
  p99: number;
}

/** The bins that percentiles fall into. */
export interface PercentileBins {
  n: number;
  p50: number;
  p95: number;
  p99: number;
}

/**
 * Per value of `keys`: the bins of nearest-rank percentiles (the p-th of n values is the one at rank ceil(p/100 × n)).
 * `counted` is a table with the keys, `bin` and `n`. Counts are exact as floating point, and sums of them quicker than of 64-bit integers.
 */
export const percentileBins = (sql: Reader, keys: string, counted: PendingQuery<Row[]>) => sql`
  select
    ${sql.unsafe(keys)}, total::bigint as n,
    min(bin) filter (where upto * 100 >= total * 50) as p50,
    min(bin) filter (where upto * 100 >= total * 95) as p95,
    min(bin) filter (where upto * 100 >= total * 99) as p99
  from (
    select
      *, sum(n) over (partition by ${sql.unsafe(keys)} order by bin rows unbounded preceding) as upto,
      sum(n) over (partition by ${sql.unsafe(keys)}) as total
    from (select ${sql.unsafe(keys)}, bin, sum(n)::float8 as n from ${counted} counted group by ${sql.unsafe(keys)}, bin) bins
  ) ranked
  group by ${sql.unsafe(keys)}, total`;

const NO_CALLS: Percentiles = { n: 0, p50Ms: null, p95Ms: null, p99Ms: null };

export function percentilesOf(bins: PercentileBins | undefined, enough: EnoughCalls): Percentiles {
  if (!bins) return NO_CALLS;
  const told = (rank: keyof EnoughCalls) => (bins.n >= enough[rank] ? binMiddleMs(bins[rank]) : null);
  return { n: bins.n, p50Ms: told("p50"), p95Ms: told("p95"), p99Ms: told("p99") };
}

/** A bin is 2^(1/36) wide, so nothing in it is more than 1 % away from its geometric middle. */
export const binMiddleMs = (bin: number): number => 2 ** ((bin + 0.5) / 36);
