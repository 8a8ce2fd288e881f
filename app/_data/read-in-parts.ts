import { randomBytes } from "node:crypto";
import { headers } from "next/headers";
import type { TransactionSql } from "postgres";
import { cancelReads } from "#db/cancel-reads.ts";
import { READER, snapshot } from "#db/queries/snapshot.ts";
import { leaving, REQUEST_HEADER } from "#lib/open-requests.ts";
import { database } from "./database.ts";
import { type ReadFailure, readFailure, TookTooLong } from "./read-failure.ts";

export type Outcome<T> = { value: T } | { failure: ReadFailure };

/** A read under way. */
export interface Reading<T> {
  /** By which it can be cancelled: the page and a random word. */
  token: string;
  /** Never rejects. */
  outcome: Promise<Outcome<T>>;
}

/** All statements of a page together; each has its own, shorter limit (db/queries/snapshot.ts). */
const WHOLE_MS = 30_000;
const TOKEN = /^[a-z]{1,20} [\w-]{16}$/;

/**
 * Reads a page as of one moment in two parts: the head, which is quick and which the page waits for, and the rest, which may
 * come later. A visitor who leaves, whoever cancels it by its token, and the limit of time end it in the database too.
 * @throws what the head fails with
 */
export async function readInParts<H, T>(
  page: string,
  readHead: (tx: TransactionSql) => Promise<H>,
  readRest: (tx: TransactionSql, head: H) => Promise<T>,
): Promise<{ head: H; rest: Reading<T> }> {
  const token = `${page} ${randomBytes(12).toString("base64url")}`;
  const stop = stopper(token, leaving((await headers()).get(REQUEST_HEADER)));
  const head = Promise.withResolvers<H>();
  const whole = snapshot(
    database(),
    async (tx) => {
      stop.check();
      const found = await readHead(tx);
      head.resolve(found);
      stop.check();
      return readRest(tx, found);
    },
    { as: `${READER}${token}` },
  );
  const outcome = whole
    .then((value): Outcome<T> => ({ value }))
    .catch((error): Outcome<T> => {
      head.reject(error);
      return { failure: readFailure(stop.reason() ?? error) };
    })
    .finally(stop.end);
  return { head: await head.promise, rest: { token, outcome } };
}

/**
 * Reads a page that has no second part, with the same name, limits and ends.
 * @throws what reading fails with
 */
export const readWhole = <T>(page: string, read: (tx: TransactionSql) => Promise<T>): Promise<T> =>
  readInParts(page, read, async () => null).then(({ head }) => head);

/** Ends a read that `readInParts` began; resolves with whether there was one. A text that is no token names none. */
export async function cancelReading(token: string): Promise<boolean> {
  return TOKEN.test(token) && (await cancelReads(database("health"), `${READER}${token}`)) > 0;
}

function stopper(token: string, left: AbortSignal | null) {
  let reason: Error | null = null;
  const because = (error: Error) => () => {
    reason = error;
    // A database that cannot be asked to stop has stopped, or ends the statement at its own limit.
    cancelReading(token).catch(() => {});
  };
  const onLeft = because(new Error("the visitor left"));
  const timer = setTimeout(because(new TookTooLong()), WHOLE_MS);
  if (left?.aborted) onLeft();
  left?.addEventListener("abort", onLeft, { once: true });
  return {
    reason: () => reason,
    check() {
      if (reason) throw reason;
    },
    end() {
      clearTimeout(timer);
      left?.removeEventListener("abort", onLeft);
    },
  };
}
