/** Opcode of a Close frame (RFC 6455, section 5.5.1). */
const CLOSE = 8;
/** Two bytes, eight of an extended length, four of the mask. */
const HEADER_BYTES_MAX = 14;

/** Where one direction of a WebSocket is: between two frames, or within one. Reads headers only. */
export interface FrameBoundary {
  /** Between two frames, where one of ours may stand. */
  readonly between: boolean;
  /** A Close frame has passed: its sender says nothing more. */
  readonly closed: boolean;
  /** Follows `bytes` from `from` to the end of the frame that they are in, or to their own end. Returns where that is. */
  advance(bytes: Buffer, from: number): number;
}

/** A frame, as far as its header says (RFC 6455, section 5.2). */
export interface FrameHead {
  opcode: number;
  /** The last frame of its message. */
  final: boolean;
  /** An extension has made something else of the payload. */
  reserved: boolean;
  mask: Uint8Array | null;
}

/**
 * Told of each piece of a frame's payload, `bytes` from `from` to `to`: `offset` bytes came before, `missing` are to come. A frame
 * without payload is told of once. `head` is good for this call only.
 */
export type OnPayload = (
  head: Readonly<FrameHead>,
  bytes: Buffer,
  from: number,
  to: number,
  offset: number,
  missing: number,
) => void;

export function createFrameBoundary(onPayload: OnPayload = () => {}): FrameBoundary {
  const header = new Uint8Array(HEADER_BYTES_MAX);
  /** By the length of the header, whose end they are. */
  const masks = new Map([6, 8, HEADER_BYTES_MAX].map((length) => [length, header.subarray(length - 4, length)]));
  const head: FrameHead = { opcode: 0, final: false, reserved: false, mask: null };
  let have = 0;
  let passed = 0;
  /** Of the payload; -1 while the header is not whole. */
  let missing = -1;
  let closed = false;
  return {
    get between() {
      return have === 0;
    },
    get closed() {
      return closed;
    },
    advance(bytes, from) {
      let at = from;
      while (missing < 0 && at < bytes.length) {
        header[have++] = bytes[at++] as number;
        if (have === headerLength(header, have)) begin();
      }
      if (missing < 0) return at;
      const taken = Math.min(missing, bytes.length - at);
      missing -= taken;
      if (taken > 0 || missing === 0) onPayload(head, bytes, at, at + taken, passed, missing);
      passed += taken;
      if (missing > 0) return at + taken;
      closed ||= head.opcode === CLOSE;
      have = 0;
      missing = -1;
      return at + taken;
    },
  };

  function begin() {
    const [first, second] = header as unknown as [number, number];
    missing = payloadLength(header);
    passed = 0;
    head.opcode = first & 15;
    head.final = first >= 128;
    head.reserved = (first & 0x70) !== 0;
    head.mask = second & 128 ? (masks.get(have) ?? null) : null;
  }
}

/** Of a header of which `have` bytes are there; two at least say how long it is. */
function headerLength(header: Uint8Array, have: number): number {
  if (have < 2) return 2;
  const second = header[1] as number;
  const short = second & 127;
  return 2 + (short < 126 ? 0 : short === 126 ? 2 : 8) + (second & 128 ? 4 : 0);
}

function payloadLength(header: Uint8Array): number {
  const short = (header[1] as number) & 127;
  if (short < 126) return short;
  const view = new DataView(header.buffer);
  return short === 126 ? view.getUint16(2) : Number(view.getBigUint64(2));
}

/** A Close frame. A client's is masked (section 5.3), a server's is not. */
export function closeFrame(code: number, reason: string, mask: Uint8Array | null): Buffer {
  const payload = Buffer.concat([Buffer.from([code >> 8, code & 255]), Buffer.from(reason)]);
  if (!mask) return Buffer.concat([Buffer.from([128 | CLOSE, payload.length]), payload]);
  for (const [i, byte] of payload.entries()) payload[i] = byte ^ (mask[i % 4] as number);
  return Buffer.concat([Buffer.from([128 | CLOSE, 128 | payload.length]), mask, payload]);
}
