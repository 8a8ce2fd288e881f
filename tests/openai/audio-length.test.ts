import { describe, expect, test } from "vitest";
import { audioLength } from "#lib/openai/audio/audio-length.ts";
import type { KeptFile } from "#lib/openai/bodies/kept-file.ts";
import { seeded } from "../support/split.ts";
import {
  adtsFile,
  FLAC_EXAMPLE,
  fragmentedMp4,
  lameFrame,
  mp3File,
  mp3Frame,
  mp4File,
  oggFile,
  oggPage,
  pipedFlac,
  wavFile,
  webmFile,
} from "./audio-files.ts";

const whole = (head: Buffer, mediaType: string | null = null): KeptFile => ({
  mediaType,
  bytes: head.length,
  head,
  tail: null,
});

/** Its beginning and its end, with a hole between them. */
const holed = (file: Buffer, from: number, to: number): KeptFile => ({
  mediaType: null,
  bytes: file.length,
  head: file.subarray(0, from),
  tail: file.subarray(to),
});

describe("the length of an audio file", () => {
  test.each<[string, Buffer, number]>([
    ["wav", wavFile(1500), 1500],
    // OpenAI's own speech is written into a pipe.
    ["wav of unknown size", wavFile(1500, 0xffffffff), 1500],
    ["wav of size 0", wavFile(1500, 0), 1500],
    ["wav with a list behind the sound", Buffer.concat([wavFile(1000), Buffer.from("LIST....")]), 1000],
    ["mp3", mp3File(125), 3000],
    [
      "mp3 behind a tag",
      Buffer.concat([Buffer.from("ID3\x04\0\0\0\0\x02\x00", "latin1"), Buffer.alloc(256, 0xff), mp3File(125)]),
      3000,
    ],
    // 125 × 1,152 samples, less 576 + 1,104, at 48 kHz.
    ["mp3 with LAME's note", Buffer.concat([lameFrame(125, 576, 1104), mp3File(125)]), 2965],
    ["mp3 with rubbish inside", Buffer.concat([mp3File(5), Buffer.alloc(999, 0xfe), mp3File(5)]), 240],
    ["aac", adtsFile(75), 3200],
    // (96,312 − 312) / 48,000.
    ["opus", oggFile(96_312, 312), 2000],
    [
      "opus with a page in which no packet ends",
      Buffer.concat([oggFile(96_312, 312), oggPage(2n ** 64n - 1n, Buffer.alloc(9))]),
      2000,
    ],
    ["flac", FLAC_EXAMPLE, 0],
    ["flac from a pipe", pipedFlac(), 0],
    ["m4a", mp4File(7), 7000],
    ["m4a with its header at the end", mp4File(7, { movieLast: true }), 7000],
    ["mp4 in fragments", fragmentedMp4(3), 3000],
    ["webm", webmFile(10, 4321), 4321],
    ["webm from a browser", webmFile(125), 2500],
  ])("%s", (_, file, ms) => {
    expect(audioLength(whole(file))).toEqual({ ms, exact: true });
  });

  test("of raw audio follows from its bytes alone", () => {
    expect(audioLength(whole(Buffer.alloc(48_000), "audio/pcm"))).toEqual({ ms: 1000, exact: true });
    const file = { mediaType: "audio/pcm", bytes: 480_000, head: Buffer.alloc(48), tail: null };
    expect(audioLength(file)).toEqual({ ms: 10_000, exact: true });
  });

  test("a flac frame whose checksum is wrong is none", () => {
    const file = pipedFlac();
    file[file.indexOf("fff8", "hex") + 6] = 0;
    expect(audioLength(whole(file))).toBeNull();
  });

  test("a header tells it though the middle was not kept", () => {
    expect(audioLength(holed(wavFile(5000), 100, 200_000))).toEqual({ ms: 5000, exact: true });
    expect(audioLength(holed(mp4File(7), 200, 2000))).toEqual({ ms: 7000, exact: true });
    expect(audioLength(holed(webmFile(100, 2000), 100, 2000))).toEqual({ ms: 2000, exact: true });
    const noted = Buffer.concat([lameFrame(1000, 0, 0), mp3File(1000)]);
    expect(audioLength(holed(noted, 4000, 300_000))).toEqual({ ms: 24_000, exact: true });
  });

  test("so does the end", () => {
    const file = oggFile(96_312, 312);
    expect(audioLength(holed(file, 60, file.length - 90))).toEqual({ ms: 2000, exact: true });
    const late = mp4File(7, { movieLast: true });
    expect(audioLength(holed(late, 100, late.length - 50))).toEqual({ ms: 7000, exact: true });
  });

  test("without either it is reckoned from what was kept, and says so", () => {
    expect(audioLength(holed(mp3File(1000), 38_400, 380_000))).toEqual({ ms: 24_000, exact: false });
    const adts = adtsFile(750);
    expect(audioLength({ ...whole(adts), head: adts.subarray(0, 7500) })).toEqual({ ms: 32_000, exact: false });
    expect(audioLength({ ...whole(mp3File(125)), bytes: null })).toEqual({ ms: 3000, exact: false });
  });

  test.each([
    ["nothing", Buffer.alloc(0)],
    ["text", Buffer.from("This is no audio at all. ".repeat(100))],
    [
      "a single frame's mark in text",
      Buffer.concat([Buffer.from("x".repeat(100)), mp3Frame().subarray(0, 20), Buffer.from("y".repeat(999))]),
    ],
    ["a wav without sound", wavFile(1000).subarray(0, 36)],
    [
      "a wav of no bytes a second",
      Buffer.concat([wavFile(0).subarray(0, 28), Buffer.alloc(4), wavFile(9).subarray(32)]),
    ],
    ["an m4a of three hundred hours", mp4File(300 * 3600)],
    ["an m4a without a header", mp4File(7).subarray(-2008)],
    ["ogg of something else", oggPage(0n, Buffer.from("theora!!!"))],
  ])("is not known of %s", (_, file) => {
    expect(audioLength(whole(file))).toBeNull();
  });

  test("any file cut at any byte gives a length or none, and nothing else", () => {
    for (const file of [
      wavFile(3),
      mp3File(3),
      adtsFile(3),
      oggFile(9000, 312),
      pipedFlac(),
      fragmentedMp4(2),
      webmFile(4),
    ]) {
      for (let end = 0; end <= file.length; end++) {
        const length = audioLength({ mediaType: null, bytes: file.length, head: file.subarray(0, end), tail: null });
        if (length !== null) expect(Number.isInteger(length.ms) && length.ms >= 0).toBe(true);
      }
    }
  });

  test("rubbish behind any format's mark gives a length or none, and nothing else", () => {
    const random = seeded(7);
    const files = [wavFile(9), mp3File(2), adtsFile(2), oggFile(9000, 312), pipedFlac(), fragmentedMp4(2), webmFile(4)];
    for (const file of files) {
      for (let round = 0; round < 300; round++) {
        const spoilt = Buffer.from(file);
        for (let i = 0; i < 20; i++)
          spoilt[12 + Math.floor(random() * (file.length - 12))] = Math.floor(random() * 256);
        const length = audioLength(whole(spoilt));
        if (length !== null) expect(length.ms).toBeLessThanOrEqual(360_000_000);
      }
    }
  });
});
