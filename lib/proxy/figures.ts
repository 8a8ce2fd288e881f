import { performance } from "node:perf_hooks";
import { type BucketCounter, createBucketCounter } from "#lib/bucket-counter.ts";
import type { Buckets } from "#lib/metric-family.ts";

/** Upper ends in seconds. Fine where the promised overhead lies, coarse where something is wrong. */
const OVERHEAD_BOUNDS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/** What one worker counts besides its spool's tally. Each is an addition or two, so that a call pays next to nothing. */
export interface Figures {
  /** Our part of a whole answer's time. */
  readonly overheadSeconds: BucketCounter;
  /** An answer of the upstream passes. */
  answered(status: number): void;
  /** We answered in its place. */
  ownError(code: string): void;
  relayed(requestBytes: number, responseBytes: number): void;
  websocket(change: 1 | -1): void;
  read(): FiguresRead;
}

/** Since the worker's start, except what is open now. Travels to the main process as JSON. */
export interface FiguresRead {
  overheadSeconds: Buckets;
  /** By the first digit of the status. */
  answers: number[];
  ownErrors: Record<string, number>;
  requestBytes: number;
  responseBytes: number;
  websockets: number;
  loopActiveMs: number;
}

export function createFigures(): Figures {
  const overheadSeconds = createBucketCounter(OVERHEAD_BOUNDS);
  const answers = new Array<number>(10).fill(0);
  const ownErrors: Record<string, number> = {};
  let requestBytes = 0;
  let responseBytes = 0;
  let websockets = 0;
  return {
    overheadSeconds,
    answered(status) {
      const digit = Math.trunc(status / 100);
      answers[digit] = (answers[digit] as number) + 1;
    },
    ownError(code) {
      ownErrors[code] = (ownErrors[code] ?? 0) + 1;
    },
    relayed(request, response) {
      requestBytes += request;
      responseBytes += response;
    },
    websocket(change) {
      websockets += change;
    },
    read: () => ({
      overheadSeconds: overheadSeconds.read(),
      answers: [...answers],
      ownErrors: { ...ownErrors },
      requestBytes,
      responseBytes,
      websockets,
      loopActiveMs: performance.eventLoopUtilization().active,
    }),
  };
}
