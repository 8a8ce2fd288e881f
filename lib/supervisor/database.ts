import { setTimeout as sleep } from "node:timers/promises";
import { type Embedded, startEmbedded } from "#db/embedded.ts";
import type { Log } from "#lib/log.ts";

export interface Database {
  url(): string;
  stop(): Promise<void>;
}

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 10_000;

/** The embedded Postgres, started again when it dies. Its address stays the same unless somebody took the port. */
export async function superviseDatabase(dir: string, log: Log, onMoved: () => void): Promise<Database> {
  const start = (port?: number) =>
    startEmbedded({ dir, log: (sentence) => log.info(sentence), ...(port ? { port } : {}) });
  let running: Embedded = await start();
  let stopping = false;
  let watching: Promise<void> = watch();

  async function watch() {
    await running.exited;
    for (let pauseMs = FIRST_PAUSE_MS; !stopping; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
      log.warn("The embedded PostgreSQL stopped unexpectedly; it is started again.", { pauseMs });
      await sleep(pauseMs);
      if (stopping) return;
      const before = running.url;
      try {
        running = await start(running.port);
      } catch (error) {
        log.error(error instanceof Error ? error.message : String(error));
        continue;
      }
      if (running.url !== before) onMoved();
      watching = watch();
      return;
    }
  }

  return {
    url: () => running.url,
    async stop() {
      stopping = true;
      await running.stop();
      await watching;
      // A start that was under way while we stopped the one before it.
      await running.stop();
    },
  };
}
