/** A page of 1240 × 1754 pixels as PNG, as far as its size: enough for whoever reads the head. */
export const PAGE_PNG = png(1240, 1754, 6000).toString("base64");

const HEAD_BYTES = 44;
/** A second of silence: a question nobody can hear. */
export const QUESTION_WAV = silentWav(1000, 1).toString("base64");

/** 20 ms of silence at 24,000 samples of two bytes. */
export const SILENCE = Buffer.alloc(960).toString("base64");

function png(width: number, height: number, bytes: number): Buffer {
  const image = Buffer.alloc(bytes);
  image.write("\u0089PNG\r\n\u001a\n", "latin1");
  image.writeUInt32BE(13, 8);
  image.write("IHDR", 12, "latin1");
  image.writeUInt32BE(width, 16);
  image.writeUInt32BE(height, 20);
  return image;
}

/** So many milliseconds of silence as WAV: 8,000 samples a second of one or two bytes, one channel, as a telephone has it. */
export function silentWav(ms: number, sampleBytes: 1 | 2 = 2): Buffer {
  const bytes = Math.round(ms * 8) * sampleBytes;
  // Silence is in the middle of what a byte holds, and 0 in two.
  const sound = Buffer.alloc(HEAD_BYTES + bytes, sampleBytes === 1 ? 128 : 0);
  sound.write("RIFF", 0, "latin1");
  sound.writeUInt32LE(HEAD_BYTES - 8 + bytes, 4);
  sound.write("WAVEfmt ", 8, "latin1");
  sound.writeUInt32LE(16, 16);
  sound.writeUInt16LE(1, 20);
  sound.writeUInt16LE(1, 22);
  sound.writeUInt32LE(8000, 24);
  sound.writeUInt32LE(8000 * sampleBytes, 28);
  sound.writeUInt16LE(sampleBytes, 32);
  sound.writeUInt16LE(sampleBytes * 8, 34);
  sound.write("data", 36, "latin1");
  sound.writeUInt32LE(bytes, 40);
  return sound;
}
