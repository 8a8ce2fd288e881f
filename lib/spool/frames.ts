/**
 * The frames of the spool. All numbers little-endian.
 *
 *   type u8 · seq u32 · length u32 · at f64 · offset f64 · payload
 *
 * `seq` counts the calls that one run of one worker accepted, from 1; 0 for frames that belong to no call. `at` is
 * milliseconds since the call's start (0 in a start frame). `offset` is a chunk's place in its body, so that a lost
 * batch shows as a hole and not as a shorter body.
 */
export const FRAME = {
  /** JSON StartFrame. */
  start: 1,
  /** Bytes of the request's body. */
  requestChunk: 2,
  /** JSON HeadFrame: the response's status and headers. */
  head: 3,
  /** Bytes of the response's body. */
  responseChunk: 4,
  /** JSON ExchangeEnd. */
  end: 5,
  /** JSON: a feedback as accepted. */
  feedback: 6,
  /** JSON Tally: what the run has accepted and dropped so far. */
  tally: 7,
  /** A message of a WebSocket, by direction; `offset` is its length on the wire, its payload begins with a byte of MESSAGE. */
  clientMessage: 8,
  serverMessage: 9,
} as const;

/** First byte of a message's payload: what follows is its text, nothing (binary), or the beginning of a text that was too long. */
export const MESSAGE = { text: 1, binary: 2, cut: 3 } as const;

export const FRAME_HEADER_BYTES = 25;

/** Cumulative within a run: accepted calls, and those of them that could not be spooled, by reason. */
export interface Tally {
  accepted: number;
  dropped: Record<string, number>;
  /** Ends that went to the client before they were written (P3: after at most 50 ms). */
  atRisk: number;
}

export interface Frame {
  type: number;
  seq: number;
  at: number;
  offset: number;
  payload: Buffer;
}

/** Through a DataView: two and a half times as fast as Buffer's own writers, and this runs for every chunk. */
export function writeFrameHeader(
  into: DataView,
  position: number,
  type: number,
  seq: number,
  length: number,
  at: number,
  offset: number,
): void {
  into.setUint8(position, type);
  into.setUint32(position + 1, seq, true);
  into.setUint32(position + 5, length, true);
  into.setFloat64(position + 9, at, true);
  into.setFloat64(position + 17, offset, true);
}

/** Every frame of a batch's plaintext. Payloads are views into it. A length that does not fit ends the list. */
export function* readFrames(batch: Buffer): Generator<Frame> {
  let position = 0;
  while (position + FRAME_HEADER_BYTES <= batch.length) {
    const length = batch.readUInt32LE(position + 5);
    const from = position + FRAME_HEADER_BYTES;
    if (from + length > batch.length) return;
    yield {
      type: batch[position] as number,
      seq: batch.readUInt32LE(position + 1),
      at: batch.readDoubleLE(position + 9),
      offset: batch.readDoubleLE(position + 17),
      payload: batch.subarray(from, from + length),
    };
    position = from + length;
  }
}
