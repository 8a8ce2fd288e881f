import type { Tally } from "#lib/spool/frames.ts";

export type WorkerTally = Tally & { spoolBytes: number; strained: boolean; inFlight: number };

export type FromWorker =
  | { type: "listening"; port: number }
  | { type: "failed"; code: string; message: string }
  | { type: "tally"; tally: WorkerTally }
  | { type: "metrics" };

export type ToWorker = { type: "tally" } | { type: "metrics"; text: string } | { type: "stop" };
