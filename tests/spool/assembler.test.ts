import { expect, test } from "vitest";
import { createAssembler, type OpenExchange } from "#lib/spool/assembler.ts";
import { FRAME, type Frame } from "#lib/spool/frames.ts";
import { chatExchange, endOf } from "#tests/support/exchange.ts";

const KB = 1024;
const { id, start } = chatExchange();

const frame = (type: number, seq: number, payload: Buffer | string = "", offset = 0): Frame => ({
  type,
  seq,
  at: 0,
  offset,
  payload: Buffer.from(payload as string),
});
const started = (seq: number) => frame(FRAME.start, seq, JSON.stringify({ ...start, id }));
const ended = (seq: number, kilobytes = 0) =>
  frame(FRAME.end, seq, JSON.stringify(endOf({ responseBytes: kilobytes * KB })));
const answer = (seq: number, kilobytes: number, offset = 0) =>
  frame(FRAME.responseChunk, seq, Buffer.alloc(kilobytes * KB, seq), offset * KB);
const head = (seq: number) => frame(FRAME.head, seq, JSON.stringify({ status: 200, headers: [] }));

/** Each call of it is one batch, 100 bytes behind the last one. */
function reading(options = {}, from = 0) {
  const assembler = createAssembler("spool", options);
  let at = from;
  return {
    assembler,
    read(frames: Frame[], replayed = false) {
      const batch = { run: "run", frames, from: { segment: 1, offset: at }, to: { segment: 1, offset: at + 100 } };
      at += 100;
      return assembler.add(batch, replayed).exchanges;
    },
  };
}

test("when calls in flight hold too much, the largest body keeps its beginning only, and the others stay whole", () => {
  const { assembler, read } = reading({ openBytesMax: 1000 * KB });
  read([started(1), head(1), started(2), head(2)]);
  for (let k = 0; k < 900; k += 50) read([answer(1, 50, k)]);
  read([answer(2, 150)]);
  expect(assembler.cutBodies()).toBe(1);
  const [small] = read([ended(2)]);
  expect(small?.response).toMatchObject({ cut: false, bytes: 150 * KB });
  // What follows is kept again: a stream states its usage at its end.
  const [large] = read([answer(1, 1, 900), ended(1)]);
  expect(large?.response).toMatchObject({ cut: true, bytes: 901 * KB });
  expect(large?.response?.chunks.map(({ offset, bytes }) => [offset / KB, bytes.length / KB])).toEqual([
    [0, 50],
    [900, 1],
  ]);
});

test("where all bodies are small, what is beyond is not kept, and calls are whole again once some have ended", () => {
  const { assembler, read } = reading({ openBytesMax: 500 * KB });
  const some = Array.from({ length: 10 }, (_, i) => i + 1);
  read(some.flatMap((seq) => [started(seq), head(seq), answer(seq, 60)]));
  expect(assembler.cutBodies()).toBe(0);
  const exchanges = read(some.map((seq) => ended(seq, 60)));
  expect(exchanges.map(({ response }) => response?.cut)).toEqual([...Array(8).fill(false), true, true]);
  read([started(11), head(11), answer(11, 400)]);
  expect(read([ended(11)])[0]?.response?.cut).toBe(false);
});

test("a stream of single bytes counts for what it holds", () => {
  const { assembler, read } = reading({ openBytesMax: 1000 * KB });
  read([started(1), head(1)]);
  for (let i = 0; i < 10_000; i++) read([frame(FRAME.responseChunk, 1, "x", i)]);
  expect(assembler.cutBodies()).toBeGreaterThan(0);
  const [exchange] = read([ended(1)]);
  expect(exchange?.response?.chunks.length).toBeLessThan((1000 * KB) / 200);
});

test("chunks of long streams hold no memory that was shared with calls long gone", () => {
  const { assembler, read } = reading();
  for (let seq = 1; seq <= 20; seq++) read([started(seq), head(seq)]);
  // Chunks of all streams come in turns, as they do under load.
  for (let i = 0; i < 200; i++)
    for (let seq = 1; seq <= 20; seq++) read([frame(FRAME.responseChunk, seq, Buffer.alloc(100), i * 100)]);
  for (let seq = 2; seq <= 20; seq++) read([ended(seq)]);
  const [left] = assembler.open() as [OpenExchange];
  const buffers = new Set(left.response.chunks.map(({ bytes }) => bytes.buffer));
  const held = [...buffers].reduce((sum, buffer) => sum + buffer.byteLength, 0);
  expect(left.response.keptBytes).toBe(20_000);
  // Its own blocks, at most half of them empty, and one slab of Node's pool.
  expect(held).toBeLessThan(2 * 20_000 + Buffer.poolSize);
});

test("a call that was carried is read on from its place, whatever lies before it", () => {
  const first = reading();
  first.read([started(1), head(1), answer(1, 1)]);
  first.read([started(2), head(2), answer(2, 1)]);
  const [long] = first.assembler.open() as [OpenExchange];
  const carried = structuredClone({ ...long, from: { segment: 1, offset: 200 }, carried: true });
  for (const body of [carried.request, carried.response])
    body.chunks = body.chunks.map((chunk) => ({ ...chunk, bytes: Buffer.from(chunk.bytes) }));

  // Another recorder begins where the oldest call lies that was not carried; the stored position is behind both.
  const second = reading({}, 0);
  second.assembler.restore([carried], "run", { accepted: 2, started: 2, dropped: {}, atRisk: 0 });
  second.read([started(1), head(1), answer(1, 1)], true);
  second.read([started(2), head(2), answer(2, 1)], true);
  const done = second.read([answer(1, 1, 1), ended(1), answer(2, 1, 1), ended(2)]);
  expect(
    done.map(({ origin, response }) => [origin.seq, response?.bytes, response?.cut, response?.chunks.length]),
  ).toEqual([
    [1, 2 * KB, false, 2],
    [2, 2 * KB, false, 2],
  ]);
});
