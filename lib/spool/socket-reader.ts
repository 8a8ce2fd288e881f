import type { Exchange, ExchangeEnd, RecordedMessage } from "#lib/exchange.ts";
import { FRAME, type Frame, MESSAGE } from "./frames.ts";

/** A WebSocket that is open, or was. */
export type SocketSource = Pick<Exchange, "id" | "origin" | "start">;

/**
 * Reads the messages of WebSockets, one after the other, so that none has to be kept. What it knows of a socket between two messages is a
 * JSON value that the assembler holds and that is carried as it stands. Never throws.
 */
export interface SocketReader<Output> {
  /** null: nobody reads this socket, and it becomes an exchange when it ends. */
  open(source: SocketSource): unknown;
  /** Changes `state` in place. null: nothing came of it. `replayed`: what comes of it is stored already. */
  take(source: SocketSource, state: unknown, message: RecordedMessage, replayed: boolean): Output | null;
  /** All sockets together know too much: gives up of this one what its figures do not need, and says so. */
  letGo(source: SocketSource, state: unknown): void;
  /** `end` null: the process died while it was open; `atMs` is then when it was last heard of. */
  close(source: SocketSource, state: unknown, end: ExchangeEnd | null, atMs: number): Output | null;
}

/** A moment of a socket at which something came of it: it was opened, something was completed, or it ended. */
export interface SocketStep<Output> {
  source: SocketSource;
  /** The one that the assembler holds: as it stands when it is looked at, not as it stood then. */
  state: unknown;
  output: Output | null;
  ended: boolean;
}

/** A frame of a message, with a text of its own: the payload is a view of a batch that is about to be reused. */
export function messageOf({ type, at, offset, payload }: Frame): RecordedMessage {
  const hasText = payload[0] === MESSAGE.text || payload[0] === MESSAGE.cut;
  return {
    from: type === FRAME.clientMessage ? "client" : "server",
    atMs: at,
    bytes: offset,
    text: hasText ? payload.toString("utf8", 1) : null,
  };
}
