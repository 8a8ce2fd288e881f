import { createBucketCounter } from "#lib/bucket-counter.ts";
import type { Call } from "#lib/call.ts";
import { byLabel, counter, gauge, histogram } from "#lib/metric-family.ts";
import type { RecorderState, SpoolState } from "#lib/recorder-state.ts";
import type { SpoolPosition } from "#lib/spool/reader.ts";
import { createCallFigures } from "./call-figures.ts";
import { createSpoolFigures } from "./spool-figures.ts";
import type { SessionStep } from "./store.ts";

/** What the loop of one spool tells about itself. */
export interface SpoolWatch {
  /** Awaited, but fails never and asks the store at most for one row. */
  stored(stretch: WatchedStretch): Promise<void>;
  /** Everything that was written before this moment is stored. */
  storedUntil(ms: number): void;
  /** The store is asked something. */
  asks(): void;
  database(answers: boolean): void;
  /** The recorder no longer holds this spool. */
  letGo(): void;
}

interface WatchedStretch {
  run: string;
  high: SpoolPosition;
  calls: readonly { call: Call }[];
  sessions: readonly Pick<SessionStep, "origin" | "ended">[];
  /** Of sockets, read in it. */
  messages: number;
  feedback: number;
  setAside: number;
  /** How long the store took, attempts that failed included. */
  seconds: number;
}

export interface RecorderFigures {
  follow(spool: string, held: { run: string; high: SpoolPosition }): Promise<SpoolWatch>;
  database(answers: boolean): void;
  state(): RecorderState;
}

interface Options {
  /** As an earlier recorder left them: how far a spool is stored stays true. */
  earlier: readonly SpoolState[];
  countRun: (spool: string, run: string) => Promise<{ stored: number; setAside: number } | null>;
  /** Spans, by what became of them. */
  telemetry?: () => Record<string, number>;
  /** Calls over WebRTC and SIP, by what became of listening to them. */
  joins?: () => Record<string, number>;
}

/** A question that waits for longer is not answered: a driver may lose an answer when its connection dies. */
const UNANSWERED_MS = 2000;
const BATCH_CALLS = [1, 5, 10, 25, 50, 100, 250, 500];
const BATCH_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** Counts what this process does. Begins anew with its life; a batch whose answer was lost on the way is not in it. */
export function createFigures({ earlier, countRun, telemetry, joins }: Options): RecorderFigures {
  const calls = createCallFigures();
  const batchCalls = createBucketCounter(BATCH_CALLS);
  const batchSeconds = createBucketCounter(BATCH_SECONDS);
  const spools = new Map(earlier.map((one) => [one.spool, () => ({ ...one, counts: null }) as SpoolState]));
  /** Of each spool, since when its question waits. */
  const asked = new Map<string, number>();
  let messages = 0;
  let sessionsEnded = 0;
  let databaseAwayAtMs: number | null = null;

  return {
    async follow(spool, from) {
      const before = spools.get(spool)?.().storedUntilMs ?? null;
      const figures = await createSpoolFigures(spool, from, before, (run) => countRun(spool, run));
      spools.set(spool, figures.state);
      return {
        async stored(stretch) {
          calls.count(stretch);
          batchCalls.add(stretch.calls.length);
          messages += stretch.messages;
          sessionsEnded += stretch.sessions.filter(({ ended }) => ended).length;
          batchSeconds.add(stretch.seconds);
          await figures.stored(stretch);
        },
        storedUntil: figures.storedUntil,
        asks: () => void asked.set(spool, Date.now()),
        database(answers) {
          database(answers, asked.get(spool));
          asked.delete(spool);
        },
        letGo() {
          asked.delete(spool);
          figures.letGo();
        },
      };
    },
    database,
    state: () => ({
      writtenAtMs: Date.now(),
      spools: [...spools.values()].map((state) => state()),
      families: families(Date.now()),
    }),
  };

  function database(answers: boolean, sinceMs = Date.now()) {
    databaseAwayAtMs = answers ? null : (databaseAwayAtMs ?? sinceMs);
  }

  function families(nowMs: number) {
    const unanswered = [...asked.values()].filter((atMs) => nowMs - atMs > UNANSWERED_MS);
    const awayMs = Math.max(0, ...[databaseAwayAtMs ?? nowMs, ...unanswered].map((atMs) => nowMs - atMs));
    return [
      gauge(
        "omnimeter_database_away_seconds",
        "Time since the database stopped answering; 0 while it answers.",
        awayMs / 1000,
      ),
      histogram("omnimeter_batch_calls", "Calls in one transaction.", batchCalls.read()),
      histogram(
        "omnimeter_batch_seconds",
        "Time to store one transaction, attempts that failed included.",
        batchSeconds.read(),
      ),
      ...calls.families(),
      counter("omnimeter_sessions_stored_total", "Sessions over WebSockets that ended and are stored.", sessionsEnded),
      counter("omnimeter_session_messages_total", "Messages of WebSockets that were read and stored.", messages),
      counter(
        "omnimeter_call_joins_total",
        "Calls over WebRTC and SIP that were set up, by what became of listening to them; none when it is off.",
        byLabel("result", joins?.() ?? {}),
      ),
      counter(
        "omnimeter_telemetry_spans_total",
        "Spans for OpenTelemetry, by what became of them; none when it is off.",
        byLabel("result", telemetry?.() ?? {}),
      ),
    ];
  }
}
