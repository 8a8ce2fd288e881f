/** Strings of JSON found by their quotes, in bytes: nothing is parsed. */

export const QUOTE = 0x22;
export const BACKSLASH = 0x5c;
const SLASH = 0x2f;
const LETTER_U = 0x75;

/** Strings up to this length are looked through byte by byte, which is quicker than a call. */
const NEAR_BYTES = 64;

/** The quote that ends the string, or -1. `escaped`: the first byte belongs to a backslash before it. */
export function closingQuote(bytes: Buffer, from: number, escaped: boolean): number {
  const near = Math.min(from + NEAR_BYTES, bytes.length);
  let skip = escaped;
  for (let i = from; i < near; i++) {
    if (skip) skip = false;
    else if (bytes[i] === BACKSLASH) skip = true;
    else if (bytes[i] === QUOTE) return i;
  }
  for (let i = bytes.indexOf(QUOTE, near); i >= 0; i = bytes.indexOf(QUOTE, i + 1))
    if (!endsEscaped(bytes, near, i, skip)) return i;
  return -1;
}

/** Whether the byte at `to` is escaped: an odd number of backslashes stands before it. `escaped`: the one at `from` is itself. */
export function endsEscaped(bytes: Buffer, from: number, to: number, escaped: boolean): boolean {
  let backslashes = 0;
  while (to - backslashes > from && bytes[to - backslashes - 1] === BACKSLASH) backslashes++;
  const first = to - backslashes;
  return (backslashes - (escaped && first === from ? 1 : 0)) % 2 !== 0;
}

/** Of an escape whose second character is this, how many characters are not the base64 itself: `\/`, `\u002B`, a line's end. */
export function extraOf(second: number): number {
  if (second === LETTER_U) return 5;
  return second === SLASH ? 1 : 2;
}

/** Base64 in both alphabets, its padding, and the backslash that some writers put before a slash. */
const isBase64 = new Uint8Array(256);
for (const one of "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_=\\")
  isBase64[one.charCodeAt(0)] = 1;

export function looksBase64(bytes: Buffer, from: number, to: number): boolean {
  const end = Math.min(to, bytes.length);
  for (let i = from; i < end; i++) if (isBase64[bytes[i] as number] === 0) return false;
  return end > from;
}

/** Behind `data:…;base64,`; -1 when it is none. */
export function afterDataUrlHead(bytes: Buffer, from: number): number {
  const head = bytes.toString("latin1", from, Math.min(from + 128, bytes.length));
  const match = /^data:[^,"]{0,100};base64,/.exec(head);
  return match ? from + match[0].length : -1;
}
