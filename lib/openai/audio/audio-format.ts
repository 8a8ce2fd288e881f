import type { KeptFile } from "../bodies/kept-file.ts";

/** Formats of audio that OpenAI takes or gives, and as what a browser plays them. `pcm` is raw: it needs a header first. */
export const AUDIO_TYPES = {
  wav: "audio/wav",
  ogg: "audio/ogg",
  flac: "audio/flac",
  mp4: "audio/mp4",
  webm: "audio/webm",
  aac: "audio/aac",
  mpeg: "audio/mpeg",
  pcm: "audio/wav",
} as const;

/** By the first bytes: names and stated types are often wrong or missing. Raw audio and MPEG's have no mark, so it is believed what is stated. */
export function audioFormat({ head, mediaType }: KeptFile): keyof typeof AUDIO_TYPES {
  const opening = head.toString("latin1", 0, 12);
  if (/^(RIFF|RF64)....WAVE/s.test(opening)) return "wav";
  if (opening.startsWith("OggS")) return "ogg";
  if (opening.startsWith("fLaC")) return "flac";
  if (/^....(ftyp|styp|moov|moof|mdat|wide|free|skip)/s.test(opening)) return "mp4";
  if (opening.startsWith("\x1a\x45\xdf\xa3")) return "webm";
  if (mediaType === "audio/pcm" || mediaType === "audio/pcm16" || mediaType === "audio/l16") return "pcm";
  return head[0] === 0xff && ((head[1] ?? 0) & 0xf6) === 0xf0 ? "aac" : "mpeg";
}
