import type { Part } from "#lib/call.ts";
import type { JsonObject } from "../bodies/json.ts";
import { asObject, parseJson } from "../bodies/json.ts";

/** Takes sentences about what is not as it was sent; each is told once. */
export interface Rebuild {
  note(sentence: string): void;
}

type Media = Extract<Part, { type: "image" | "audio" | "file" }>;

/** Stands where the bytes of a file were. */
export function placeholder({ type, mediaType, bytes }: Media, { note }: Rebuild): string {
  note("Images, audio and files are not stored: put them in where angle brackets say so.");
  return `<not stored: ${mediaType ?? type}${bytes === null ? "" : `, ${bytes} bytes`}>`;
}

/** An address as it is stored, which is without its query. null: the bytes were in the request itself, or a name stood for them. */
export function addressOf({ url }: Media, { note }: Rebuild): string | null {
  if (url === undefined) return null;
  note("Addresses of images and files are stored without their query.");
  return url;
}

/** "audio/mpeg" → "mp3" */
export const formatOf = ({ mediaType }: Media): string => mediaType?.split("/")[1]?.replace(/^mpeg$/, "mp3") ?? "wav";

/** What no reader knew: its JSON, unless that was too long to be kept whole. */
export function otherPart({ json, kind }: Extract<Part, { type: "other" }>, { note }: Rebuild): JsonObject {
  const whole = asObject(parseJson(json));
  if (whole !== null) return whole;
  note(`What is of type ${kind} is stored shortened.`);
  return { type: kind, omitted: "<not stored: too long>" };
}
