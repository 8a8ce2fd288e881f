const EXTENDED_16 = 126;
const EXTENDED_64 = 127;

export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** One frame, byte by byte as RFC 6455 has it (section 5.2). `mask`: a client's. */
export function webSocketFrame(
  opcode: number,
  payload: Buffer,
  { final = true, mask = null }: { final?: boolean; mask?: Buffer | null } = {},
): Buffer {
  const { length } = payload;
  const extended = Buffer.alloc(length > 65_535 ? 8 : length > 125 ? 2 : 0);
  if (extended.length === 2) extended.writeUInt16BE(length);
  if (extended.length === 8) extended.writeBigUInt64BE(BigInt(length));
  const short = extended.length === 8 ? EXTENDED_64 : extended.length === 2 ? EXTENDED_16 : length;
  const head = Buffer.from([opcode | (final ? 128 : 0), short | (mask ? 128 : 0)]);
  if (!mask) return Buffer.concat([head, extended, payload]);
  const masked = Buffer.from(payload.map((byte, i) => byte ^ (mask[i % 4] as number)));
  return Buffer.concat([head, extended, mask, masked]);
}

/** A text message in several frames, with pings between them now and then. */
export function fragmentedMessage(text: Buffer, random: () => number, mask: Buffer | null): Buffer {
  const count = 1 + Math.floor(random() * 4);
  const frames: Buffer[] = [];
  for (let i = 0, at = 0; i < count; i++) {
    const last = i === count - 1;
    const next = last ? text.length : at + Math.floor(random() * (text.length - at));
    if (random() < 0.4) frames.push(webSocketFrame(OPCODE.ping, Buffer.from("still there?"), { mask }));
    const opcode = i === 0 ? OPCODE.text : OPCODE.continuation;
    frames.push(webSocketFrame(opcode, text.subarray(at, next), { final: last, mask }));
    at = next;
  }
  return Buffer.concat(frames);
}
