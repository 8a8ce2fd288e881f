import { randomBytes } from "node:crypto";
import type { TransactionSql } from "postgres";
import { database } from "#app/_data/database.ts";
import { codeOf, storeTrouble } from "#app/_data/read-failure.ts";
import { cancelReads } from "#db/cancel-reads.ts";
import { READER, snapshot } from "#db/queries/snapshot.ts";

/** What was read, or why it could not be, as a sentence. */
export type Part<T> = { value: T } | { problem: string };

const STATEMENT_MS = 1500;
const WAIT_MS = 2500;
/** Waiting, and all statements of a part together. */
const WHOLE_MS = 3000;

/**
 * A part of a page that must be there when the database is not, or is ill: each on its own, with short limits, on connections
 * that pages and exports do not use.
 */
export async function readPart<T>(read: (tx: TransactionSql) => Promise<T>): Promise<Part<T>> {
  const as = `${READER}health ${randomBytes(6).toString("base64url")}`;
  const { promise: late, resolve } = Promise.withResolvers<Part<T>>();
  const timer = setTimeout(() => {
    resolve({ problem: storeTrouble("57014") });
    // It would go on statement by statement.
    cancelReads(database("health"), as).catch(() => {});
  }, WHOLE_MS);
  try {
    return await Promise.race([late, answer(read, as)]);
  } finally {
    clearTimeout(timer);
  }
}

async function answer<T>(read: (tx: TransactionSql) => Promise<T>, as: string): Promise<Part<T>> {
  try {
    return { value: await snapshot(database("health"), read, { timeoutMs: STATEMENT_MS, waitMs: WAIT_MS, as }) };
  } catch (error) {
    return { problem: storeTrouble(codeOf(error)) };
  }
}
