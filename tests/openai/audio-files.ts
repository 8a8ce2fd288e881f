/** Audio files as small as they can be, made by their formats' rules; what sounds in them is silence. */

/** 24 kHz, 16 bit, one channel. `size`: what the header says of the data, if not the truth. */
export function wavFile(ms: number, size: number | null = null): Buffer {
  const data = Buffer.alloc(ms * 48);
  const head = Buffer.alloc(44);
  head.write("RIFF....WAVEfmt ", "latin1");
  head.writeUInt32LE(size === null ? 36 + data.length : 0xffffffff, 4);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(24_000, 24);
  head.writeUInt32LE(48_000, 28);
  head.writeUInt16LE(2, 32);
  head.writeUInt16LE(16, 34);
  head.write("data", 36, "latin1");
  head.writeUInt32LE(size ?? data.length, 40);
  return Buffer.concat([head, data]);
}

/** MPEG-1 layer III, 48 kHz, 128 kbit/s: a frame has 384 bytes and lasts 24 ms. */
export function mp3File(frames: number): Buffer {
  return Buffer.concat(Array.from({ length: frames }, () => mp3Frame()));
}

export function mp3Frame(): Buffer {
  const frame = Buffer.alloc(384);
  frame.writeUInt32BE(0xfffb94c4);
  return frame;
}

/** A first frame in which LAME says how many follow, and how many samples are not to be played. */
export function lameFrame(frames: number, delay: number, padding: number): Buffer {
  const frame = mp3Frame();
  frame.write("Xing", 36, "latin1");
  frame.writeUInt32BE(1, 40);
  frame.writeUInt32BE(frames, 44);
  frame.write("LAME3.100", 48, "latin1");
  frame.writeUIntBE((delay << 12) | padding, 69, 3);
  return frame;
}

/** AAC, 24 kHz: a frame of 1,024 samples. */
export function adtsFile(frames: number): Buffer {
  const frame = Buffer.alloc(100);
  frame.set([0xff, 0xf1, 0x58, 0x40]);
  frame.writeUIntBE(100 << 5, 3, 3);
  return Buffer.concat(Array.from({ length: frames }, () => frame));
}

/** Opus; `samples` at 48 kHz as the last page says, of which `skipped` are not played. */
export function oggFile(samples: number, skipped: number): Buffer {
  const head = Buffer.alloc(19);
  head.write("OpusHead", "latin1");
  head.writeUInt16LE(skipped, 10);
  return Buffer.concat([
    oggPage(0n, head),
    oggPage(960n, Buffer.alloc(50)),
    oggPage(BigInt(samples), Buffer.alloc(50)),
  ]);
}

export function oggPage(granule: bigint, packet: Buffer): Buffer {
  const page = Buffer.alloc(28);
  page.write("OggS", "latin1");
  page.writeBigUInt64LE(granule, 6);
  page[26] = 1;
  page[27] = packet.length;
  return Buffer.concat([page, packet]);
}

/** The first example of RFC 9639 (appendix D.1): one sample at 44.1 kHz. */
export const FLAC_EXAMPLE = Buffer.from(
  "664c614380000022100010000000" +
    "0f00000f0ac442f0000000013e84b41807dc69030758" +
    "6a3dad1a2e0ffff869180000bf0358fd03128baa9a",
  "hex",
);

/** The same, by an encoder that did not know how many samples there would be. */
export function pipedFlac(): Buffer {
  const file = Buffer.from(FLAC_EXAMPLE);
  file.writeUInt32BE(0, 22);
  return file;
}

export function mp4File(seconds: number, { movieLast = false } = {}): Buffer {
  const movie = box("moov", movieHeader(1000, seconds * 1000));
  const data = box("mdat", Buffer.alloc(2000));
  return Buffer.concat([box("ftyp", Buffer.from("M4A ....")), ...(movieLast ? [data, movie] : [movie, data])]);
}

/** As a browser records: nothing in the header, and 50 samples of 20 ms in each fragment. */
export function fragmentedMp4(fragments: number): Buffer {
  const track = Buffer.alloc(20);
  track.writeUInt32BE(1, 12);
  const media = Buffer.alloc(20);
  media.writeUInt32BE(48_000, 12);
  const movie = box("moov", movieHeader(1000, 0), box("trak", box("tkhd", track), box("mdia", box("mdhd", media))));
  return Buffer.concat([
    box("ftyp", Buffer.from("iso5....")),
    movie,
    ...Array.from({ length: fragments }, (_, index) =>
      Buffer.concat([
        box(
          "moof",
          box("traf", box("tfhd", words(8, 1, 960)), box("tfdt", words(0, index * 48_000)), box("trun", words(0, 50))),
        ),
        box("mdat", Buffer.alloc(100)),
      ]),
    ),
  ]);
}

function movieHeader(scale: number, units: number): Buffer {
  return box("mvhd", words(0, 0, 0, scale, units));
}

export function box(kind: string, ...contents: Buffer[]): Buffer {
  const content = Buffer.concat(contents);
  return Buffer.concat([words(content.length + 8), Buffer.from(kind, "latin1"), content]);
}

function words(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value, index * 4);
  return bytes;
}

/** `blocks` of 20 ms in clusters of a second. Without a duration the sizes of the outer elements are unknown too, as browsers record. */
export function webmFile(blocks: number, durationMs: number | null = null): Buffer {
  const info = durationMs === null ? [] : [element("1549a966", element("4489", float(durationMs)))];
  const clusters: Buffer[] = [];
  for (let from = 0; from < blocks; from += 50) {
    const time = Buffer.alloc(4);
    time.writeUInt32BE(from * 20);
    clusters.push(Buffer.from("1f43b675", "hex"), Buffer.from([0xff]), element("e7", time));
    for (let i = 0; i < Math.min(50, blocks - from); i++) {
      const block = Buffer.alloc(20);
      block[0] = 0x81;
      block.writeInt16BE(i * 20, 1);
      clusters.push(element("a3", block));
    }
  }
  const segment = Buffer.concat([Buffer.from("18538067ff", "hex"), ...info, ...clusters]);
  return Buffer.concat([element("1a45dfa3", Buffer.alloc(8)), segment]);
}

function element(id: string, content: Buffer): Buffer {
  return Buffer.concat([
    Buffer.from(id, "hex"),
    Buffer.from([0x40 | (content.length >> 8), content.length & 0xff]),
    content,
  ]);
}

function float(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return bytes;
}
