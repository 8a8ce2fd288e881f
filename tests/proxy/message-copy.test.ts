import { describe, expect, test } from "vitest";
import { createFrameBoundary } from "#lib/proxy/frame-boundary.ts";
import { createMessageCopy } from "#lib/proxy/message-copy.ts";
import { unmask } from "#lib/proxy/unmask.ts";
import { MESSAGE } from "#lib/spool/frames.ts";
import { seeded } from "#tests/support/split.ts";
import { fragmentedMessage, OPCODE, webSocketFrame } from "#tests/support/web-socket-frame.ts";

const MASK = Buffer.from([1, 128, 255, 77]);
const text = (words: string, options = {}) => webSocketFrame(OPCODE.text, Buffer.from(words), options);

/** What is told of these bytes, cut at these places; the connection ends behind them. */
function copy(bytes: Buffer, cuts: readonly number[] = []) {
  const messages: { kind: string; bytes: number; text: string }[] = [];
  const closes: number[] = [];
  const messageCopy = createMessageCopy({
    keepAudio: false,
    textBytesMax: 100,
    mask: (secret) => secret,
    onMessage: (wireBytes, kind, kept) =>
      messages.push({ kind: NAMES.get(kind) ?? "?", bytes: wireBytes, text: Buffer.from(kept).toString() }),
    onClose: (code) => closes.push(code),
  });
  const boundary = createFrameBoundary(messageCopy.onPayload);
  const edges = [0, ...cuts, bytes.length];
  for (let i = 1; i < edges.length; i++) {
    const piece = bytes.subarray(edges[i - 1], edges[i]);
    for (let at = 0; at < piece.length; ) at = boundary.advance(piece, at);
  }
  messageCopy.finish();
  expect(messageCopy.messages).toBe(messages.length);
  return { messages, closes };
}
const NAMES = new Map<number, string>(Object.entries(MESSAGE).map(([name, kind]) => [kind, name]));

describe("the messages of one direction", () => {
  test("are the same however frames and bytes are cut, masked or not", () => {
    const random = seeded(3);
    for (let round = 0; round < 200; round++) {
      const words = Array.from({ length: 4 }, () => "æ€".repeat(Math.floor(random() * 19)));
      const mask = random() < 0.5 ? MASK : null;
      const bytes = Buffer.concat(words.map((one) => fragmentedMessage(Buffer.from(one), random, mask)));
      const cuts = Array.from({ length: 5 }, () => Math.floor(random() * bytes.length)).sort((a, b) => a - b);
      expect(copy(bytes, round % 10 ? cuts : [...bytes.keys()]).messages).toEqual(
        words.map((one) => ({ kind: "text", bytes: Buffer.byteLength(one), text: one })),
      );
    }
  });

  test("beyond the limit are their beginning, with their whole length", () => {
    expect(copy(text("x".repeat(70_000))).messages).toEqual([{ kind: "cut", bytes: 70_000, text: "x".repeat(100) }]);
  });

  test("that are binary, or changed by an extension, are counted", () => {
    const compressed = text("deflated");
    compressed[0] = (compressed[0] as number) | 0x40;
    expect(copy(Buffer.concat([webSocketFrame(OPCODE.binary, Buffer.from([1, 2])), compressed])).messages).toEqual([
      { kind: "binary", bytes: 2, text: "" },
      { kind: "binary", bytes: 8, text: "" },
    ]);
  });

  test("that break the protocol harm nothing: unfinished, never begun, of unknown kinds, without end", () => {
    const parts = [
      text("unfinished", { final: false }),
      text("next"),
      webSocketFrame(OPCODE.continuation, Buffer.from("never begun")),
      webSocketFrame(5, Buffer.from("?")),
      text("", { final: false }),
      webSocketFrame(OPCODE.continuation, Buffer.alloc(0)),
      text("last", { final: false }),
      webSocketFrame(OPCODE.pong, Buffer.from("pong")),
    ];
    expect(copy(Buffer.concat(parts)).messages).toEqual([
      { kind: "cut", bytes: 10, text: "unfinished" },
      { kind: "text", bytes: 4, text: "next" },
      { kind: "binary", bytes: 11, text: "" },
      { kind: "binary", bytes: 1, text: "" },
      { kind: "text", bytes: 0, text: "" },
      { kind: "cut", bytes: 4, text: "last" },
    ]);
  });

  test("that say they are longer than anything are what has come of them", () => {
    const endless = Buffer.concat([Buffer.from([0x81, 127]), Buffer.alloc(8, 255), Buffer.from("beginning")]);
    expect(copy(endless).messages).toEqual([{ kind: "cut", bytes: 9, text: "beginning" }]);
  });

  test("at random bytes it does not throw", () => {
    const random = seeded(11);
    for (let round = 0; round < 300; round++) {
      const bytes = Buffer.from(Array.from({ length: 200 }, () => Math.floor(random() * 256)));
      expect(() => copy(bytes, [Math.floor(random() * 200)])).not.toThrow();
    }
  });
});

test("a Close frame tells its code, masked or not; 1005 when it has none", () => {
  const code = Buffer.from([0x0f, 0xa1, 0x62, 0x79, 0x65]);
  for (const mask of [MASK, null]) {
    const bytes = webSocketFrame(OPCODE.close, code, { mask });
    for (let at = 0; at < bytes.length; at++) expect(copy(bytes, [at]).closes).toEqual([4001]);
    expect(copy(webSocketFrame(OPCODE.close, Buffer.alloc(0), { mask })).closes).toEqual([1005]);
  }
});

test("a mask is taken off wherever in the payload one begins", () => {
  const plain = Buffer.from("0123456789abcdef");
  const masked = Buffer.from(plain.map((byte, i) => byte ^ (MASK[i % 4] as number)));
  for (let from = 0; from < 16; from++)
    for (let to = from; to <= 16; to++)
      expect(unmask(masked, from, to, MASK, from).toString()).toBe(plain.toString("latin1", from, to));
});
