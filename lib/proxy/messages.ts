import type { Tally } from "#lib/spool/frames.ts";
import type { FiguresRead } from "./figures.ts";

/** Of one life of one worker. */
export type WorkerTally = Tally & {
  /** From 0. A successor takes the number. */
  worker: number;
  spool: string;
  run: string;
  spoolBytes: number;
  strained: boolean;
  inFlight: number;
  figures: FiguresRead;
};

export type FromWorker =
  | { type: "listening"; port: number }
  | { type: "failed"; code: string; message: string }
  | { type: "tally"; tally: WorkerTally }
  | { type: "metrics" };

export type ToWorker = { type: "tally" } | { type: "metrics"; text: string } | { type: "stop" };
