import type { Message, Part } from "#lib/call.ts";
import type { Exchange } from "#lib/exchange.ts";
import type { Bodies } from "../bodies/body.ts";
import { joinText } from "../bodies/body.ts";
import { eventValues } from "../bodies/event-values.ts";
import { asText, objectsIn } from "../bodies/json.ts";
import type { FormPart } from "../bodies/multipart.ts";
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
import { settleTranscriptionUsage } from "./transcription-usage.ts";

/** Transcriptions and translations: a form with a file, answered in JSON, text, subtitles or a stream. */
export async function readTranscription(exchange: Exchange, bodies: Bodies, options: DecodeOptions): Promise<Facts> {
  const facts = noFacts();
  readRequest(facts, exchange, bodies.request);
  facts.streamed ||= bodies.request?.stream === "true";
  const answer = readAnswer(facts, exchange, bodies);
  readHttpError(facts, exchange, bodies);

  const file = bodies.form?.find((part) => part.name === "file") ?? null;
  const measured = file && audioLength(file);
  facts.content.input = inputMessages(facts, file, asText(bodies.request?.prompt), options);
  facts.content.output = outputMessages(answer.text);
  facts.unit = asText(bodies.request?.prompt);
  facts.inputModalities = file === null ? [] : ["audio"];
  facts.outputModalities = answer.text ? ["text"] : [];

  await settleTranscriptionUsage(facts, answer, measured);
  modelAsRequested(facts, bodies);
  return facts;
}

export interface Transcription {
  /** null: there was no answer. It may be empty: in silence nothing is said. */
  text: string | null;
  /** As stated. */
  usage: unknown;
  /** Of the audio, as verbose and diarized answers state it. */
  seconds: number | null;
}

function readAnswer(facts: Facts, exchange: Exchange, bodies: Bodies): Transcription {
  const { response } = bodies;
  const isOk = (exchange.response?.status ?? 0) < 400;
  if (response.kind === "json") {
    const { text, usage, duration, segments, model } = response.value;
    facts.model = asText(model);
    const spoken =
      typeof text === "string"
        ? text
        : objectsIn(segments)
            .map((one) => asText(one.text) ?? "")
            .join("");
    return { text: isOk ? spoken : null, usage, seconds: typeof duration === "number" ? duration : null };
  }
  if (response.kind === "stream") return readStream(facts, exchange, bodies, response.events);
  return { text: isOk && response.kept.length > 0 ? joinText(response.kept).trim() : null, usage: null, seconds: null };
}

function readStream(facts: Facts, exchange: Exchange, bodies: Bodies, events: readonly SseEvent[]): Transcription {
  facts.streamed = true;
  const clock = createStreamClock();
  let deltas = "";
  let segments = "";
  let whole: string | null = null;
  let usage: unknown = null;
  let done = false;

  for (const { kind, value, atMs } of eventValues(facts, events)) {
    usage = value.usage ?? usage;
    if (kind === "transcript.text.delta") deltas += asText(value.delta) ?? "";
    if (kind === "transcript.text.segment") segments += asText(value.text) ?? "";
    if (kind === "transcript.text.delta" || kind === "transcript.text.segment") clock.saw("text", atMs);
    if (kind === "[DONE]") done = true;
    if (kind !== "transcript.text.done") continue;
    done = true;
    whole = typeof value.text === "string" ? value.text : null;
    if (clock.marks.contentChunks === 0 && whole) clock.saw("text", atMs);
  }

  facts.marks = clock.marks;
  settleStream(facts, exchange, bodies, done);
  return { text: whole ?? (deltas || segments.trim()), usage, seconds: null };
}

function inputMessages(
  facts: Facts,
  file: FormPart | null,
  prompt: string | null,
  { keepAudio: keeps = false }: DecodeOptions,
): Message[] {
  const parts: Part[] = [];
  if (prompt !== null) parts.push({ type: "text", text: prompt });
  if (file !== null) {
    const { mediaType, bytes, fileName } = file;
    const kept = keeps ? keepAudio(facts, "input", file) : {};
    parts.push({ type: "audio", mediaType, bytes, ...(fileName && { name: fileName }), ...kept });
  }
  return parts.length > 0 ? [{ role: "user", parts }] : [];
}

function outputMessages(text: string | null): Message[] {
  return text ? [{ role: "assistant", parts: [{ type: "text", text }] }] : [];
}
