export interface LastBytes {
  add(bytes: Uint8Array): void;
  /** Good until the next `add`. */
  read(): Uint8Array;
}

/** The last of what is added, at most `bytesMax` of it, in memory of a fixed size. */
export function createLastBytes(bytesMax: number): LastBytes {
  // Twice as large: what is old is moved out of the way once per `bytesMax`, however small the pieces are.
  const buffer = Buffer.allocUnsafeSlow(2 * bytesMax);
  let used = 0;
  return {
    add(bytes) {
      const last = bytes.length > bytesMax ? bytes.subarray(bytes.length - bytesMax) : bytes;
      if (used + last.length > buffer.length) {
        buffer.copyWithin(0, used - bytesMax, used);
        used = bytesMax;
      }
      buffer.set(last, used);
      used += last.length;
    },
    read: () => buffer.subarray(Math.max(0, used - bytesMax), used),
  };
}
