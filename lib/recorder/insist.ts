import { setTimeout as sleep } from "node:timers/promises";
import type { SpoolWatch } from "./figures.ts";

interface Options {
  watch?: SpoolWatch;
  stopping: () => boolean;
  log: (message: string) => void;
}

const RETRY_MS_MAX = 2000;
/** Longer than any batch takes, also on a busy database. */
const ANSWER_MS = 20_000;

/**
 * Asks the store until it answers: Postgres may be away for long, calls go on, and the spool grows. Undefined: the lease is lost, or
 * the recorder stops.
 * @throws what is no fault of the database's (isOurFault): the same question would fail for ever.
 */
export async function insist<T>(work: () => Promise<T>, { watch, stopping, log }: Options): Promise<T | undefined> {
  for (let wait = 50, said = false; ; wait = Math.min(wait * 2, RETRY_MS_MAX)) {
    try {
      watch?.asks();
      const answer = await inTime(work());
      watch?.database(true);
      return answer;
    } catch (error) {
      if ((error as { code?: string }).code === "lease_lost" || stopping()) return undefined;
      if (isOurFault(error)) throw error;
      watch?.database(false);
      if (!said)
        log(`the database does not take a batch (${(error as Error).message}); calls wait in the spool, trying again`);
      said = true;
      await sleep(wait);
    }
  }
}

/** A batch that cannot even be written down: a text longer than the engine allows, or a slip in our code. */
export const isOurFault = (error: unknown): boolean =>
  (error instanceof RangeError || error instanceof TypeError) && !("code" in error);

/** A driver may lose an answer when its connection dies. Whether it had happened is asked of the position, not of the driver. */
function inTime<T>(work: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`no answer in ${ANSWER_MS / 1000} s`)), ANSWER_MS);
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
