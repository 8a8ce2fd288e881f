/** What keys and tokens are made of. */
const IS_TOKEN = new Uint8Array(128);
for (const char of "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+/=~.%:*-")
  IS_TOKEN[char.charCodeAt(0)] = 1;

const SHORTEST = 14;

export interface Run {
  start: number;
  end: number;
}

/**
 * Stretches of at least 14 token characters. Looks at every 14th character only and leaps on from the first that
 * does not belong: 4 µs for 4 kB of prose, where an expression takes 30.
 */
export function tokenRuns(text: string): Run[] {
  const runs: Run[] = [];
  for (let at = SHORTEST - 1; at < text.length; at += SHORTEST) {
    if (!isToken(text, at)) continue;
    let start = at;
    while (start > 0 && isToken(text, start - 1)) start--;
    let end = at + 1;
    while (end < text.length && isToken(text, end)) end++;
    if (end - start >= SHORTEST) runs.push({ start, end });
    at = end;
  }
  return runs;
}

function isToken(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code < 128 && IS_TOKEN[code] === 1;
}
