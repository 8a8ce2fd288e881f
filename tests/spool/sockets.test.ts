import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import type { ExchangeEnd } from "#lib/exchange.ts";
import { createAssembler, type OpenExchange } from "#lib/spool/assembler.ts";
import { openOpenExchange, sealOpenExchange } from "#lib/spool/carry.ts";
import { FRAME, type Frame, MESSAGE } from "#lib/spool/frames.ts";
import { messageOf, type SocketReader } from "#lib/spool/socket-reader.ts";
import { chatExchange, endOf } from "#tests/support/exchange.ts";
import { seeded } from "#tests/support/split.ts";

const { id, start } = chatExchange();

const frame = (type: number, seq: number, payload: Buffer | string = "", at = 0, offset = 0): Frame => ({
  ...{ type, seq, at, offset },
  payload: Buffer.from(payload as string),
});
const started = (seq: number, kind = "websocket") =>
  frame(FRAME.start, seq, JSON.stringify({ ...start, kind, id: `${id}-${seq}` }));
const answered = (seq: number, status = 101) => frame(FRAME.head, seq, JSON.stringify({ status, headers: [] }), 5);
const said = (seq: number, text: string, at = 10) =>
  frame(FRAME.serverMessage, seq, Buffer.concat([Buffer.from([MESSAGE.text]), Buffer.from(text)]), at, text.length);
const ended = (seq: number, over: Partial<ExchangeEnd> = {}) => frame(FRAME.end, seq, JSON.stringify(endOf(over)), 99);

/** Says what it was told: every other message completes something. */
const reader: SocketReader<string> = {
  open: () => ({ heard: [] }),
  take(_, state, { text }, replayed) {
    const { heard } = state as { heard: (string | null)[] };
    heard.push(text);
    return heard.length % 2 === 0 ? `${replayed ? "again " : ""}${heard.join("+")}` : null;
  },
  letGo(_, state) {
    (state as { heard: (string | null)[] }).heard = ["let go"];
  },
  close: (_, state, end, atMs) =>
    `${(state as { heard: string[] }).heard.length} until ${atMs}, ${end ? "over" : "lost"}`,
};

/** Each call of it is one batch, 100 bytes behind the last one. */
function reading(options: Parameters<typeof createAssembler<string>>[1] = {}) {
  const assembler = createAssembler("spool", { sockets: reader, ...options });
  let at = 0;
  return {
    assembler,
    read(frames: Frame[], replayed = false, run = "run") {
      const batch = { run, frames, from: { segment: 1, offset: at }, to: { segment: 1, offset: at + 100 } };
      at += 100;
      return assembler.add(batch, replayed);
    },
  };
}
const outputs = ({ sockets }: { sockets: { output: string | null; ended: boolean }[] }) =>
  sockets.map(({ output, ended: over }) => [output, over]);

test("the messages of an opened socket go to its reader, and what comes of them comes out in order with whose it is", () => {
  const { read, assembler } = reading();
  const first = read([started(1), started(2), answered(1), answered(2), said(1, "a"), said(2, "x"), said(1, "b")]);
  expect(outputs(first)).toEqual([
    [null, false],
    [null, false],
    ["a+b", false],
  ]);
  expect(first.messages).toEqual({ count: 3, bytes: 6 });
  expect(first.sockets.at(-1)?.source).toMatchObject({
    ...{ id: `${id}-1`, origin: { spool: "spool", run: "run", seq: 1 } },
    start: { kind: "websocket", startedAtMs: start.startedAtMs },
  });
  const last = read([said(2, "y"), ended(1, { endAtMs: 402 })]);
  expect(outputs(last)).toEqual([
    ["x+y", false],
    ["2 until 402, over", true],
  ]);
  expect(last.exchanges).toEqual([]);
  expect(assembler.open().map(({ seq }) => seq)).toEqual([2]);
});

test("a socket that was refused, an answered request and a socket that nobody reads stay exchanges, and their messages are left out", () => {
  const { read } = reading();
  const done = read([
    ...[started(1), answered(1, 401), said(1, "a"), said(1, "b"), ended(1)],
    ...[started(2, "http"), answered(2, 101), said(2, "a"), said(2, "b"), ended(2)],
    ...[started(3), said(3, "before its head"), ended(3)],
  ]);
  expect(done.sockets).toEqual([]);
  expect(done.exchanges.map(({ origin, response }) => [origin.seq, response?.status])).toEqual([
    [1, 401],
    [2, 101],
    [3, undefined],
  ]);
  const nobody = createAssembler<string>("spool", { sockets: { ...reader, open: () => null } });
  const frames = [started(1), answered(1), said(1, "a"), ended(1)];
  const place = { segment: 1, offset: 0 };
  expect(nobody.add({ run: "run", frames, from: place, to: place }).exchanges).toHaveLength(1);
});

test("a worker that died leaves its sockets lost at the time they were last heard of", () => {
  const { read, assembler } = reading();
  read([started(1), answered(1), started(2), answered(2), said(2, "a", 70)]);
  const done = read([started(1)], false, "next run");
  expect(outputs(done)).toEqual([
    ["0 until 5, lost", true],
    ["1 until 70, lost", true],
  ]);
  read([answered(1), said(1, "a", 30)], false, "next run");
  expect(outputs(assembler.endRun())).toEqual([["1 until 30, lost", true]]);
});

test("an end that cannot be read is an end that was not seen", () => {
  const { read } = reading();
  read([started(1), answered(1), said(1, "a", 30)]);
  expect(outputs(read([frame(FRAME.end, 1, "{torn")]))).toEqual([["1 until 30, lost", true]]);
});

test("what lies before the stored position is read again for what it tells the reader, and gives nothing out", () => {
  const { read, assembler } = reading();
  assembler.restore([], "run", { accepted: 1, started: 1, dropped: {}, atRisk: 0 });
  expect(outputs(read([started(1), answered(1), said(1, "a"), said(1, "b")], true))).toEqual([]);
  expect(outputs(read([said(1, "c"), said(1, "d")]))).toEqual([["a+b+c+d", false]]);
  expect(assembler.current().totals.started).toBe(1);
});

test("a socket is carried as it stands, and read on from there whatever lies before it", () => {
  const key = randomBytes(32);
  const first = reading();
  first.read([started(1), answered(1), said(1, "a"), said(1, "b"), said(1, "c", 33)]);
  const [long] = first.assembler.open() as [OpenExchange];
  const sealed = sealOpenExchange(key, { ...long, from: { segment: 1, offset: 100 }, carried: true });
  const second = reading();
  second.assembler.restore([openOpenExchange(key, sealed)], "run", { accepted: 1, started: 1, dropped: {}, atRisk: 0 });
  expect(outputs(second.read([started(1), answered(1), said(1, "a"), said(1, "b"), said(1, "c")], true))).toEqual([]);
  expect(second.assembler.open()[0]?.socket).toEqual({ state: { heard: ["a", "b", "c"] }, atMs: 33 });
  expect(outputs(second.read([said(1, "d"), ended(1, { endAtMs: 50 })]))).toEqual([
    ["a+b+c+d", false],
    ["4 until 50, over", true],
  ]);
});

test("messages come as they were: text of its own, binary without, cut ones as a beginning", () => {
  const message = (kind: number, payload: Buffer) =>
    messageOf(frame(FRAME.clientMessage, 1, Buffer.concat([Buffer.from([kind]), payload]), 12.5, 7));
  const batch = Buffer.from("\u0001grün");
  const kept = messageOf({ type: FRAME.serverMessage, seq: 1, at: 1, offset: 5, payload: batch });
  batch.fill(0);
  expect(kept).toEqual({ from: "server", atMs: 1, bytes: 5, text: "grün" });
  expect(message(MESSAGE.binary, Buffer.alloc(0))).toEqual({ from: "client", atMs: 12.5, bytes: 7, text: null });
  expect(message(MESSAGE.cut, Buffer.from('{"type":"res')).text).toBe('{"type":"res');
  expect(messageOf(frame(FRAME.clientMessage, 1)).text).toBeNull();
});

test("wherever a stretch of messages is broken into batches, the same comes of it", () => {
  const random = seeded(7);
  const frames = [started(1), answered(1), started(2), answered(2)];
  for (let i = 0; i < 60; i++) frames.push(said(1 + Math.floor(random() * 2), `m${i}`));
  frames.push(ended(2), said(1, "last"), ended(1));
  const whole = outputs(reading().read(frames));
  for (let round = 0; round < 20; round++) {
    const { read } = reading();
    const parts: ReturnType<typeof outputs> = [];
    for (let i = 0; i < frames.length; ) {
      const next = i + 1 + Math.floor(random() * 9);
      parts.push(...outputs(read(frames.slice(i, next))));
      i = next;
    }
    expect(parts).toEqual(whole);
  }
});

test("what sessions know is bounded in all: the largest gives up its words, the others and its own reading go on", () => {
  const letGoOf: number[] = [];
  const letGo: SocketReader<string>["letGo"] = (source, state) => {
    letGoOf.push(source.origin.seq);
    reader.letGo(source, state);
  };
  const { read, assembler } = reading({ openBytesMax: 600_000, sockets: { ...reader, letGo } });
  const text = "x".repeat(50_000);
  read([started(1), answered(1), started(2), answered(2)]);
  // 400 kB and 150 kB: still below the limit.
  for (let i = 0; i < 8; i++) read([said(1, text)]);
  for (let i = 0; i < 3; i++) read([said(2, text)]);
  expect(letGoOf).toEqual([]);
  read([said(2, text), said(2, text)]);
  expect(letGoOf).toEqual([1]);
  const [one, two] = assembler.open().map((open) => (open.socket as { state: { heard: string[] } }).state.heard);
  expect(one).toEqual(["let go"]);
  expect(two).toHaveLength(5);
  expect(outputs(read([said(1, "next")]))).toEqual([["let go+next", false]]);
});

test("sessions with nothing left to give up make no body give up more, and what ended counts no more", () => {
  let asked = 0;
  const { read } = reading({ openBytesMax: 400_000, sockets: { ...reader, letGo: () => void asked++ } });
  const text = "x".repeat(100_000);
  read([started(1), answered(1)]);
  for (let i = 0; i < 10; i++) read([said(1, text)]);
  // Not at every message: only when there may be more to be had than the last time.
  expect(asked).toBeGreaterThan(0);
  expect(asked).toBeLessThan(5);
  read([ended(1), started(2, "http"), answered(2, 200), frame(FRAME.responseChunk, 2, "y".repeat(300_000), 1, 0)]);
  const done = read([ended(2)]);
  expect(done.exchanges[0]?.response).toMatchObject({ bytes: 300_000, cut: false });
});

test("what a carried session knows counts from the moment when it is taken up again", () => {
  const key = randomBytes(32);
  const first = reading();
  first.read([started(1), answered(1), said(1, "x".repeat(300_000))]);
  const [long] = first.assembler.open() as [OpenExchange];
  const sealed = sealOpenExchange(key, { ...long, from: { segment: 1, offset: 100 }, carried: true });
  const { assembler } = reading({ openBytesMax: 200_000 });
  const totals = { accepted: 1, started: 1, dropped: {}, atRisk: 0 };
  assembler.restore([openOpenExchange(key, sealed)], "run", totals);
  expect(assembler.open()[0]?.socket?.state).toEqual({ heard: ["let go"] });
});
