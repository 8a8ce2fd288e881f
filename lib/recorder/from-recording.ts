import { createHash } from "node:crypto";
import { derivedId } from "#lib/derived-id.ts";
import type { Exchange, ExchangeStart, RecordedBody, RecordedMessage } from "#lib/exchange.ts";

/** One exchange in a file, as `openai-recording/1` has it: what is read of it here. */
export interface Recording {
  format: "openai-recording/1";
  id: string;
  kind: "http" | "realtime";
  recorded_at?: string | null;
  request?: RecordedRequest;
  response?: RecordedAnswer | null;
  connection?: { method?: string; host?: string; path?: string; transport?: string };
  events?: RecordedEvent[];
  close?: { code?: number } | null;
}

interface RecordedRequest {
  method: string;
  host?: string;
  path: string;
  headers?: Record<string, string>;
  body_encoding?: "json" | "utf8" | "base64" | "none";
  body?: unknown;
}

interface RecordedAnswer {
  status: number;
  headers?: Record<string, string>;
  body_encoding?: "utf8" | "base64" | "json" | "none";
  body?: unknown;
}

/** `t_ms`: milliseconds since the session's start, where somebody wrote them down. */
interface RecordedEvent {
  from: "client" | "server";
  event: unknown;
  t_ms?: number;
}

/** A file that is no recording: what is wrong with it, and what would be right. */
export class NotARecording extends Error {
  readonly code = "not_a_recording";
}

/** @throws NotARecording */
export function parseRecording(text: string): Recording {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new NotARecording(`it is not JSON (${(error as Error).message})`);
  }
  const recording = value as Partial<Recording> | null;
  if (recording === null || typeof recording !== "object" || recording.format !== "openai-recording/1")
    throw new NotARecording('it has no "format": "openai-recording/1"');
  if (typeof recording.id !== "string") throw new NotARecording('it has no "id"');
  const { kind, request, events } = recording;
  if (kind === "http" && typeof request?.method === "string" && typeof request.path === "string")
    return recording as Recording;
  if (kind === "realtime" && Array.isArray(events)) return recording as Recording;
  throw new NotARecording('it needs "kind": "http" with a request, or "kind": "realtime" with events');
}

/** As the proxy would have recorded it, in one piece. Times are not in a recording: all of it arrives at its start. */
export function toExchange(recording: Recording): Exchange {
  const request = recording.request as RecordedRequest;
  const answer = recording.response ?? null;
  const sent = bodyOf(request.body_encoding, request.body);
  const got = answer && bodyOf(answer.body_encoding, answer.body);
  return {
    ...idOf(recording),
    start: {
      ...startOf(recording, request.host, request.path),
      kind: "http",
      method: request.method,
      headers: headersOf(request.headers, request.body_encoding),
    },
    request: sent,
    response: answer && got && { ...got, status: answer.status, headers: headersOf(answer.headers), headAtMs: 0 },
    end: {
      ending: answer ? "completed" : "unreachable",
      requestEndAtMs: null,
      sentAtMs: null,
      connectMs: null,
      responseEndAtMs: null,
      endAtMs: 0,
      requestBytes: sent.bytes,
      responseBytes: got?.bytes ?? 0,
    },
  };
}

/** A session: how it began, and its messages. `timed`: they have times, so that what is measured of them means something. */
export function toSession(recording: Recording): {
  id: string;
  start: ExchangeStart;
  messages: RecordedMessage[];
  timed: boolean;
} {
  const { connection, events = [] } = recording;
  const path = connection?.path ?? "/v1/realtime";
  return {
    id: idOf(recording).id,
    start: { ...startOf(recording, connection?.host, path), kind: "websocket", method: "GET", headers: [] },
    messages: events.map(({ from, event, t_ms }) => {
      const text = JSON.stringify(event);
      return { from, atMs: typeof t_ms === "number" ? t_ms : 0, bytes: Buffer.byteLength(text), text };
    }),
    timed: events.length > 0 && events.every(({ t_ms }) => typeof t_ms === "number"),
  };
}

function startOf({ recorded_at }: Recording, host: string | undefined, path: string) {
  return {
    target: path,
    upstreamTarget: path,
    upstream: "default",
    upstreamOrigin: `https://${host ?? "api.openai.com"}`,
    // Prices are those of its day; without one, today's.
    startedAtMs: recorded_at ? Date.parse(recorded_at) || Date.now() : Date.now(),
  };
}

/** The same file has the same id, whoever reads it. */
function idOf(recording: Recording): Pick<Exchange, "id" | "origin"> {
  const atMs = recording.recorded_at ? Date.parse(recording.recorded_at) : Number.NaN;
  const id = derivedId(Number.isFinite(atMs) ? atMs : Date.now(), "recording", recording.id);
  const run = createHash("sha256").update(recording.id).digest("hex").slice(0, 16);
  return { id, origin: { spool: "file", run, seq: 1 } };
}

function bodyOf(encoding: string | undefined, body: unknown): RecordedBody {
  const bytes = bytesOf(encoding, body);
  return { chunks: bytes.length ? [{ atMs: 0, offset: 0, bytes }] : [], bytes: bytes.length, cut: false };
}

function bytesOf(encoding: string | undefined, body: unknown): Buffer {
  if (body === undefined || body === null || encoding === "none") return Buffer.alloc(0);
  if (encoding === "json" || typeof body !== "string") return Buffer.from(JSON.stringify(body));
  return Buffer.from(body, encoding === "base64" ? "base64" : "utf8");
}

/** Bodies in a recording are decoded already: what they were coded with does not hold any more. */
function headersOf(headers: Record<string, string> | undefined, encoding?: string): string[] {
  const pairs = Object.entries(headers ?? {}).filter(([name]) => !/^(content-encoding|content-length)$/i.test(name));
  const named = pairs.some(([name]) => name.toLowerCase() === "content-type");
  return [...pairs.flat(), ...(encoding === "json" && !named ? ["content-type", "application/json"] : [])];
}
