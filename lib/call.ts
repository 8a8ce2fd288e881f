import type { Modality } from "./modalities.ts";

/** One generation that can cost money: an HTTP exchange, one response of a realtime session, one line of a batch. */
export interface Call {
  /** UUIDv7 made at request start, or derived for a call that came out of another exchange (lib/derived-id.ts); `startedAt` is its millisecond. */
  id: string;
  /** The exchange that it came out of: a session, the file with a batch's answers. null: it is an exchange of its own. */
  parentId: string | null;
  projectId: string;
  environment: string;
  /** What somebody wanted; equals `id` unless the client says otherwise. */
  operationId: string;
  /** 0 for the first attempt, as the request says: its retry-count header, or its name for the operation (lib/recorder/attribution.ts). */
  attempt: number;
  upstream: string;
  /** Where the provider processes it, when its price depends on that (`eu`). null: no region, or none that matters. */
  region: string | null;
  /** Milliseconds since the epoch. */
  startedAt: number;
  decoderVersion: number;
  origin: { spool: string; run: string; seq: number };

  /** A row of lib/openai/endpoints.ts, or `unknown`. */
  endpoint: string;
  method: string;
  path: string;
  streamed: boolean;

  /** As asked for: an alias, a snapshot, a fine-tuned id or a deployment. */
  requestModel: string | null;
  /** As the response names it: what prices attach to. null: the response named none. */
  model: string | null;
  requestServiceTier: string | null;
  serviceTier: string | null;
  systemFingerprint: string | null;

  feature: string | null;
  customer: string | null;
  endUser: string | null;
  session: string | null;
  template: string | null;
  templateVersion: string | null;
  release: string | null;
  tags: Record<string, string>;
  /** Hash of the instructions (system or developer message, else the first user message): groups unlabelled calls. */
  unitHash: string | null;

  outcome: Outcome;
  /** null: no response head reached us. */
  status: number | null;
  errorType: string | null;
  errorCode: string | null;
  errorMessage: string | null;
  finishReasons: string[];

  responseId: string | null;
  /** More provider ids by which later calls refer to this one: a batch, its file, a realtime call. */
  objectIds: string[];
  /** A provider object whose call says for whom this one was, where this one does not say so itself. */
  inherits: string | null;
  /** The usage is counted once under this provider object, whichever call brings it first; null: it is its own. */
  countsFor: string | null;
  /** It repeats what another call generated (retrieve, resume): no object is its own. */
  reread: boolean;
  previousResponseId: string | null;
  conversationId: string | null;
  promptCacheKey: string | null;
  upstreamRequestId: string | null;
  clientRequestId: string | null;
  traceId: string | null;
  parentSpanId: string | null;

  inputModalities: Modality[];
  outputModalities: Modality[];
  /** Length of the audio sent in and given out, as stated or counted; null: not known. */
  inputAudioMs: number | null;
  outputAudioMs: number | null;
  timings: Timings;
  requestBytes: number;
  responseBytes: number;
  /** More was relayed than kept. */
  cut: boolean;

  usage: Usage;
  lines: PricedLine[];
  toolCalls: ToolCall[];
  /** Named oddities a reader saw, e.g. `usage_all_zero`, `stream_without_terminal_event`. Stable codes. */
  problems: string[];
}

/** Of calls that nobody names another for. */
export const DEFAULT_ENVIRONMENT = "production";

/** How a call ended. Errors and aborts are outcomes, not gaps. */
export const OUTCOMES = [
  "completed",
  /** The upstream said no: HTTP ≥ 400, an error inside a stream, a failed response. */
  "failed",
  "client_aborted",
  /** The upstream's stream broke off: a reset, or no terminal event. */
  "truncated",
  /** The upstream gave no answer: the client got Omnimeter's own 502 or 504. */
  "unreachable",
  /** Omnimeter itself died while the call was in flight. */
  "interrupted",
] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** Outcomes that count as an error. What the client gave up is none: it is shown apart. */
export const ERRORS: readonly Outcome[] = ["failed", "truncated", "unreachable", "interrupted"];

/** Milliseconds since request start; null is "not seen". */
export interface Timings {
  /** The last request body byte was read. */
  requestEndMs: number | null;
  /** The request went upstream. */
  sentMs: number | null;
  /** A new connection's set-up (a length, not a moment); null on a pooled one. */
  connectMs: number | null;
  /** The response head arrived. */
  firstByteMs: number | null;
  /** First content: text, refusal, tool arguments, reasoning or audio. */
  firstTokenMs: number | null;
  /** First text a user can read. */
  firstTextMs: number | null;
  firstAudioMs: number | null;
  lastTokenMs: number | null;
  responseEndMs: number | null;
  /** The last byte went to the client. null: the end was never seen. */
  durationMs: number | null;
  /** Longest pause between two content chunks of a stream. */
  longestGapMs: number | null;
  /** Pauses of more than STALL_MS between two content chunks; null: not a stream, or its chunks were not seen. */
  stalls: number | null;
  contentChunks: number;
}

/** A reader of a stream notices so long a pause (the gap in speech that people hear as "is it still there?" is about a second). */
export const STALL_MS = 1000;

export type UsageSource = "reported" | "estimated" | "measured" | "none";

/** Provider totals. null is unknown, never zero. Cached, reasoning and prediction tokens are inside the totals. */
export interface Usage {
  source: UsageSource;
  inputTokens: number | null;
  outputTokens: number | null;
  totalTokens: number | null;
  inputTextTokens: number | null;
  inputAudioTokens: number | null;
  inputImageTokens: number | null;
  cachedTokens: number | null;
  /** Of cachedTokens, as stated. */
  cachedTextTokens: number | null;
  cachedAudioTokens: number | null;
  cachedImageTokens: number | null;
  cacheWriteTokens: number | null;
  outputTextTokens: number | null;
  outputAudioTokens: number | null;
  outputImageTokens: number | null;
  reasoningTokens: number | null;
  acceptedPredictionTokens: number | null;
  rejectedPredictionTokens: number | null;
  /** Of audio, where that is what is billed. */
  durationSeconds: number | null;
  /** Estimates only: what the true figures lie between. `high` null = no bound known. */
  bounds: { inputLow: number; inputHigh: number | null; outputLow: number; outputHigh: number | null } | null;
}

/** `tool`: what a hosted tool costs beside the model's tokens. */
export const LINE_DIRECTIONS = ["input", "output", "tool"] as const;

/** A write is kept for 30 minutes or 12 hours, at different prices; `write`: nobody said which. */
export const CACHE_STATES = ["none", "read", "write", "write_30m", "write_12h"] as const;

/**
 * What is counted. Add a fee: one row. Lines of `input` and `output` have tokens, seconds, characters or images; lines of `tool` have the
 * rest, and `input_token` / `output_token` where the tool has a model of its own.
 */
export const LINE_UNITS = [
  "token",
  "second",
  "character",
  "image",
  "input_token",
  "output_token",
  "web_search_call",
  "web_search_preview_call",
  "web_search_call_low_context",
  "web_search_call_medium_context",
  "web_search_call_high_context",
  "file_search_call",
  "container_session_1g",
  "container_session_4g",
  "container_session_16g",
  "container_session_64g",
  "training_token",
] as const;

/**
 * A disjoint part of the usage: the input and output lines of a call sum to the provider's totals; tool lines are beside them. No two
 * lines of a call agree in direction, modality, cache and unit.
 */
export interface UsageLine {
  direction: (typeof LINE_DIRECTIONS)[number];
  /** `none`: a fee. */
  modality: Modality | "none";
  cache: (typeof CACHE_STATES)[number];
  unit: (typeof LINE_UNITS)[number];
  /** What the price book lists it under, when that is not the model that answered: a model, or `tool:` and a name. */
  product: string | null;
  /** At most three decimals (seconds); everything else is counted whole. */
  quantity: number;
  source: UsageSource;
}

/** An amount of US dollars per quantity: 2.50 per 1,000,000 tokens. Decimal strings: money is never a float. */
export interface LinePrice {
  /** Row of the price book. */
  id: string;
  usd: string;
  per: number;
}

/** A usage line with its money. Without a price the cost is unknown, never zero. */
export interface PricedLine extends UsageLine {
  price: LinePrice | null;
  /** quantity × price, rounded once, half even, to 12 decimals. */
  costUsd: string | null;
  /** What the cache saved against the full input price; null: no cache read, or one of the two prices is not known. */
  savedUsd: string | null;
}

export interface ToolCall {
  /** Order in the response, from 0. */
  index: number;
  /** The provider's id, e.g. `call_…`. */
  id: string | null;
  type: string;
  name: string;
  argumentBytes: number;
  choice: number;
}

/** What was said, in and out: lives apart from the facts, redacted and sealed (lib/privacy). */
export interface Content {
  /** Sampling and other parameters of the request that are not messages (JSON values). */
  parameters: Record<string, unknown>;
  /** Tool definitions offered. */
  tools: unknown[];
  input: Message[];
  /** One message per choice or output item. */
  output: Message[];
}

export interface Message {
  /** system, developer, user, assistant, tool… as sent. */
  role: string;
  parts: Part[];
  /** Choice index for n > 1. */
  choice?: number;
}

export type Part =
  | { type: "text"; text: string }
  | { type: "refusal"; text: string }
  | { type: "reasoning"; text: string }
  /** Media is counted, not stored: its kind, size, and where it came from when that was a URL. */
  | {
      type: "image" | "audio" | "file";
      mediaType: string | null;
      bytes: number | null;
      url?: string;
      detail?: string;
      transcript?: string;
      name?: string;
      /** Place in `Media` when the bytes are kept (OMNIMETER_KEEP_AUDIO). */
      media?: number;
    }
  | { type: "tool_call"; id: string | null; name: string; arguments: string; kind: string }
  | { type: "tool_result"; id: string | null; text: string }
  /** Anything the reader does not know: its type and JSON text, shortened. */
  | { type: "other"; kind: string; json: string };

/** Audio that somebody asked to keep: sealed apart from the words. */
export interface Media {
  /** Order within the call, from 0. */
  index: number;
  direction: "input" | "output";
  /** As a browser plays it, e.g. `audio/wav`. */
  mediaType: string;
  bytes: Buffer;
}
