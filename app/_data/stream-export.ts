import { randomBytes } from "node:crypto";
import type { TransactionSql } from "postgres";
import { cancelReads } from "#db/cancel-reads.ts";
import { READER, snapshot } from "#db/queries/snapshot.ts";
import { database } from "./database.ts";
import { codeOf, NotKept, readFailure } from "./read-failure.ts";

/** As many as there are connections for them (database.ts): another one waits for nothing, it is told to come again. */
const EXPORTS_MAX = 2;
const RETRY_SECONDS = 15;
/** One statement: computing comes with the first rows. */
const STATEMENT_MS = 60_000;
/** A client that takes nothing for so long has lost its export. */
const IDLE_MS = 300_000;
const WHOLE_MS = 3_600_000;

const shared = globalThis as { omnimeterExports?: number };

/**
 * Sends a file as it is read, as of one moment, at the client's pace, on connections that no page needs. A client that hangs up
 * ends it in the database too. What fails before the first row has a status of its own; after that the download breaks off, so
 * that half of a file is never taken for all of it.
 */
export async function streamExport(
  request: Request,
  headers: Record<string, string>,
  textOf: (tx: TransactionSql) => AsyncIterable<string>,
): Promise<Response> {
  const running = shared.omnimeterExports ?? 0;
  if (running >= EXPORTS_MAX)
    return plain(503, `${EXPORTS_MAX} exports are running, which is the most at once. Try again when one is done.`);
  shared.omnimeterExports = running + 1;

  const as = `${READER}export ${randomBytes(12).toString("base64url")}`;
  const { readable, writable } = new TextEncoderStream();
  const writer = writable.getWriter();
  const begun = Promise.withResolvers<void>();
  const end = () => void cancelReads(database("health"), as).catch(() => {});
  const timer = setTimeout(end, WHOLE_MS);
  request.signal.addEventListener("abort", end, { once: true });
  // Rejected when the client stops reading.
  writer.closed.catch(end);
  const limits = { timeoutMs: STATEMENT_MS, idleMs: IDLE_MS, as };
  void snapshot(
    database("exports"),
    async (tx) => {
      for await (const text of textOf(tx)) {
        request.signal.throwIfAborted();
        begun.resolve();
        await writer.write(text);
      }
    },
    limits,
  )
    .then(() => writer.close())
    .catch((error) => {
      begun.reject(error);
      return writer.abort(error).catch(() => {});
    })
    .finally(() => {
      clearTimeout(timer);
      request.signal.removeEventListener("abort", end);
      shared.omnimeterExports = (shared.omnimeterExports ?? 1) - 1;
    });
  try {
    await begun.promise;
  } catch (error) {
    const { title, sentence } = readFailure(error);
    if (error instanceof NotKept) return plain(409, `${title}. ${sentence}`);
    return plain(codeOf(error) === "57014" ? 504 : 503, `${title}. ${sentence}`);
  }
  return new Response(readable, { headers: { ...headers, "cache-control": "no-store" } });
}

const plain = (status: number, sentence: string) =>
  new Response(`${sentence}\n`, {
    status,
    headers: {
      "content-type": "text/plain; charset=utf-8",
      "cache-control": "no-store",
      ...(status >= 500 && { "retry-after": String(RETRY_SECONDS) }),
    },
  });
