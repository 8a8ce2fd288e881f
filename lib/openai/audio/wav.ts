import type { AudioFormat } from "../sessions/realtime-audio.ts";

/** Raw samples of one channel as a file that plays: RIFF, 44 bytes of head. */
export function wav(samples: Buffer, { mediaType, bytesPerMs }: AudioFormat): Buffer {
  const sampleBytes = mediaType === "audio/pcm" ? 2 : 1;
  const head = Buffer.alloc(44);
  head.write("RIFF", 0, "latin1");
  head.writeUInt32LE(36 + samples.length, 4);
  head.write("WAVEfmt ", 8, "latin1");
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(CODES[mediaType], 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(Math.round((bytesPerMs * 1000) / sampleBytes), 24);
  head.writeUInt32LE(Math.round(bytesPerMs * 1000), 28);
  head.writeUInt16LE(sampleBytes, 32);
  head.writeUInt16LE(sampleBytes * 8, 34);
  head.write("data", 36, "latin1");
  head.writeUInt32LE(samples.length, 40);
  return Buffer.concat([head, samples]);
}

/** WAVE_FORMAT_PCM, _ALAW, _MULAW (RFC 2361). */
const CODES = { "audio/pcm": 1, "audio/pcma": 6, "audio/pcmu": 7 } as const;
