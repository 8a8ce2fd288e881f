import type { Message, Part } from "#lib/call.ts";
import type { Modality } from "#lib/modalities.ts";
import type { JsonObject } from "./json.ts";
import { asObject, asText, objectsIn, shortJson } from "./json.ts";

/** The content of a message: a string, or parts of chat or of Responses (which name the same things differently). */
export function readParts(content: unknown): Part[] {
  if (typeof content === "string") return content === "" ? [] : [{ type: "text", text: content }];
  return objectsIn(content).map(readPart);
}

export function readPart(part: JsonObject): Part {
  const kind = asText(part.type) ?? "unknown";
  switch (kind) {
    case "text":
    case "input_text":
    case "output_text":
    case "summary_text":
      return { type: "text", text: asText(part.text) ?? "" };
    case "reasoning_text":
      return { type: "reasoning", text: asText(part.text) ?? "" };
    case "refusal":
      return { type: "refusal", text: asText(part.refusal) ?? "" };
    case "image_url":
    case "input_image":
      return image(part);
    case "input_audio":
    case "output_audio":
      return audio(part);
    case "file":
    case "input_file":
      return file(part);
    default:
      return { type: "other", kind, json: shortJson(part) };
  }
}

/** Chat nests `{url, detail}`, Responses has both flat; either can be a bare string. */
export function imageUrl(part: JsonObject): string | null {
  return asText(part.image_url) ?? asText(asObject(part.image_url)?.url);
}

export function imageDetail(part: JsonObject): string | null {
  return asText(part.detail) ?? asText(asObject(part.image_url)?.detail);
}

function image(part: JsonObject): Part {
  const url = imageUrl(part);
  const detail = imageDetail(part);
  const name = asText(part.file_id);
  return { type: "image", ...location(url), ...(detail && { detail }), ...(name && { name }) };
}

function audio(part: JsonObject): Part {
  const source = asObject(part.input_audio) ?? part;
  const transcript = asText(part.transcript);
  return {
    type: "audio",
    mediaType: mediaType("audio", source.format),
    bytes: base64Bytes(asText(source.data)),
    ...(transcript && { transcript }),
  };
}

function file(part: JsonObject): Part {
  const source = asObject(part.file) ?? part;
  const name = asText(source.filename) ?? asText(source.file_id);
  const data = asText(source.file_data);
  const where =
    data === null ? location(asText(source.file_url)) : data.startsWith("data:") ? location(data) : embedded(data);
  return { type: "file", ...where, ...(name && { name }) };
}

function embedded(data: string) {
  return { mediaType: null, bytes: base64Bytes(data) };
}

/** A data URL is counted; another keeps its place but not its query, where signatures stand. */
function location(url: string | null): { mediaType: string | null; bytes: number | null; url?: string } {
  if (url === null) return { mediaType: null, bytes: null };
  if (!url.startsWith("data:")) return { mediaType: null, bytes: null, url: withoutQuery(url) };
  const comma = url.indexOf(",");
  const type = /^data:([^;,]*)/.exec(url)?.[1] || null;
  return { mediaType: type, bytes: comma < 0 ? null : base64Bytes(url.slice(comma + 1)) };
}

export function withoutQuery(url: string): string {
  // User and password can stand in a URL too.
  return url
    .replace(/[?#].*$/s, "")
    .replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/@]*@/i, "$1")
    .slice(0, 2000);
}

export function mediaType(kind: Modality, format: unknown): string | null {
  const name = asText(format);
  return name === null ? null : `${kind}/${name === "mp3" ? "mpeg" : name}`;
}

/** Size of what a base64 text holds, without decoding it. */
export function base64Bytes(text: string | null): number | null {
  if (text === null) return null;
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  return Math.max(0, Math.floor((text.length * 3) / 4) - padding);
}

/** Text of a message as one string: what a person would read. */
export function textOf(message: Message): string {
  const texts = message.parts.flatMap((part) => (part.type === "text" || part.type === "refusal" ? [part.text] : []));
  return texts.length === 1 ? (texts[0] as string) : texts.join("\n");
}

/** A file is read as text (and its pages as images, which nobody counts apart). */
export function modalitiesOf(messages: readonly Message[]): Modality[] {
  const seen: Record<Modality, boolean> = { text: false, image: false, audio: false };
  for (const { parts } of messages) {
    for (const part of parts) {
      seen[part.type === "image" || part.type === "audio" ? part.type : "text"] = true;
      if (part.type === "audio" && part.transcript) seen.text = true;
    }
  }
  return IN_ORDER.filter((modality) => seen[modality]);
}

const IN_ORDER: readonly Modality[] = ["text", "image", "audio"];

/**
 * The text that groups unlabelled calls. Instructions shorter than a short sentence (`You are helpful.`) group nothing,
 * so the first user message stands in.
 */
export function unitOf(input: readonly Message[]): string | null {
  const instructions = input.find((message) => message.role === "system" || message.role === "developer");
  const text = instructions ? textOf(instructions) : "";
  if (text.length >= INSTRUCTION_CHARS_MIN) return text;
  const asked = input.find((message) => message.role === "user");
  return (asked && textOf(asked)) || text || null;
}

const INSTRUCTION_CHARS_MIN = 24;
