import type { Call } from "#lib/call.ts";
import type { Feedback } from "#lib/feedback.ts";
import type { RunTotals } from "#lib/spool/assembler.ts";
import type { SpoolPosition } from "#lib/spool/reader.ts";
import type { DecodedExchange } from "./decode-exchange.ts";

/** What the recorder asks of the store. `main` binds it to db/; the rest of this folder knows no database. */
export interface Store {
  lease(spool: string, lease: string, evenIfHeld: boolean): Promise<HeldSpool | null>;
  touch(spool: string, lease: string): Promise<boolean>;
  release(spool: string, lease: string): Promise<void>;
  record(batch: Batch): Promise<{ stored: number; setAside: number }>;
  matchFeedback(recentOnly: boolean): Promise<number>;
}

export interface HeldSpool {
  low: SpoolPosition;
  high: SpoolPosition;
  run: string;
  totals: unknown;
  carried: { run: string; seq: number; sealed: Buffer }[];
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
  feedback: Feedback[];
  carried?: { run: string; seq: number; sealed: Buffer }[];
  sealForSetAside: (call: Call) => Buffer;
}
