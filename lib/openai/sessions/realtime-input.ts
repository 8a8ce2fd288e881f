import type { Message, Part } from "#lib/call.ts";
import type { JsonObject } from "../bodies/json.ts";
import { asArray, asObject, asText, objectsIn } from "../bodies/json.ts";
import { readInputItem } from "../response-items.ts";
import type { AudioFormat } from "./realtime-audio.ts";
import { audioBytes, isElided } from "./realtime-audio.ts";

/** What was said to the model since its last response began. */
export interface InputState {
  items: InputItem[];
  /** Of the messages that said it. */
  bytes: number;
  characters: number;
  /** Of the next response alone, in place of the session's. */
  instructions: string | null;
  /** When each piece of speech began and ended on the audio clock, until it is an item. */
  speech: { itemId: string; fromMs: number | null; toMs: number | null }[];
  /** On the audio clock, where the buffer was last emptied. */
  bufferFromMs: number;
  /** Base64 of what is in the buffer, for those who keep audio; null: it is not all there. */
  kept: { fromMs: number; toMs: number; base64: string }[] | null;
  keptCharacters: number;
}

export interface InputItem {
  id: string | null;
  /** Told by the client, and not yet echoed by the server. */
  told: boolean;
  messages: Message[];
  audioMs: number | null;
  /** Base64 of its audio as it was sent, and how that is written. */
  media: string[];
  format: AudioFormat;
}

export const newInput = (): InputState => ({
  items: [],
  bytes: 0,
  characters: 0,
  instructions: null,
  speech: [],
  bufferFromMs: 0,
  kept: [],
  keptCharacters: 0,
});

/**
 * An item of the conversation that is not the model's own. `told`: by the client. False for the server's echo of one, which says nothing
 * new.
 */
export function addItem(input: InputState, item: JsonObject, format: AudioFormat, told: boolean): boolean {
  const id = asText(item.id);
  if (!told) {
    const known = input.items.find((one) => one.id !== null && one.id === id) ?? input.items.find((one) => one.told);
    if (known) {
      known.id = id;
      known.told = false;
      return false;
    }
  }
  pushItem(input, item, format, told);
  return true;
}

/** Also items that are given to one response alone, and never echoed. */
export function pushItem(input: InputState, item: JsonObject, format: AudioFormat, told: boolean): void {
  if (input.items.length >= ITEMS_MAX) return;
  const id = asText(item.id);
  const messages = readItem(item, format);
  const { characters } = input;
  input.characters += JSON.stringify(messages).length;
  const fits = input.characters <= CHARACTERS_MAX;
  if (!fits) input.characters = characters;
  const speech = input.speech.find(({ itemId }) => itemId === id);
  const audioMs = speech ? lengthOf(speech) : sentAudioMs(messages, format);
  const media = speech ? takeKept(input, speech.fromMs ?? 0, speech.toMs ?? 0) : [];
  input.items.push({ id, told, messages: fits ? messages : [], audioMs, media, format });
}

/** What a response is made of: everything since the one before it began. */
export function takeInput(input: InputState): Pick<InputState, "items" | "bytes" | "instructions"> {
  const { items, bytes, instructions } = input;
  input.instructions = null;
  input.items = [];
  input.bytes = 0;
  input.characters = 0;
  input.speech = input.speech.slice(-SPEECH_KEPT);
  return { items, bytes, instructions };
}

const ITEMS_MAX = 200;
const CHARACTERS_MAX = 256 * 1024;
const SPEECH_KEPT = 8;
const SPEECH_MAX = 64;

/** Speech that the provider noticed: its end may come with another event than its beginning. */
export function noteSpeech(input: InputState, itemId: string | null, fromMs: number | null, toMs: number | null): void {
  if (itemId === null) return;
  const known = input.speech.find((one) => one.itemId === itemId);
  if (known) {
    known.fromMs ??= fromMs;
    known.toMs ??= toMs;
  } else input.speech.push({ itemId, fromMs, toMs });
  if (input.speech.length > SPEECH_MAX) input.speech.shift();
}

/** How long an item's audio is; null: nobody said. */
export function speechMs(input: InputState, itemId: string): number | null {
  const speech = input.speech.find((one) => one.itemId === itemId);
  return speech ? lengthOf(speech) : null;
}

const lengthOf = ({ fromMs, toMs }: InputState["speech"][number]): number | null =>
  fromMs === null || toMs === null || toMs < fromMs ? null : toMs - fromMs;

/** Audio as sent, as long as all of it is there and it is not too much: then nothing of it is kept. */
export function keepAudio(input: InputState, base64: string, fromMs: number, toMs: number): void {
  if (isElided(base64)) input.kept = null;
  if (input.kept === null) return;
  input.kept.push({ fromMs, toMs, base64 });
  input.keptCharacters += base64.length;
  while (input.keptCharacters > KEPT_CHARACTERS_MAX && input.kept.length > 0)
    input.keptCharacters -= input.kept.shift()?.base64.length ?? 0;
}

/** Four megabytes of samples: a minute and a half. What is older than that is let go, as silence between turns mostly is. */
const KEPT_CHARACTERS_MAX = (4 * 1024 * 1024 * 4) / 3;

function takeKept(input: InputState, fromMs: number, toMs: number): string[] {
  if (input.kept === null) return [];
  const within = input.kept.filter((one) => one.toMs > fromMs && one.fromMs < toMs);
  input.kept = input.kept.filter((one) => one.toMs > toMs);
  input.keptCharacters = input.kept.reduce((sum, one) => sum + one.base64.length, 0);
  // Its beginning is gone: half a sentence would pass for the whole.
  return within[0] !== undefined && within[0].fromMs <= fromMs ? within.map(({ base64 }) => base64) : [];
}

/** Of what was said its length stays. */
export function letGoOfInput(
  input: Pick<InputState, "items" | "characters" | "instructions" | "kept" | "keptCharacters">,
): void {
  input.items = input.items.map((one) => ({ ...one, messages: [], media: [] }));
  input.characters = 0;
  input.instructions = null;
  input.kept = input.kept && [];
  input.keptCharacters = 0;
}

/** The words of what somebody said often come after the answer to it has begun. */
export function addTranscript(items: readonly InputItem[], itemId: string, transcript: string): void {
  const parts = items.find(({ id }) => id === itemId)?.messages.flatMap((message) => message.parts) ?? [];
  const audio = parts.find((part) => part.type === "audio");
  if (audio?.type === "audio") audio.transcript = transcript.slice(0, TRANSCRIPT_MAX);
}

const TRANSCRIPT_MAX = 16 * 1024;

/** Realtime has names of its own for what other interfaces hold too. */
export function readItem(item: JsonObject, format: AudioFormat): Message[] {
  const bytes: (number | null)[] = [];
  const content = objectsIn(item.content).map((part) => {
    const type = asText(part.type);
    if (type === "input_audio" || type === "audio" || type === "output_audio") {
      const base64 = asText(part.audio);
      bytes.push(base64 === null ? null : audioBytes(base64));
      return { type: "output_audio", transcript: part.transcript };
    }
    return part;
  });
  const messages = readInputItem(asArray(item.content).length > 0 ? { ...item, content } : item);
  for (const part of messages.flatMap((message) => message.parts)) {
    if (part.type === "audio") describe(part, format.mediaType, bytes.shift() ?? null);
    if (part.type === "image") part.bytes = elidedImageBytes(item) ?? part.bytes;
  }
  return messages;
}

function describe(part: Part & { type: "image" | "audio" | "file" }, mediaType: string, bytes: number | null): void {
  part.mediaType = mediaType;
  part.bytes = bytes;
}

function elidedImageBytes(item: JsonObject): number | null {
  const part = objectsIn(item.content).find(({ type }) => type === "input_image");
  const url = asText(part?.image_url) ?? asText(asObject(part?.image_url)?.url) ?? "";
  const elided = /elided:\d+=*$/.exec(url);
  return elided === null ? null : audioBytes(elided[0]);
}

function sentAudioMs(messages: readonly Message[], { bytesPerMs }: AudioFormat): number | null {
  const parts = messages.flatMap((message) => message.parts);
  const sizes = parts.flatMap((part) => (part.type === "audio" && part.bytes !== null ? [part.bytes] : []));
  return sizes.length === 0 ? null : sizes.reduce((sum, bytes) => sum + bytes, 0) / bytesPerMs;
}
