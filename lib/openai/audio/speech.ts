import type { Message } from "#lib/call.ts";
import type { Exchange } from "#lib/exchange.ts";
import type { Bodies } from "../bodies/body.ts";
import { header } from "../bodies/body.ts";
import type { Piece } from "../bodies/content-encoding.ts";
import { eventValues } from "../bodies/event-values.ts";
import type { JsonObject } from "../bodies/json.ts";
import { asText } from "../bodies/json.ts";
import type { KeptFile } from "../bodies/kept-file.ts";
import { bareType, keptFile } from "../bodies/kept-file.ts";
import { mediaType } from "../bodies/parts.ts";
import type { SseEvent } from "../bodies/sse.ts";
import type { DecodeOptions } from "../decode-options.ts";
import type { Facts } from "../facts.ts";
import { createStreamClock } from "../marks.ts";
import { noFacts } from "../no-facts.ts";
import { readHttpError, settleStream } from "../outcome.ts";
import { readRequest } from "../request.ts";
import { modelAsRequested } from "../requested-model.ts";
import { audioLength } from "./audio-length.ts";
import { keepAudio } from "./keep-audio.ts";
import { settleSpeechUsage } from "./speech-usage.ts";

/** Text spoken: a file of audio as the answer, or events that carry it in pieces. */
export async function readSpeech(exchange: Exchange, bodies: Bodies, options: DecodeOptions): Promise<Facts> {
  const facts = noFacts();
  const { request } = bodies;
  readRequest(facts, exchange, request);
  facts.streamed ||= request?.stream_format === "sse";
  const answer = readAnswer(facts, exchange, bodies);
  readHttpError(facts, exchange, bodies);

  const { audio } = answer;
  facts.content.input = inputMessages(request);
  // What is spoken differs from call to call; how it is to be spoken is what calls have in common.
  facts.unit = asText(request?.instructions);
  facts.inputModalities = facts.content.input.length > 0 ? ["text"] : [];
  if (audio !== null) {
    facts.outputAudioMs = audioLength(audio)?.ms ?? null;
    facts.outputModalities = ["audio"];
    const kept = options.keepAudio ? keepAudio(facts, "output", audio) : {};
    const part = {
      type: "audio" as const,
      mediaType: audio.mediaType,
      bytes: audio.bytes ?? audio.head.length,
      ...kept,
    };
    facts.content.output = [{ role: "assistant", parts: [part] }];
  }

  await settleSpeechUsage(facts, request, answer);
  modelAsRequested(facts, bodies);
  return facts;
}

export interface Speech {
  /** null: nothing was heard. */
  readonly audio: KeptFile | null;
  /** As stated. */
  readonly usage: unknown;
}

function readAnswer(facts: Facts, exchange: Exchange, bodies: Bodies): Speech {
  const { request, response } = bodies;
  const stated = bareType(header(exchange.response?.headers ?? [], "content-type"));
  const asked = mediaType("audio", request?.response_format) ?? "audio/mpeg";
  if (response.kind === "stream") return readStream(facts, exchange, bodies, response.events, asked);
  const isAudio = stated === null || stated === "application/octet-stream" || stated.startsWith("audio/");
  if (response.kind === "json" || (exchange.response?.status ?? 0) >= 400 || !isAudio)
    return { audio: null, usage: null };
  if (response.kept.length === 0) return { audio: null, usage: null };
  facts.marks = arrivals(response.kept);
  const isOver = exchange.end?.ending === "completed";
  const type = stated?.startsWith("audio/") ? stated : asked;
  return { audio: keptFile(response.kept, type, isOver ? (exchange.response?.bytes ?? null) : null), usage: null };
}

/** Audio comes from its first byte on: every chunk of it is content. */
function arrivals(pieces: readonly Piece[]) {
  const clock = createStreamClock();
  for (const { bytes, atMs } of pieces) if (bytes.length > 0) clock.saw("audio", atMs);
  return clock.marks;
}

function readStream(
  facts: Facts,
  exchange: Exchange,
  bodies: Bodies,
  events: readonly SseEvent[],
  type: string,
): Speech {
  facts.streamed = true;
  const clock = createStreamClock();
  const pieces: Buffer[] = [];
  let done = false;
  let usage: unknown = null;

  for (const { kind, value, atMs } of eventValues(facts, events)) {
    usage = value.usage ?? usage;
    done ||= kind === "speech.audio.done" || kind === "[DONE]";
    const audio = kind === "speech.audio.delta" ? asText(value.audio) : null;
    if (audio === null) continue;
    clock.saw("audio", atMs);
    pieces.push(Buffer.from(audio, "base64"));
  }

  facts.marks = clock.marks;
  settleStream(facts, exchange, bodies, done);
  const head = Buffer.concat(pieces);
  const bytes = facts.problems.includes("event_unreadable") ? null : head.length;
  return { audio: head.length > 0 ? { mediaType: type, bytes, head, tail: null } : null, usage };
}

function inputMessages(request: JsonObject | null): Message[] {
  const said = (role: string, value: unknown): Message[] => {
    const text = asText(value);
    return text === null ? [] : [{ role, parts: [{ type: "text", text }] }];
  };
  return [...said("system", request?.instructions), ...said("user", request?.input)];
}
