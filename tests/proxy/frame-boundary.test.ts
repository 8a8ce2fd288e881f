import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { closeFrame, createFrameBoundary } from "#lib/proxy/frame-boundary.ts";
import { pipeFrames } from "#lib/proxy/frame-pipe.ts";

const frame = (opcode: number, length: number, masked: boolean) => {
  const extended = Buffer.alloc(length > 65_535 ? 8 : length > 125 ? 2 : 0);
  if (extended.length === 2) extended.writeUInt16BE(length);
  if (extended.length === 8) extended.writeBigUInt64BE(BigInt(length));
  const short = { 0: length, 2: 126, 8: 127 }[extended.length] as number;
  const mask = masked ? Buffer.from([1, 2, 3, 4]) : Buffer.alloc(0);
  return Buffer.concat([Buffer.from([opcode, short | (masked ? 128 : 0)]), extended, mask, Buffer.alloc(length, 9)]);
};
const lengths = [0, 1, 125, 126, 300, 65_535, 65_536];
const frames = [true, false].flatMap((masked) => lengths.map((length) => frame(0x82, length, masked)));

test("the ends of frames are where they are, however the bytes are cut", () => {
  const all = Buffer.concat(frames);
  const ends = frames.map((_, i) => frames.slice(0, i + 1).reduce((sum, { length }) => sum + length, 0));
  for (const size of [1, 2, 3, 7, 1000, all.length]) {
    const boundary = createFrameBoundary();
    const found = [];
    for (let from = 0; from < all.length; from += size) {
      const chunk = all.subarray(from, from + size);
      for (let at = 0; at < chunk.length; ) {
        at = boundary.advance(chunk, at);
        if (boundary.between) found.push(from + at);
      }
    }
    expect(found).toEqual(ends);
    expect(boundary.closed).toBe(false);
  }
});

test("a Close frame is known when it is whole, and not before", () => {
  const boundary = createFrameBoundary();
  const close = closeFrame(1001, "bye", null);
  expect([...close]).toEqual([0x88, 5, 3, 0xe9, ...Buffer.from("bye")]);
  boundary.advance(close.subarray(0, 6), 0);
  expect(boundary.closed).toBe(false);
  boundary.advance(close.subarray(6), 0);
  expect(boundary.closed).toBe(true);
});

test("a client's Close is masked", () => {
  const close = closeFrame(1000, "", Buffer.from([1, 2, 3, 4]));
  expect([...close]).toEqual([0x88, 0x82, 1, 2, 3, 4, 3 ^ 1, 0xe8 ^ 2]);
});

test("a goodbye within a frame, wherever it is cut, stands behind it; what follows is dropped until the other's Close", () => {
  const [under, next, close] = [frame(0x81, 300, true), frame(0x81, 10, true), closeFrame(1000, "", null)];
  const goodbye = closeFrame(1001, "bye", null);
  for (let cut = 1; cut < under.length; cut++) {
    const [from, to] = [new PassThrough(), new PassThrough()];
    let answered = 0;
    const heard = () => (to.read() as Buffer | null) ?? Buffer.alloc(0);
    const pipe = pipeFrames(from, to, under.subarray(0, cut), { bytes: 0 });
    pipe.sayClose(goodbye, () => answered++);
    expect(heard()).toEqual(under.subarray(0, cut));
    from.emit("data", Buffer.concat([under.subarray(cut), next]));
    expect(heard()).toEqual(Buffer.concat([under.subarray(cut), goodbye]));
    from.emit("data", Buffer.concat([next, close]));
    from.emit("data", next);
    expect(heard()).toHaveLength(0);
    expect(answered).toBe(1);
  }
});

test("between two frames a goodbye is said at once; to an end that has said its own, not at all", () => {
  const goodbye = closeFrame(1001, "", null);
  for (const first of [frame(0x81, 5, true), closeFrame(4000, "mine", null)]) {
    const to = new PassThrough();
    let answered = 0;
    pipeFrames(new PassThrough(), to, first, { bytes: 0 }).sayClose(goodbye, () => answered++);
    const mine = first[0] === 0x88;
    expect(to.read()).toEqual(mine ? first : Buffer.concat([first, goodbye]));
    expect(answered).toBe(mine ? 1 : 0);
  }
});
