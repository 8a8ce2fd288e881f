import type { Message, Part } from "#lib/call.ts";
import type { Bodies } from "../bodies/body.ts";
import type { JsonObject } from "../bodies/json.ts";
import { asObject, asText, objectsIn, parseJson } from "../bodies/json.ts";
import type { KeptFile } from "../bodies/kept-file.ts";
import { mediaType } from "../bodies/parts.ts";
import type { DecodeOptions } from "../decode-options.ts";
import type { Facts } from "../facts.ts";
import { audioLength } from "./audio-length.ts";
import { keepAudio } from "./keep-audio.ts";

/** The sound itself of a chat that was spoken, either way: how long it is, and the bytes if they are to be kept. Only such chats cost this second look. */
export function readChatAudio(facts: Facts, bodies: Bodies, { keepAudio: keeps = false }: DecodeOptions): void {
  const { request, response } = bodies;
  if (facts.inputModalities.includes("audio")) {
    const heard = objectsIn(request?.messages).flatMap(spokenTo);
    facts.inputAudioMs = together(heard);
    if (keeps) keepAll(facts, "input", facts.content.input, heard);
  }
  if (facts.outputModalities.includes("audio")) {
    const format = asText(asObject(request?.audio)?.format);
    const said = response.kind === "json" ? spokenAtOnce(response.value, format) : spokenInPieces(response);
    facts.outputAudioMs = together(said);
    if (keeps) keepAll(facts, "output", facts.content.output, said);
  }
}

/** Audio that was spoken earlier is sent by its id alone, and is not here. */
function spokenTo(message: JsonObject): KeptFile[] {
  return objectsIn(message.content).flatMap((part) => {
    const source = part.type === "input_audio" ? asObject(part.input_audio) : null;
    const data = asText(source?.data);
    return data === null ? [] : [file([Buffer.from(data, "base64")], mediaType("audio", source?.format))];
  });
}

function spokenAtOnce(answer: JsonObject, format: string | null): KeptFile[] {
  return objectsIn(answer.choices).flatMap((choice) => {
    const data = asText(asObject(asObject(choice.message)?.audio)?.data);
    return data === null ? [] : [file([Buffer.from(data, "base64")], mediaType("audio", format))];
  });
}

/** A stream's audio is always raw. In order of the choices. */
function spokenInPieces(response: Bodies["response"]): KeptFile[] {
  const pieces = new Map<number, Buffer[]>();
  for (const { data } of response.kind === "stream" ? response.events : []) {
    for (const choice of objectsIn(asObject(parseJson(data))?.choices)) {
      const audio = asText(asObject(asObject(choice.delta)?.audio)?.data);
      if (audio === null) continue;
      const index = typeof choice.index === "number" ? choice.index : 0;
      const known = pieces.get(index) ?? [];
      pieces.set(index, known);
      known.push(Buffer.from(audio, "base64"));
    }
  }
  return [...pieces].sort(([a], [b]) => a - b).map(([, buffers]) => file(buffers, "audio/pcm"));
}

function file(buffers: readonly Buffer[], type: string | null): KeptFile {
  const head = Buffer.concat(buffers);
  return { mediaType: type, bytes: head.length, head, tail: null };
}

/** null: the length of one of them is not known. */
function together(files: readonly KeptFile[]): number | null {
  const lengths = files.map((one) => audioLength(one)?.ms ?? null);
  return lengths.length === 0 || lengths.includes(null)
    ? null
    : lengths.reduce<number>((sum, ms) => sum + (ms ?? 0), 0);
}

/** Parts with bytes stand in the same order as the files. */
function keepAll(
  facts: Facts,
  direction: "input" | "output",
  messages: readonly Message[],
  files: readonly KeptFile[],
): void {
  const isHere = (part: Part): part is Part & { type: "audio" } => part.type === "audio" && (part.bytes ?? 0) > 0;
  const parts = messages.flatMap((message) => message.parts.filter(isHere));
  if (parts.length !== files.length) return;
  for (const [index, part] of parts.entries())
    Object.assign(part, keepAudio(facts, direction, files[index] as KeptFile));
}
