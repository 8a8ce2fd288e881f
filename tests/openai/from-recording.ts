import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Exchange, ExchangeEnding, RecordedChunk } from "#lib/exchange.ts";

export interface Recording {
  readonly id: string;
  readonly request: {
    readonly method: string;
    readonly path: string;
    readonly headers: Record<string, string>;
    readonly body_encoding: "json" | "base64" | "utf8" | "none";
    readonly body?: unknown;
  };
  readonly response: {
    readonly status: number;
    readonly headers: Record<string, string>;
    readonly body_encoding: "utf8" | "base64";
    readonly body: string;
  };
  readonly expected: Expected;
}

export interface Expected {
  readonly request_model: string | null;
  readonly model: string | null;
  readonly response_id: string | null;
  readonly response_status?: string;
  readonly finish_reasons?: readonly string[];
  readonly tool_calls?: readonly string[];
  readonly refusal?: boolean;
  readonly service_tier?: string | null;
  readonly error?: { readonly type: string | null; readonly code: string | null; readonly message: string | null };
  readonly usage: { readonly raw: Record<string, unknown>; readonly normalized: Record<string, number> } | null;
  readonly stream?: {
    readonly events: number;
    readonly data_events: number;
    readonly done_marker: boolean;
    readonly named_events: boolean;
    readonly last_event_type?: string;
  };
}

const FOLDER = join(import.meta.dirname, "../../../shared/recordings");

/** Recordings of some endpoints; none, with a message, where the shared folder is not beside the project. */
export function recordings(...endpoints: string[]): Recording[] {
  if (!existsSync(FOLDER)) {
    console.log("skipped: ../shared is not here");
    return [];
  }
  return endpoints.flatMap((endpoint) => {
    const files = readdirSync(join(FOLDER, endpoint)).filter((name) => name.endsWith(".json"));
    return files.sort().map((name) => JSON.parse(readFileSync(join(FOLDER, endpoint, name), "utf8")) as Recording);
  });
}

/** The exchange the proxy would have recorded, its bodies split where `split` says. */
export function fromRecording(recording: Recording, split: Split = whole): Exchange {
  const { request, response } = recording;
  const { "content-type": type, location } = response.headers;
  return exchange({
    method: request.method,
    path: request.path,
    request: requestBytes(request),
    requestHeaders: ["content-type", request.headers["content-type"] ?? "application/json"],
    status: response.status,
    headers: [...(type === undefined ? [] : ["content-type", type]), ...(location ? ["location", location] : [])],
    response: Buffer.from(response.body, response.body_encoding),
    split,
  });
}

export interface Wire {
  readonly method?: string;
  readonly path?: string;
  readonly request?: unknown;
  readonly requestHeaders?: readonly string[];
  readonly status?: number;
  readonly headers?: readonly string[];
  /** Bytes, text, an object (JSON) or a list of [ms, text or bytes]. null: no response head. */
  readonly response?: Buffer | string | object | null;
  readonly ending?: ExchangeEnding | null;
  readonly split?: Split;
}

/** An exchange as short as a test can say it: chat completions, JSON, completed unless told otherwise. */
export function exchange(wire: Wire): Exchange {
  const { method = "POST", path = "/v1/chat/completions", status = 200, ending = "completed", split = whole } = wire;
  const request = bytesOf(wire.request ?? "");
  const timed = Array.isArray(wire.response);
  const chunks = timed
    ? timedChunks(wire.response as [number, string | Buffer][])
    : split(bytesOf(wire.response ?? ""));
  const bytes = chunks.reduce((total, chunk) => total + chunk.bytes.length, 0);
  const headers = wire.headers ?? ["Content-Type", looksLikeEvents(chunks) ? "text/event-stream" : "application/json"];
  return {
    id: "0197f0a0-0000-7000-8000-000000000001",
    origin: { spool: "s", run: "r", seq: 1 },
    start: {
      kind: "http",
      method,
      target: path,
      upstreamTarget: path,
      upstream: "default",
      upstreamOrigin: "https://api.openai.com",
      headers: wire.requestHeaders ?? ["Content-Type", "application/json"],
      startedAtMs: 1_700_000_000_000,
    },
    request: { chunks: split(request), bytes: request.length, cut: false },
    response: wire.response === null ? null : { chunks, bytes, cut: false, status, headers, headAtMs: 5 },
    end:
      ending === null
        ? null
        : {
            ending,
            requestEndAtMs: 1,
            sentAtMs: 1,
            connectMs: null,
            responseEndAtMs: 100,
            endAtMs: 101,
            requestBytes: request.length,
            responseBytes: bytes,
          },
  };
}

export type Split = (bytes: Buffer) => RecordedChunk[];

export const whole: Split = (bytes) => (bytes.length === 0 ? [] : [{ atMs: 10, offset: 0, bytes }]);

/** Pieces of 1, 2, 3, 5, 7, 11… bytes over and over, so that every kind of boundary is hit. */
export const oddly: Split = (bytes) => {
  const sizes = [1, 2, 3, 5, 7, 11, 13, 1, 17, 64, 29];
  const chunks: RecordedChunk[] = [];
  for (let offset = 0; offset < bytes.length; ) {
    const size = sizes[chunks.length % sizes.length] ?? 1;
    chunks.push({ atMs: 10 + chunks.length, offset, bytes: bytes.subarray(offset, offset + size) });
    offset += size;
  }
  return chunks;
};

/** One `data:` event per value; strings go as they are. */
export function events(...values: unknown[]): string {
  return values.map((value) => `data: ${typeof value === "string" ? value : JSON.stringify(value)}\n\n`).join("");
}

function timedChunks(parts: readonly [number, string | Buffer][]): RecordedChunk[] {
  let offset = 0;
  return parts.map(([atMs, part]) => {
    const chunk = { atMs, offset, bytes: Buffer.from(part as string) };
    offset += chunk.bytes.length;
    return chunk;
  });
}

function bytesOf(body: unknown): Buffer {
  if (Buffer.isBuffer(body)) return body;
  return Buffer.from(typeof body === "string" ? body : JSON.stringify(body));
}

function requestBytes(request: Recording["request"]): Buffer {
  if (request.body_encoding === "none") return Buffer.alloc(0);
  if (request.body_encoding === "json") return Buffer.from(JSON.stringify(request.body));
  return Buffer.from(String(request.body), request.body_encoding);
}

function looksLikeEvents(chunks: readonly RecordedChunk[]): boolean {
  return /^(\uFEFF?)(data|event|:)/.test(chunks[0]?.bytes.toString("utf8", 0, 16) ?? "");
}
