/** The most that is unmasked at once. */
export const UNMASK_BYTES_MAX = 64 << 10;

const words = new Int32Array(UNMASK_BYTES_MAX / 4);
const scratch = Buffer.from(words.buffer);
const rotated = new Int32Array(1);
const rotatedBytes = new Uint8Array(rotated.buffer);

/**
 * Payload of a client's frame without its mask (RFC 6455, section 5.3): `bytes` from `from` to `to`, of which `offset` came before. Four bytes at
 * a time. What it returns is overwritten by the next call.
 */
export function unmask(bytes: Buffer, from: number, to: number, mask: Uint8Array, offset: number): Buffer {
  bytes.copy(scratch, 0, from, to);
  for (let i = 0; i < 4; i++) rotatedBytes[i] = mask[(offset + i) & 3] as number;
  const word = rotated[0] as number;
  const count = (to - from + 3) >> 2;
  for (let i = 0; i < count; i++) words[i] = (words[i] as number) ^ word;
  return scratch.subarray(0, to - from);
}
