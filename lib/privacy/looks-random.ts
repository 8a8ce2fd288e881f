/** Words of documentation and templates: a value with one of them is a stand-in, not a secret. */
const STAND_IN =
  /example|x{4,}|\*{4,}|\.{4,}|your|placeholder|change.?me|insert|redacted|dummy|sample|fake|todo|undefined|null|none|true|false|default|1234567|abcdef|aaaa|0{6,}|process\.env|getenv|environ/i;
const REFERENCE = /^[$%{<[(&@]|[>})\]]$|\$\{|\{\{|%[sd(]|\$\(|^\\?\$/;

/** Whether a value is drawn by chance rather than written by a person or taken from code. */
export function looksRandom(value: string, leastLength = 8): boolean {
  if (value.length < leastLength || isStandIn(value)) return false;
  if (!/\d/.test(value) || !/[A-Za-z]/.test(value)) return isScrambled(value);
  return entropy(value) >= (value.length < 16 ? 2.6 : 3) && !isReadable(value);
}

/** A password may be any word, so only what is visibly a reference or a stand-in is let through. */
export const isStandIn = (value: string): boolean =>
  STAND_IN.test(value) || REFERENCE.test(value) || new Set(value).size < 3;

/** Bits per character. */
export function entropy(value: string): number {
  const counts = new Map<string, number>();
  for (const char of value) counts.set(char, (counts.get(char) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / value.length) * Math.log2(count / value.length);
  return bits;
}

/** Letters only: capitals inside that no camelCase explains. */
function isScrambled(value: string): boolean {
  if (value.length < 16 || !/^[A-Za-z+/=_-]+$/.test(value)) return false;
  const turns = value.match(/[a-z][A-Z]|[A-Z]{2}[a-z]/g)?.length ?? 0;
  return turns >= value.length / 5 && entropy(value) >= 3.5;
}

/** Names, paths, versions and dates: words of letters joined by separators, with a number here and there. */
function isReadable(value: string): boolean {
  const words = value.split(/[^A-Za-z0-9]+|(?<=[a-z])(?=[A-Z])/).filter(Boolean);
  const plain = words.filter((word) => /^(?:[A-Za-z]{2,}\d{0,2}|\d{1,4}|v\d+|[A-Za-z])$/.test(word));
  return words.length > 1 && plain.join("").length >= words.join("").length * 0.75;
}
