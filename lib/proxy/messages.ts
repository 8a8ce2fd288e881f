import type { Tally } from "#lib/spool/frames.ts";
import type { FiguresRead } from "./figures.ts";

/** Of one life of one worker. */
export type WorkerTally = Tally & {
  /** From 0. A successor takes the lowest that is free. */
  worker: number;
  spool: string;
  run: string;
  spoolBytes: number;
  strained: boolean;
  inFlight: number;
  figures: FiguresRead;
};

/** How a worker leaves. All times count from the message. */
export interface Farewell {
  /** When what is still in flight is cut. */
  drainMs: number;
  /** When WebSockets are told to go away. */
  socketsMs: number;
  /** How long a connection must have been quiet to be closed. */
  quietMs: number;
}

export type FromWorker =
  | { type: "listening" }
  | { type: "failed"; code: string; message: string }
  | { type: "tally"; tally: WorkerTally }
  | { type: "metrics" };

export type ToWorker =
  /** Comes with the listening socket. */
  | { type: "listen" }
  | { type: "tally" }
  | { type: "metrics"; text: string }
  /** A second one can only make it quicker. */
  | ({ type: "stop" } & Farewell);
