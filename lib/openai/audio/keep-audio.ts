import type { Media } from "#lib/call.ts";
import type { KeptFile } from "../bodies/kept-file.ts";
import { isWhole } from "../bodies/kept-file.ts";
import type { Facts } from "../facts.ts";
import { AUDIO_TYPES, audioFormat } from "./audio-format.ts";
import { PCM_BYTES_PER_MS } from "./audio-length.ts";
import { wav } from "./wav.ts";

/** Puts audio among what is kept, if it is whole; where it stands there, for the part of the message that it belongs to. */
export function keepAudio(facts: Facts, direction: Media["direction"], file: KeptFile): { media?: number } {
  if (!isWhole(file) || file.head.length === 0) return {};
  const format = audioFormat(file);
  const index = facts.media.length;
  const bytes = format === "pcm" ? wav(file.head, RAW) : file.head;
  facts.media.push({ index, direction, mediaType: AUDIO_TYPES[format], bytes });
  return { media: index };
}

/** Raw audio of OpenAI's: 24 kHz, 16 bit, one channel. */
const RAW = { mediaType: "audio/pcm", bytesPerMs: PCM_BYTES_PER_MS } as const;
