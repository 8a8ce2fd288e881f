import type { Modality } from "#lib/modalities.ts";
import type { JsonObject } from "../bodies/json.ts";
import { asObject, asText, elideFiles, objectsIn } from "../bodies/json.ts";
import { base64Bytes, imageDetail, imageUrl, readPart } from "../bodies/parts.ts";
import { imageSize } from "../images/image-size.ts";
import type { TokenRange } from "../images/image-tokens.ts";
import { imageTokens } from "../images/image-tokens.ts";
import type { CountTokens } from "./tokenizer.ts";

/** A stretch of the prompt as the model reads it, with what it takes at a guess. */
export interface PromptPart {
  readonly modality: Modality;
  readonly tokens: TokenRange;
  /** false: a picture whose bytes are not in the request. */
  readonly known: boolean;
}

/**
 * The prompt of a chat or Responses request in the order in which it is read and cached: tools, instructions, messages, and inside
 * a message its parts (https://platform.openai.com/docs/guides/prompt-caching).
 */
export function promptParts(request: JsonObject, model: string | null, count: CountTokens): PromptPart[] {
  const text = (value: unknown): PromptPart[] => {
    if (value === undefined || value === null) return [];
    return [counted("text", count(typeof value === "string" ? value : JSON.stringify(elideFiles(value))))];
  };
  const tools = [...objectsIn(request.tools), ...objectsIn(request.functions)].flatMap(text);
  const messages = [...objectsIn(request.messages), ...objectsIn(request.input)];
  return [...tools, ...text(request.instructions), ...text(asText(request.input)), ...messages.flatMap(messageParts)];

  function messageParts(message: JsonObject): PromptPart[] {
    const { content, output, ...rest } = message;
    // An item without content is an earlier call: its name and arguments are what is read.
    const said = content === undefined || message.tool_calls !== undefined ? text(asText(rest.arguments) ?? rest) : [];
    return [...contentParts(content), ...contentParts(output), ...said];
  }

  function contentParts(content: unknown): PromptPart[] {
    return typeof content === "string" ? text(content) : objectsIn(content).flatMap(contentPart);
  }

  function contentPart(part: JsonObject): PromptPart[] {
    if (isImage(part)) return [imagePart(part, model)];
    const read = readPart(part);
    if (read.type === "audio") return [counted("audio", audioTokens(part))];
    if (read.type === "text" || read.type === "refusal" || read.type === "reasoning") return text(read.text);
    return [];
  }
}

export const isImage = (part: JsonObject): boolean => part.type === "image_url" || part.type === "input_image";

/** What a picture takes, by its size where the request holds its bytes. */
export function imagePart(part: JsonObject, model: string | null): PromptPart {
  const url = imageUrl(part) ?? "";
  const detail = imageDetail(part);
  const comma = url.startsWith("data:") ? url.indexOf(",") : -1;
  // A JPEG may carry a long preview before its size.
  const size = comma < 0 ? null : imageSize(Buffer.from(url.slice(comma + 1, comma + 1 + 256 * 1024), "base64"));
  return { modality: "image", tokens: imageTokens(model, size, detail), known: size !== null || detail === "low" };
}

/** Ten tokens a second; how many bytes are a second depends on the coding, which only shares them out among several clips. */
function audioTokens(part: JsonObject): number {
  const bytes = base64Bytes(asText(asObject(part.input_audio)?.data)) ?? 0;
  return Math.ceil((bytes / BYTES_PER_SECOND) * 10);
}

const BYTES_PER_SECOND = 48_000;

const counted = (modality: Modality, tokens: number): PromptPart => ({
  modality,
  tokens: { likely: tokens, low: tokens, high: tokens },
  known: true,
});
