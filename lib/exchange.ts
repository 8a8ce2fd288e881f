/**
 * An exchange as recorded: one HTTP request with its response, or one WebSocket connection. The spool's reader puts
 * it together from frames; the readers in lib/openai turn it into calls. Secrets are already fingerprints here.
 */
export interface Exchange {
  /** UUIDv7 made at request start; the id of the (first) call that comes out of it. */
  readonly id: string;
  /** Where it was spooled: `run` is one life of one proxy worker, `seq` counts its accepted calls from 1. */
  readonly origin: { readonly spool: string; readonly run: string; readonly seq: number };
  readonly start: ExchangeStart;
  readonly request: RecordedBody;
  /** null: no response head was seen. */
  readonly response: RecordedResponse | null;
  /** null: the process died while the call was in flight (outcome `interrupted`). */
  readonly end: ExchangeEnd | null;
}

/** Known when the request's head has been read; written before anything goes upstream. */
export interface ExchangeStart {
  readonly kind: "http" | "websocket";
  readonly method: string;
  /** Path and query as the client sent them (secret query values replaced), `/u/<name>` and `/f/<feature>` included. */
  readonly target: string;
  /** Path and query as they go upstream. */
  readonly upstreamTarget: string;
  /** Name from OMNIMETER_UPSTREAMS, or `default`. */
  readonly upstream: string;
  /** Origin of the upstream, e.g. `https://api.openai.com`. */
  readonly upstreamOrigin: string;
  /** Name, value, name, value… as received, `x-omnimeter-*` included, secrets replaced by `fp_…`. */
  readonly headers: readonly string[];
  /** Header lines beyond OMNIMETER_KEEP_HEADERS_BYTES are not in `headers`. */
  readonly headersCut?: boolean;
  /** Milliseconds since the epoch with fraction, wall clock, when the request's head had arrived. Every `…AtMs` below counts from here, by the monotonic clock. */
  readonly startedAtMs: number;
}

/** A chunk as it arrived: milliseconds since the start, byte offset in the body. */
export interface RecordedChunk {
  readonly atMs: number;
  readonly offset: number;
  readonly bytes: Buffer;
}

/**
 * The kept part of a body, as it was on the wire (still compressed if it was). Chunks beyond OMNIMETER_KEEP_BYTES are
 * counted, not kept, except for a tail (which is where a stream states its usage).
 */
export interface RecordedBody {
  readonly chunks: readonly RecordedChunk[];
  /** All bytes seen on the wire, kept or not. */
  readonly bytes: number;
  /** True when kept bytes < bytes, or when a torn spool batch left a hole. */
  readonly cut: boolean;
}

export interface RecordedResponse extends RecordedBody {
  readonly status: number;
  /** Name, value, name, value… as received from the upstream. */
  readonly headers: readonly string[];
  /** Header lines beyond OMNIMETER_KEEP_HEADERS_BYTES are not in `headers`. */
  readonly headersCut?: boolean;
  /** When the response's head arrived. */
  readonly headAtMs: number;
}

/** How the exchange ended, as the proxy saw it. The readers refine `completed` (an error inside a 200, a missing terminal event). */
export type ExchangeEnding =
  | "completed"
  | "client_aborted"
  | "upstream_reset"
  /** No connection, or no response head in time: the client got our own 502 or 504. */
  | "unreachable"
  /** The proxy was stopped and did not wait any longer. */
  | "interrupted";

export interface ExchangeEnd {
  readonly ending: ExchangeEnding;
  /** A sentence with the cause when the ending is not `completed`. */
  readonly cause?: string;
  /** The request's last body byte was read from the client. */
  readonly requestEndAtMs: number | null;
  /** The upstream request left our hands (after the start frame was written). */
  readonly sentAtMs: number | null;
  /** A new connection's set-up; null on a pooled one. */
  readonly connectMs: number | null;
  /** The upstream's last byte arrived. */
  readonly responseEndAtMs: number | null;
  /** The last byte went to the client (handed to the socket). */
  readonly endAtMs: number;
  readonly requestBytes: number;
  readonly responseBytes: number;
  /** `include_usage` was inserted by the proxy (and the extra chunk taken out of the client's stream, not out of the copy). */
  readonly usageInserted?: boolean;
  readonly socket?: SocketEnd;
  readonly trailers?: readonly string[];
}

/** A WebSocket at its end: bytes and messages by direction, also of those that the spool could not take. */
interface SocketEnd {
  /** Of the Close frame that came first; 1005 when it had no code, null when there was none. */
  readonly closeCode: number | null;
  /** Who said that one. `proxy`: it was told to stop. */
  readonly closedBy?: "client" | "server" | "proxy" | null;
  readonly clientBytes: number;
  readonly upstreamBytes: number;
  readonly clientMessages?: number;
  readonly serverMessages?: number;
}

/** A message of a WebSocket as recorded, whatever frames it came in. */
export interface RecordedMessage {
  readonly from: "client" | "server";
  /** Milliseconds since the exchange's start, when its last byte arrived. */
  readonly atMs: number;
  /** Length of its payload on the wire. */
  readonly bytes: number;
  /**
   * The text, with long audio replaced by what it was (`elided:` and its number of base64 characters, with `=` for the padding). null: a
   * binary message. A text beyond the limit is only its beginning, and does not parse; of an event that states its usage last
   * its end stands behind that, after a NUL.
   */
  readonly text: string | null;
}
