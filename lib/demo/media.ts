/** A page of 1240 × 1754 pixels as PNG, as far as its size: enough for whoever reads the head. */
export const PAGE_PNG = png(1240, 1754, 6000).toString("base64");

/** A second of silence, 8,000 samples of one byte: a question nobody can hear. */
export const QUESTION_WAV = wav(8000).toString("base64");

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

function wav(samples: number): Buffer {
  const sound = Buffer.alloc(44 + samples, 128);
  sound.write("RIFF", 0, "latin1");
  sound.writeUInt32LE(36 + samples, 4);
  sound.write("WAVEfmt ", 8, "latin1");
  sound.writeUInt32LE(16, 16);
  sound.writeUInt16LE(1, 20);
  sound.writeUInt16LE(1, 22);
  sound.writeUInt32LE(8000, 24);
  sound.writeUInt32LE(8000, 28);
  sound.writeUInt16LE(1, 32);
  sound.writeUInt16LE(8, 34);
  sound.write("data", 36, "latin1");
  sound.writeUInt32LE(samples, 40);
  return sound;
}
