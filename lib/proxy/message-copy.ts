import { createMessageText } from "#lib/openai/message-text.ts";
import { MESSAGE } from "#lib/spool/frames.ts";
import type { OnPayload } from "./frame-boundary.ts";
import { UNMASK_BYTES_MAX, unmask } from "./unmask.ts";

/** Opcodes (RFC 6455, section 5.2). From 8 on they are control frames, which may stand between the fragments of a message. */
const CONTINUATION = 0;
const TEXT = 1;
const CLOSE = 8;
const NO_CODE = 1005;

export interface MessageCopy {
  /** That are over. */
  readonly messages: number;
  readonly onPayload: OnPayload;
  /** The connection is over: what has come of a message under way is a message that was cut. */
  finish(): void;
}

export interface MessageCopyOptions {
  keepAudio: boolean;
  /** Of one message's text. */
  textBytesMax: number;
  /** What an ephemeral key becomes. */
  mask: (secret: string) => string;
  /** A message is over. `text` is good for this call only. `endsCall`: with it a call is over, too. */
  onMessage: (wireBytes: number, kind: number, text: Uint8Array, endsCall: boolean) => void;
  /** A Close frame has passed; its code is 1005 when it has none (section 7.4.1). */
  onClose: (code: number) => void;
}

const NO_TEXT = new Uint8Array(0);

/** Puts the messages of one direction together from frames; what it holds of one has a limit, whatever its length. */
export function createMessageCopy(options: MessageCopyOptions): MessageCopy {
  const text = createMessageText(options);
  /** Of the message under way: none, text, or what cannot be read (binary, or changed by an extension). */
  let open: "none" | "text" | "binary" = "none";
  let wireBytes = 0;
  let messages = 0;
  /** The beginning of a Close frame's payload, as far as it has come. */
  let closing: number[] = [];

  return {
    get messages() {
      return messages;
    },
    onPayload(head, bytes, from, to, offset, missing) {
      if (head.opcode === CLOSE) return takeClose(head.mask, bytes, from, to, offset, missing);
      if (head.opcode > CLOSE) return;
      if (offset === 0) beginFrame(head.opcode, head.reserved);
      wireBytes += to - from;
      const ended = head.final && missing === 0;
      if (open === "text") takeText(head.mask, bytes, from, to, offset, ended);
      if (ended) end(false);
    },
    finish() {
      if (open !== "none") end(true);
    },
  };

  function beginFrame(opcode: number, reserved: boolean) {
    if (opcode === CONTINUATION && open !== "none") return;
    // Against the protocol: the message before it was never ended.
    if (open !== "none") end(true);
    open = opcode === TEXT && !reserved ? "text" : "binary";
    wireBytes = 0;
  }

  function takeText(mask: Uint8Array | null, bytes: Buffer, from: number, to: number, offset: number, ended: boolean) {
    for (let at = from; at < to; at += UNMASK_BYTES_MAX) {
      const until = Math.min(to, at + UNMASK_BYTES_MAX);
      const last = ended && until === to;
      if (mask) text.push(unmask(bytes, at, until, mask, offset + at - from), last);
      else text.push(bytes.subarray(at, until), last);
    }
  }

  function end(broken: boolean) {
    messages++;
    if (open === "text") {
      const { bytes, cut, endsCall } = text.take();
      options.onMessage(wireBytes, cut || broken ? MESSAGE.cut : MESSAGE.text, bytes, endsCall);
    } else options.onMessage(wireBytes, MESSAGE.binary, NO_TEXT, false);
    open = "none";
    wireBytes = 0;
  }

  function takeClose(
    mask: Uint8Array | null,
    bytes: Buffer,
    from: number,
    to: number,
    offset: number,
    missing: number,
  ) {
    for (let at = from; at < to && closing.length < 2; at++)
      closing.push((bytes[at] as number) ^ (mask ? (mask[(offset + at - from) & 3] as number) : 0));
    if (missing > 0) return;
    const [high, low] = closing;
    closing = [];
    options.onClose(high === undefined || low === undefined ? NO_CODE : (high << 8) | low);
  }
}
