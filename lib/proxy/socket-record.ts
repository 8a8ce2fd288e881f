import type { ExchangeEnd } from "#lib/exchange.ts";
import { FRAME } from "#lib/spool/frames.ts";
import type { FrameWatcher } from "./frame-pipe.ts";
import { createMessageCopy } from "./message-copy.ts";
import type { RelayContext } from "./relay-context.ts";

/** What is kept of one message's text; the audio in it is not counted. Beyond that a message is its beginning. */
const MESSAGE_TEXT_BYTES_MAX = 256 << 10;

type Side = "client" | "server";
type MessageType = typeof FRAME.clientMessage | typeof FRAME.serverMessage;

export interface SocketRecord {
  readonly client: FrameWatcher;
  readonly server: FrameWatcher;
  /** Somebody has said a Close, or we have. */
  readonly closed: boolean;
  /** We say a Close with this code; what counts is the first one. */
  sayClose(code: number): void;
  /** The connection is over: a message that is under way is one that was cut. */
  finish(): NonNullable<ExchangeEnd["socket"]>;
}

/** What is recorded of a WebSocket that was opened: its messages, which `write` is given as they end, and how it was closed. */
export function createSocketRecord(
  { keepAudio, keepBytes, fingerprint }: Pick<RelayContext, "keepAudio" | "keepBytes" | "fingerprint">,
  write: (type: MessageType, wireBytes: number, kind: number, text: Uint8Array, endsCall: boolean) => void,
): SocketRecord {
  let closed: { by: Side | "proxy"; code: number } | null = null;
  const copies = { client: copyOf(FRAME.clientMessage, "client"), server: copyOf(FRAME.serverMessage, "server") };
  const client = { bytes: 0, onPayload: copies.client.onPayload };
  const server = { bytes: 0, onPayload: copies.server.onPayload };
  return {
    client,
    server,
    get closed() {
      return closed !== null;
    },
    sayClose(code) {
      closed ??= { by: "proxy", code };
    },
    finish() {
      copies.client.finish();
      copies.server.finish();
      return {
        closeCode: closed?.code ?? null,
        closedBy: closed?.by ?? null,
        clientBytes: client.bytes,
        upstreamBytes: server.bytes,
        clientMessages: copies.client.messages,
        serverMessages: copies.server.messages,
      };
    },
  };

  function copyOf(type: MessageType, by: Side) {
    return createMessageCopy({
      keepAudio,
      textBytesMax: Math.min(MESSAGE_TEXT_BYTES_MAX, keepBytes),
      mask: fingerprint,
      onMessage: (wireBytes, kind, text, endsCall) => write(type, wireBytes, kind, text, endsCall),
      onClose(code) {
        closed ??= { by, code };
      },
    });
  }
}
