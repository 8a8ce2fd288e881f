import type { Sql, TransactionSql } from "postgres";

/**
 * Reads a page's figures as of one moment, so that its total equals its rows while calls keep coming. A query that
 * takes longer than allowed is ended by the database.
 */
export async function snapshot<T>(sql: Sql, read: (tx: TransactionSql) => Promise<T>, timeoutMs = 10_000): Promise<T> {
  const result = await sql.begin("isolation level repeatable read read only", async (tx) => {
    await tx`select set_config('statement_timeout', ${String(timeoutMs)}, true)`;
    return read(tx);
  });
  // postgres.js types the result as if it unwrapped arrays of promises, which nobody here returns.
  return result as T;
}
