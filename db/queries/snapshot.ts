import type { Sql, TransactionSql } from "postgres";

export interface ReadLimits {
  /** A statement that takes longer is ended by the database (57014). */
  timeoutMs?: number;
  /** The longest wait for a connection of the pool; then `StoreBusy`. */
  waitMs?: number;
  /** The longest that the reader may take between two statements; then the database closes the connection (25P03). */
  idleMs?: number;
  /** The connection's name while it reads, at most 63 bytes: who is slow can be seen, and ended by it (db/cancel-reads.ts). */
  as?: string;
}

/** All connections of a pool are at work. */
export class StoreBusy extends Error {
  readonly code = "store_busy";
}

const TIMEOUT_MS = 10_000;
const WAIT_MS = 5000;
const IDLE_MS = 60_000;

/** What dashboards call their connections; the part behind it says for which page. */
export const READER = "omnimeter: ";

/**
 * Reads a page's figures as of one moment, so that its total equals its rows while calls keep coming.
 * @throws StoreBusy when no connection is free for too long; the driver's errors
 */
export async function snapshot<T>(
  sql: Sql,
  read: (tx: TransactionSql) => Promise<T>,
  { timeoutMs = TIMEOUT_MS, waitMs = WAIT_MS, idleMs = IDLE_MS, as = `${READER}page` }: ReadLimits = {},
): Promise<T> {
  const wait = patience(waitMs);
  const result = sql.begin("isolation level repeatable read read only", async (tx) => {
    wait.over();
    // A plan for any range and filter, which PostgreSQL makes of a statement's sixth run on, is wrong for most: seconds instead of tenths.
    // Calls and their lines are in partitions of the same weeks: joined week by week, the lines of a few calls are looked up, where all lines of
    // the range would be read.
    // Compiling sums of thirty columns takes longer than adding them.
    await tx`
      select
        set_config('statement_timeout', ${String(timeoutMs)}, true), set_config('application_name', ${as}, true),
        set_config('idle_in_transaction_session_timeout', ${String(idleMs)}, true),
        set_config('plan_cache_mode', 'force_custom_plan', true),
        set_config('enable_partitionwise_join', 'on', true), set_config('jit', 'off', true)`;
    return read(tx);
  });
  // postgres.js types the result as if it unwrapped arrays of promises, which nobody here returns.
  return Promise.race([result as Promise<T>, wait.lost]).finally(wait.end);
}

/** A read that gets its connection only after its reader was told to come again must not begin. */
function patience(waitMs: number) {
  const busy = new StoreBusy(`No connection to the database was free for ${waitMs / 1000} s`);
  const { promise: lost, reject } = Promise.withResolvers<never>();
  let isLost = false;
  const timer = setTimeout(() => {
    isLost = true;
    reject(busy);
  }, waitMs);
  return {
    lost,
    end: () => clearTimeout(timer),
    over() {
      clearTimeout(timer);
      if (isLost) throw busy;
    },
  };
}
