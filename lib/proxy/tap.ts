import type { FRAME } from "#lib/spool/frames.ts";
import type { SpoolWriter } from "#lib/spool/writer.ts";

/** What is kept of a body beyond the limit: its end, where a stream states its usage and a form has the fields behind its file. */
const TAIL_BYTES = 64 << 10;

/**
 * The copy of one direction of a call. The first `keepBytes` go to the spool as they come; after that, where the end is of use, only the
 * last 64 kB are held back in memory and go with `finish`. All bytes are counted.
 */
export class Tap {
  bytes = 0;
  #kept = 0;
  #tail: { at: number; offset: number; bytes: Buffer }[] = [];
  #tailBytes = 0;
  readonly #spool: SpoolWriter;
  readonly #type: number;
  readonly #keepBytes: number;
  readonly #keepsEnd: boolean;

  constructor(
    spool: SpoolWriter,
    type: typeof FRAME.requestChunk | typeof FRAME.responseChunk,
    keepBytes: number,
    keepsEnd: boolean,
  ) {
    this.#spool = spool;
    this.#type = type;
    this.#keepBytes = keepBytes;
    this.#keepsEnd = keepsEnd;
  }

  /** `seq` 0: the call is not recorded, bytes are only counted. */
  chunk(seq: number, at: number, bytes: Buffer): void {
    const offset = this.bytes;
    this.bytes += bytes.length;
    if (seq === 0 || this.#keepBytes === 0) return;
    const room = this.#keepBytes - this.#kept;
    if (room >= bytes.length) {
      this.#kept += bytes.length;
      this.#spool.chunk(this.#type, seq, at, offset, bytes);
      return;
    }
    if (room > 0) {
      this.#kept = this.#keepBytes;
      this.#spool.chunk(this.#type, seq, at, offset, bytes.subarray(0, room));
    }
    if (this.#keepsEnd) this.#holdTail(at, offset + room, bytes.subarray(room));
  }

  finish(seq: number): void {
    for (const { at, offset, bytes } of this.#tail) this.#spool.chunk(this.#type, seq, at, offset, bytes);
    this.#tail = [];
  }

  #holdTail(at: number, offset: number, rest: Buffer): void {
    const over = Math.max(0, rest.length - TAIL_BYTES);
    // A copy: a kept slice would pin the socket's whole slab.
    this.#tail.push({ at, offset: offset + over, bytes: Buffer.from(rest.subarray(over)) });
    this.#tailBytes += rest.length - over;
    while (this.#tailBytes - (this.#tail[0] as { bytes: Buffer }).bytes.length >= TAIL_BYTES)
      this.#tailBytes -= (this.#tail.shift() as { bytes: Buffer }).bytes.length;
  }
}
