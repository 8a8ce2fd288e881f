import type { Call, Content } from "#lib/call.ts";
import type { JsonObject } from "../bodies/json.ts";
import { textOf } from "../bodies/parts.ts";
import { findEndpoint } from "../endpoints.ts";
import { type Answered, rebuildAnswer } from "./rebuild-answer.ts";
import { isOfSession, rebuildEvents } from "./rebuild-events.ts";
import { normalizedUsage, rebuildUsage } from "./rebuild-usage.ts";
import { toRequest } from "./to-request.ts";

/** A call in the format of recorded traffic (`openai-recording/1`): what `npm run decode` reads. */
export interface Recording {
  format: "openai-recording/1";
  kind: "http" | "realtime";
  id: string;
  endpoint: string;
  recorded_at: string;
  [more: string]: unknown;
}

/** A call with what is stored beside it. */
export interface Recordable extends Answered {
  call: Answered["call"] &
    Pick<Call, "id" | "parentId" | "method" | "path" | "requestServiceTier" | "streamed" | "problems">;
  durationMs: number | null;
  /** Of its upstream. */
  host: string;
}

type Requested = Recordable["call"];

/**
 * The call written out as an exchange from its facts and its redacted content. Decoded again it has the usage, the lines and
 * the cost that it has here; where that cannot be, a note in it says so.
 */
export function toRecording(recordable: Recordable): Recording {
  const { call, durationMs } = recordable;
  return {
    format: "openai-recording/1",
    kind: isOfSession(recordable) ? "realtime" : "http",
    id: `${call.endpoint}/${call.id}.omnimeter`,
    endpoint: call.endpoint,
    recorded_at: new Date(call.startedAt).toISOString(),
    ...(isOfSession(recordable) ? socketOf(recordable) : exchangeOf(recordable)),
    expected: expectedOf(recordable),
    timing: { total_ms: durationMs },
  };
}

function socketOf(recordable: Recordable): JsonObject {
  const { call, host } = recordable;
  const path = `/v1/realtime${call.model === null ? "" : `?model=${encodeURIComponent(call.model)}`}`;
  return {
    connection: { method: "GET", host, path, transport: "websocket" },
    events: rebuildEvents(recordable),
    fidelity: RECONSTRUCTED,
    notes: notesOf(recordable).join(" "),
  };
}

function exchangeOf(recordable: Recordable): JsonObject {
  const { call } = recordable;
  const { request, notes } = requestOf(recordable);
  // A line of a batch may not say with which status it was answered: it was.
  const status = call.status ?? (call.parentId === null ? null : 200);
  return {
    request,
    response: status === null ? null : responseOf(recordable, status),
    notes: [...notesOf(recordable), ...notes].join(" "),
  };
}

const RECONSTRUCTED = "reconstructed-from-omnimeter";

function requestOf({ call, content, host }: Recordable): { request: JsonObject; notes: string[] } {
  const { method, path } = wayOf(call);
  const rebuilt = content && toRequest({ ...call, method, path }, content, `https://${host}`);
  const body = rebuilt?.body ?? plainRequest(call, content);
  const head = { method, host, path, body_fidelity: RECONSTRUCTED };
  const notes = rebuilt?.notes ?? [];
  if (method !== "POST") return { request: { ...head, headers: {}, body_encoding: "none" }, notes };
  if (FORMS.has(call.endpoint)) return { request: { ...head, ...formOf(body) }, notes };
  const headers = { "content-type": "application/json" };
  return { request: { ...head, headers, body_encoding: "json", body }, notes };
}

/**
 * Where the call would have gone by itself. What came out of another exchange (a line of a batch, an answer over a socket) did not go
 * there: its own path is that of its endpoint. Names of upstream and feature in the path are Omnimeter's.
 */
function wayOf({ endpoint, method, path, parentId }: Requested): { method: string; path: string } {
  const bare = path.replace(/^(?:\/[uf]\/[^/]+)+(?=\/)/, "");
  if (parentId === null && findEndpoint(method, bare).name === endpoint) return { method, path: bare };
  return { method: "POST", path: `/v1/${endpoint.replace(/^(chat|audio|images)_/, "$1/")}` };
}

/** Requests that cannot be sent again from what is stored: what their answer is read with. */
function plainRequest(call: Requested, content: Content | null): JsonObject {
  const text = content?.input.map(textOf).join("\n") ?? "";
  const place = TEXT_PLACES.get(call.endpoint);
  return {
    ...(call.requestModel !== null && { model: call.requestModel }),
    ...(call.requestServiceTier !== null && { service_tier: call.requestServiceTier }),
    ...(place !== undefined && text !== "" && { [place]: text }),
    ...content?.parameters,
  };
}

const TEXT_PLACES: ReadonlyMap<string, string> = new Map([
  ["audio_speech", "input"],
  ["moderations", "input"],
  ["images_generations", "prompt"],
  ["images_edits", "prompt"],
]);
const FORMS: ReadonlySet<string> = new Set(["audio_transcriptions", "audio_translations"]);
const BOUNDARY = "omnimeter-export-boundary";

/** A form with the values that were sent, and without the file. */
function formOf(fields: JsonObject): JsonObject {
  const parts = Object.entries(fields).map(
    ([name, value]) =>
      `--${BOUNDARY}\r\ncontent-disposition: form-data; name="${name.replace(/["\r\n]/g, "")}"\r\n\r\n${typeof value === "string" ? value : JSON.stringify(value)}\r\n`,
  );
  return {
    headers: { "content-type": `multipart/form-data; boundary=${BOUNDARY}` },
    body_encoding: "base64",
    body: Buffer.from(`${parts.join("")}--${BOUNDARY}--\r\n`).toString("base64"),
    multipart_fields: fields,
  };
}

function responseOf(answered: Answered, status: number): JsonObject {
  const { type, text } = bodyOf(answered, status);
  return {
    status,
    headers: { "content-type": type },
    headers_recorded: false,
    body_encoding: "utf8",
    body: text,
    body_bytes: Buffer.byteLength(text),
    body_fidelity: RECONSTRUCTED,
  };
}

/** Speech states its usage in the last event of a stream, and nowhere else. */
function bodyOf(answered: Answered, status: number): { type: string; text: string } {
  const { call, usage } = answered;
  if (call.endpoint !== "audio_speech" || status >= 400)
    return { type: "application/json", text: JSON.stringify(rebuildAnswer(answered)) };
  const stated = rebuildUsage(usage, call.endpoint);
  if (stated === null) return { type: "audio/mpeg", text: "" };
  const event = JSON.stringify({ type: "speech.audio.done", usage: stated });
  return { type: "text/event-stream", text: `data: ${event}\r\n\r\ndata: [DONE]\r\n\r\n` };
}

function expectedOf({ call, usage, tools }: Recordable): JsonObject {
  const raw = rebuildUsage(usage, call.endpoint);
  const { errorType: type, errorCode: code, errorMessage: message } = call;
  return {
    request_model: call.requestModel,
    model: call.model,
    http_status: call.status,
    response_id: call.responseId,
    finish_reasons: call.finishReasons,
    tool_calls: tools.map(({ name }) => name),
    service_tier: call.serviceTier,
    ...((type ?? code ?? message) !== null && { error: { type, code, param: null, message } }),
    usage: raw && { raw, normalized: normalizedUsage(usage) },
  };
}

function notesOf({ call, usage, content }: Recordable): string[] {
  const { source } = usage;
  const sentences: (string | false)[] = [
    "Exported by Omnimeter: request and answer are written anew from what is stored, redacted.",
    call.streamed && "The answer was a stream; here it is in one piece.",
    content === null && "No content is stored: the messages are not here.",
    source === "estimated" && "Its usage was estimated from what went through; from this file the estimate differs.",
    source === "measured" && "Its usage was measured, from what is not stored.",
    call.problems.includes("image_split_estimated") &&
      "Its images are not stored: how the input divides between text and images is estimated anew, the sum is exact.",
    call.parentId !== null && "It came out of another exchange, and is written here as one of its own.",
  ];
  return sentences.filter((sentence) => sentence !== false);
}
