import type { Exchange, RecordedBody } from "#lib/exchange.ts";
import { fileInPath } from "../endpoints.ts";
import type { Piece } from "./content-encoding.ts";
import { codings, undoCodings } from "./content-encoding.ts";
import type { JsonObject } from "./json.ts";
import { asObject, parseJson } from "./json.ts";
import type { FormPart } from "./multipart.ts";
import { formValues, isForm, readForm } from "./multipart.ts";
import { salvage } from "./salvage.ts";
import type { SseEvent } from "./sse.ts";
import { createSseParser } from "./sse.ts";

/** Both bodies of an exchange, decoded as far as they were kept. */
export interface Bodies {
  /** null: neither a JSON object nor a form was sent, or nothing of it could be read. Of a form: its values, all of them texts. */
  readonly request: JsonObject | null;
  /** The parts of a form, files included; null: the request was none. */
  readonly form: readonly FormPart[] | null;
  readonly response: ResponseBody;
  readonly problems: string[];
}

export type ResponseBody =
  /** No response, an empty one, or one that holds neither JSON nor events: audio, text, HTML, a file. */
  | { readonly kind: "none"; readonly text: string | null; readonly kept: readonly Piece[] }
  | { readonly kind: "json"; readonly value: JsonObject }
  | {
      readonly kind: "stream";
      readonly events: readonly SseEvent[];
      /** The end of the body is among what was kept, so that a missing end of the stream means something. */
      readonly reachesEnd: boolean;
    };

/** Reads both bodies. A promise only where a compressed stream or a damaged body must be decoded piece by piece. */
export function readBodies(exchange: Exchange): Bodies | Promise<Bodies> {
  const problems: string[] = [];
  const request = decodePieces(exchange.request, exchange.start.headers, "request", problems);
  const response = decodePieces(exchange.response, exchange.response?.headers ?? [], "response", problems);
  if (request instanceof Promise || response instanceof Promise) {
    return Promise.all([request, response]).then(([a, b]) => join(exchange, a, b, problems));
  }
  return join(exchange, request, response, problems);
}

function join(exchange: Exchange, request: Piece[], response: Piece[], problems: string[]): Bodies {
  const type = header(exchange.start.headers, "content-type") ?? "";
  const form = isForm(type) ? readForm(request, type, isCutShort(exchange), problems) : null;
  return {
    request: form === null ? readRequest(exchange, request, problems) : formValues(form),
    form,
    response: readResponse(exchange, response, problems),
    problems,
  };
}

function readRequest(exchange: Exchange, pieces: Piece[], problems: string[]): JsonObject | null {
  if (pieces.length === 0) return null;
  const type = header(exchange.start.headers, "content-type") ?? "";
  if (!isJson(type) && (type !== "" || !opensLikeJson(pieces))) return null;
  return readJson(pieces, isCutShort(exchange), "request", problems);
}

/** The end of the request is not known to be among what was kept. */
function isCutShort({ request, end }: Exchange): boolean {
  return request.cut || end === null || end.requestEndAtMs === null;
}

function readResponse(exchange: Exchange, pieces: Piece[], problems: string[]): ResponseBody {
  const { response } = exchange;
  if (response === null) return { kind: "none", text: null, kept: [] };
  const type = header(response.headers, "content-type") ?? "";
  // Some servers answer an error to a streamed request in JSON under the stream's type.
  if ((isEventStream(type) && !opensLikeJson(pieces)) || (type === "" && opensLikeEvents(pieces))) {
    return { kind: "stream", events: readEvents(pieces, problems), reachesEnd: reachesEnd(response) };
  }
  if (pieces.length === 0) return { kind: "none", text: null, kept: [] };
  // Every line of such a file is JSON, the file is not.
  const isFile = response.status < 400 && fileInPath(exchange.start.upstreamTarget) !== null;
  if (!isFile && (isJson(type) || opensLikeJson(pieces))) {
    const value = readJson(pieces, response.cut || exchange.end?.ending !== "completed", "response", problems);
    if (value !== null) return { kind: "json", value };
  }
  return { kind: "none", text: isText(type) ? joinText(pieces).slice(0, 2000) : null, kept: pieces };
}

function readJson(pieces: Piece[], cut: boolean, side: Side, problems: string[]): JsonObject | null {
  const gapAt = pieces.findIndex((piece) => piece.afterGap);
  if (gapAt < 0) {
    const text = joinText(pieces);
    const value = parseJson(text);
    if (value !== undefined) return asObject(value);
    problems.push(cut ? `${side}_cut` : `${side}_unreadable`);
    return nullIfEmpty(salvage(text, null));
  }
  problems.push(`${side}_cut`);
  const lastGapAt = pieces.findLastIndex((piece) => piece.afterGap);
  return nullIfEmpty(salvage(joinText(pieces.slice(0, gapAt)), joinText(pieces.slice(lastGapAt))));
}

function readEvents(pieces: Piece[], problems: string[]): SseEvent[] {
  const events: SseEvent[] = [];
  const parser = createSseParser((event) => events.push(event));
  for (const piece of pieces) {
    if (piece.afterGap) {
      parser.gap();
      if (!problems.includes("response_cut")) problems.push("response_cut");
    }
    parser.push(piece.bytes, piece.atMs);
  }
  parser.end();
  if (parser.oversized > 0) problems.push("event_oversized");
  return events;
}

type Side = "request" | "response";

function decodePieces(
  body: RecordedBody | null,
  headers: readonly string[],
  side: Side,
  problems: string[],
): Piece[] | Promise<Piece[]> {
  const pieces = body === null ? [] : keptPieces(body);
  const encoding = header(headers, "content-encoding");
  if (encoding === null || pieces.length === 0) return pieces;
  const keepsTimes = side === "response" && isEventStream(header(headers, "content-type") ?? "");
  return undoCodings(pieces, codings(encoding), keepsTimes, (problem) => problems.push(`${side}_${problem}`));
}

/** Chunks in order of their offset; where an offset jumps, a piece says so. */
function keptPieces(body: RecordedBody): Piece[] {
  const pieces: Piece[] = [];
  let next = 0;
  for (const chunk of body.chunks) {
    const known = next - chunk.offset;
    if (known >= chunk.bytes.length && chunk.bytes.length > 0 && known > 0) continue;
    const bytes = known > 0 ? chunk.bytes.subarray(known) : chunk.bytes;
    pieces.push({ atMs: chunk.atMs, bytes, afterGap: known < 0, ...(known < 0 && { missing: -known }) });
    next = Math.max(next, chunk.offset + chunk.bytes.length);
  }
  return pieces;
}

/** The end of the body is among what was kept. */
export function reachesEnd(body: RecordedBody): boolean {
  const last = body.chunks.at(-1);
  return (last ? last.offset + last.bytes.length : 0) >= body.bytes;
}

export function joinText(pieces: readonly Piece[]): string {
  const [only] = pieces;
  const bytes = pieces.length === 1 && only ? only.bytes : Buffer.concat(pieces.map((piece) => piece.bytes));
  const from = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  return bytes.toString("utf8", from);
}

export function header(headers: readonly string[], name: string): string | null {
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const candidate = headers[i] as string;
    if (candidate.length === name.length && candidate.toLowerCase() === name) return headers[i + 1] ?? null;
  }
  return null;
}

const isEventStream = (type: string) => /^\s*text\/event-stream\b/i.test(type);
const isJson = (type: string) => /^\s*[^;]*\bjson\s*(;|$)/i.test(type);
const isText = (type: string) => type === "" || /^\s*text\//i.test(type);

function opensLikeJson(pieces: Piece[]): boolean {
  return /^\s*\{/.test(opening(pieces));
}

function opensLikeEvents(pieces: Piece[]): boolean {
  return /^\s*(data|event|id|retry)?:/.test(opening(pieces));
}

function opening(pieces: Piece[]): string {
  const bytes = Buffer.concat(pieces.slice(0, 8).map((piece) => piece.bytes.subarray(0, 64)));
  return bytes.toString("latin1").replace(/^\u00EF\u00BB\u00BF/, "");
}

function nullIfEmpty(value: JsonObject): JsonObject | null {
  return Object.keys(value).length > 0 ? value : null;
}
