import { FRAME_HEADER_BYTES, writeFrameHeader } from "./frames.ts";

/**
 * Frames on their way into a batch, copied one behind the other into memory that is used again: a kept slice would pin what it was cut
 * from. Whoever adds one has looked before whether there is room for it.
 */
export interface FrameBuffer {
  /** Bytes of all frames in it. */
  readonly used: number;
  /** For a frame with so many bytes behind its head. */
  hasRoom(bytes: number): boolean;
  /** At most three bytes per character of `json`. */
  addText(type: number, seq: number, at: number, json: string): void;
  addBytes(type: number, seq: number, at: number, offset: number, bytes: Uint8Array): void;
  /** `kind` is the first byte of what the frame holds. */
  addMessage(type: number, seq: number, at: number, wireBytes: number, kind: number, text: Uint8Array): void;
  /** All frames, as a view that holds until the next one is added. */
  take(): Buffer;
}

export function createFrameBuffer(bytesMax: number): FrameBuffer {
  const memory = Buffer.allocUnsafeSlow(bytesMax);
  const heads = new DataView(memory.buffer, memory.byteOffset);
  let used = 0;

  return {
    get used() {
      return used;
    },
    hasRoom: (bytes) => used + FRAME_HEADER_BYTES + bytes <= bytesMax,
    addText(type, seq, at, json) {
      const length = memory.write(json, used + FRAME_HEADER_BYTES, "utf8");
      writeFrameHeader(heads, used, type, seq, length, at, 0);
      used += FRAME_HEADER_BYTES + length;
    },
    addBytes(type, seq, at, offset, bytes) {
      writeFrameHeader(heads, used, type, seq, bytes.length, at, offset);
      memory.set(bytes, used + FRAME_HEADER_BYTES);
      used += FRAME_HEADER_BYTES + bytes.length;
    },
    addMessage(type, seq, at, wireBytes, kind, text) {
      writeFrameHeader(heads, used, type, seq, 1 + text.length, at, wireBytes);
      memory[used + FRAME_HEADER_BYTES] = kind;
      memory.set(text, used + FRAME_HEADER_BYTES + 1);
      used += FRAME_HEADER_BYTES + 1 + text.length;
    },
    take() {
      const frames = memory.subarray(0, used);
      used = 0;
      return frames;
    },
  };
}
