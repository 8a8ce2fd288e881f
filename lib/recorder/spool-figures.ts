import type { Call } from "#lib/call.ts";
import type { SpoolState } from "#lib/recorder-state.ts";
import type { SpoolPosition } from "#lib/spool/reader.ts";
import type { SessionStep } from "./store.ts";

export interface StoredStretch {
  run: string;
  calls: readonly { call: Call }[];
  sessions: readonly Pick<SessionStep, "origin" | "ended">[];
  setAside: number;
  high: SpoolPosition;
}

/** How far one spool is stored, as it goes on. */
export interface SpoolFigures {
  stored(stretch: StoredStretch): Promise<void>;
  /** Everything that was written before this moment is stored. */
  storedUntil(ms: number): void;
  /** The recorder no longer holds this spool: somebody else may store more of it. */
  letGo(): void;
  state(): SpoolState;
}

/** Asks the store what it has of a run. null: it does not answer. */
export type CountRun = (run: string) => Promise<{ stored: number; setAside: number } | null>;

/**
 * Begins where the store says that the spool is. Counts of a run are the store's own at the beginning of a run and after a
 * call was set aside, and are added to in between: an earlier recorder has stored some of it, too.
 */
export async function createSpoolFigures(
  spool: string,
  held: { run: string; high: SpoolPosition },
  storedUntilMs: number | null,
  countRun: CountRun,
): Promise<SpoolFigures> {
  let { high } = held;
  let until = storedUntilMs;
  let counts: SpoolState["counts"] = null;
  await ask(held.run);
  return {
    async stored({ run, calls, sessions, setAside, high: to }) {
      high = to;
      if (counts?.run !== run || setAside > 0) return ask(run);
      // A session is one exchange, however many calls come out of it.
      counts.stored += calls.filter(({ call }) => call.parentId === null && call.origin.run === run).length;
      counts.stored += sessions.filter(({ ended, origin }) => ended && origin.run === run).length;
    },
    storedUntil(ms) {
      until = Math.max(ms, until ?? 0);
    },
    letGo() {
      counts = null;
    },
    state: () => ({ spool, counts, high, storedUntilMs: until }),
  };

  async function ask(run: string) {
    const found = await countRun(run).catch(() => null);
    counts = found && { run, ...found };
  }
}
