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
  advance(bytes: Uint8Array, from: number): number;
}

export function createFrameBoundary(): FrameBoundary {
  const header = new Uint8Array(HEADER_BYTES_MAX);
  let have = 0;
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
        if (have === headerLength(header, have)) missing = payloadLength(header);
      }
      if (missing < 0) return at;
      const taken = Math.min(missing, bytes.length - at);
      missing -= taken;
      if (missing > 0) return at + taken;
      closed ||= ((header[0] as number) & 15) === CLOSE;
      have = 0;
      missing = -1;
      return at + taken;
    },
  };
}

/** Of a header of which `have` bytes are there; two at least say how long it is. */
function headerLength(header: Uint8Array, have: number): number {
  if (have < 2) return 2;
  const second = header[1] as number;
  const extended = { 126: 2, 127: 8 }[second & 127] ?? 0;
  return 2 + extended + (second & 128 ? 4 : 0);
}

function payloadLength(header: Uint8Array): number {
  const short = (header[1] as number) & 127;
  const view = new DataView(header.buffer);
  if (short === 126) return view.getUint16(2);
  return short === 127 ? Number(view.getBigUint64(2)) : short;
}

/** A Close frame. A client's is masked (section 5.3), a server's is not. */
export function closeFrame(code: number, reason: string, mask: Uint8Array | null): Buffer {
  const payload = Buffer.concat([Buffer.from([code >> 8, code & 255]), Buffer.from(reason)]);
  if (!mask) return Buffer.concat([Buffer.from([128 | CLOSE, payload.length]), payload]);
  for (const [i, byte] of payload.entries()) payload[i] = byte ^ (mask[i % 4] as number);
  return Buffer.concat([Buffer.from([128 | CLOSE, 128 | payload.length]), mask, payload]);
}
