import type { Call } from "#lib/call.ts";
import type { Feedback } from "#lib/feedback.ts";
import type { Session, Turn } from "#lib/session.ts";
import type { RunTotals } from "#lib/spool/assembler.ts";
import type { SpoolPosition } from "#lib/spool/reader.ts";
import type { DecodedExchange } from "./decode-exchange.ts";

/** What the recorder asks of the store. `main` binds it to db/; the rest of this folder knows no database. */
export interface Store {
  lease(spool: string, lease: string, evenIfHeld: boolean): Promise<HeldSpool | null>;
  touch(spool: string, lease: string): Promise<boolean>;
  release(spool: string, lease: string): Promise<void>;
  /** Does ahead what can be done before the batch before is stored; the batch then has this same array. */
  prepare(calls: readonly DecodedExchange[]): void;
  record(batch: Batch): Promise<{ stored: number; setAside: number }>;
}

export interface HeldSpool {
  low: SpoolPosition;
  high: SpoolPosition;
  run: string;
  totals: unknown;
  carried: { run: string; seq: number; sealed: Buffer }[];
}

/** A call in flight as it stood at the position of its commit; null: as the table has it. */
export interface Carried {
  run: string;
  seq: number;
  sealed: Buffer | null;
}

export interface Batch {
  spool: string;
  lease: string;
  from: SpoolPosition;
  low: SpoolPosition;
  high: SpoolPosition;
  run: string;
  runs: ReadonlyMap<string, RunTotals>;
  calls: DecodedExchange[];
  /** Sessions in which something was completed, with the turns that were, and those that ended. */
  sessions: SessionStep[];
  /** What could not be decoded. */
  undecoded: Undecoded[];
  feedback: Feedback[];
  /** All that the table is to hold; undefined: what it does. */
  carried?: Carried[];
  sealForSetAside: (call: Call) => Buffer;
}

/** What a stretch of the spool held of one session. */
export interface SessionStep {
  origin: { spool: string; run: string; seq: number };
  session: Session;
  turns: Turn[];
  /** It is over: counts as stored in the equation. Its calls do not, they are no exchanges. */
  ended: boolean;
}

/** An exchange that could not be decoded, sealed (kept-exchange.ts). */
export interface Undecoded {
  id: string;
  /** A call that came out of another exchange: it is none in the equation. */
  isChild?: boolean;
  origin: { spool: string; run: string; seq: number };
  /** A sentence. */
  reason: string;
  sealed: Buffer;
}
