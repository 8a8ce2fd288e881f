import type { Script } from "./scripts.ts";
import type { Version } from "./templates.ts";

/** Everything that is decided about one call. Its wire form and its stored form both follow from it. */
export interface Turn {
  readonly id: string;
  /** Milliseconds since the epoch, whole. */
  readonly startedAt: number;
  readonly script: Script;
  readonly version: Version;
  /** Asked for, and served. */
  readonly asked: string;
  readonly served: string;
  readonly streamed: boolean;
  readonly ending: Ending;
  readonly operationId: string | null;
  readonly attempt: number;
  readonly whose: Whose;
  /** null: none is ever stated (an error, a stream that was cut). */
  readonly used: Used | null;
  readonly pace: Pace;
  readonly requestId: string;
  readonly responseId: string;
  readonly toolCallId: string;
}

/** `cut` endings have seen so many chunks of content. */
export type Ending =
  | { readonly kind: "completed" }
  | { readonly kind: "rate_limited" }
  | { readonly kind: "server_error" }
  | { readonly kind: "client_aborted"; readonly seen: number }
  | { readonly kind: "interrupted"; readonly seen: number };

export interface Whose {
  readonly feature: string | null;
  readonly customer: string | null;
  readonly user: string | null;
  readonly session: string | null;
  readonly release: string | null;
  readonly environment: string;
  readonly tags: Readonly<Record<string, string>>;
}

/** Tokens as the provider would state them: totals, and what of them is cached, of another modality or unseen. */
export interface Used {
  readonly input: number;
  readonly cached: number;
  readonly inputImage: number;
  readonly inputAudio: number;
  readonly output: number;
  readonly outputAudio: number;
  readonly reasoning: number;
}

/**
 * Moments in milliseconds since the start, all multiples of 1/8, so that sums of them are exact and a stream that is
 * played by them reads back as the same figures.
 */
export interface Pace {
  readonly requestEndMs: number;
  readonly sentMs: number;
  readonly connectMs: number | null;
  readonly firstByteMs: number;
  /** Streams: the first chunk with content. */
  readonly firstTokenMs: number;
  readonly stepMs: number;
  /** One pause in the stream is longer by this much. */
  readonly stallMs: number;
  /** What the upstream takes for its last words, and we for passing them on. */
  readonly tailMs: number;
}

export const eighths = (ms: number): number => Math.round(ms * 8) / 8;

/** The chunk before which the stream stalls. */
const STALL_BEFORE = 2;

/** When chunk `index` of the content arrives. */
export const chunkAtMs = ({ firstTokenMs, stepMs, stallMs }: Pace, index: number): number =>
  firstTokenMs + index * stepMs + (index >= STALL_BEFORE ? stallMs : 0);

/** The longest pause between so many chunks. */
export function longestGapMs({ stepMs, stallMs }: Pace, chunks: number): number | null {
  if (chunks < 2) return null;
  return chunks > STALL_BEFORE ? stepMs + stallMs : stepMs;
}

/** When the last byte came from the upstream, and when it had gone to the client. `chunks` of content were streamed. */
export function endsAtMs(turn: Turn, chunks: number): { responseEndMs: number; endMs: number } {
  const { pace, streamed } = turn;
  const last = streamed && chunks > 0 ? chunkAtMs(pace, chunks - 1) : pace.firstByteMs;
  return { responseEndMs: last + pace.tailMs, endMs: last + pace.tailMs + 0.25 };
}
