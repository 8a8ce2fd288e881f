import type { Span } from "./span.ts";

/** 13 to 19 digits, alone or in groups with one separator between digits; not a piece of an id or a decimal number. */
const CANDIDATE = /(?<![\w.+-])\d(?:[ \u00a0.-]?\d){12,18}(?![\w-]|\.\d)/g;

/** First digits (as ranges of the first six) and lengths that the networks issue: ISO/IEC 7812 and their own pages. */
const NETWORKS: { from: number; to: number; lengths: number[] }[] = [
  { from: 400000, to: 499999, lengths: [13, 16, 19] }, // Visa
  { from: 510000, to: 559999, lengths: [16] }, // Mastercard
  { from: 222100, to: 272099, lengths: [16] }, // Mastercard
  { from: 340000, to: 349999, lengths: [15] }, // American Express
  { from: 370000, to: 379999, lengths: [15] }, // American Express
  { from: 300000, to: 305999, lengths: [14, 16] }, // Diners Club
  { from: 309500, to: 309599, lengths: [14, 16] }, // Diners Club
  { from: 360000, to: 369999, lengths: [14, 16] }, // Diners Club
  { from: 380000, to: 399999, lengths: [14, 16] }, // Diners Club
  { from: 601100, to: 601199, lengths: [16, 19] }, // Discover
  { from: 644000, to: 659999, lengths: [16, 19] }, // Discover
  { from: 352800, to: 358999, lengths: [16, 19] }, // JCB
  { from: 620000, to: 629999, lengths: [16, 17, 18, 19] }, // UnionPay
  { from: 810000, to: 817199, lengths: [16, 17, 18, 19] }, // UnionPay
  { from: 501800, to: 501899, lengths: [13, 16, 18, 19] }, // Maestro
  { from: 502000, to: 502099, lengths: [13, 16, 18, 19] }, // Maestro
  { from: 503800, to: 503899, lengths: [13, 16, 18, 19] }, // Maestro
  { from: 589300, to: 589399, lengths: [13, 16, 18, 19] }, // Maestro
  { from: 630400, to: 630499, lengths: [13, 16, 18, 19] }, // Maestro
  { from: 675900, to: 676399, lengths: [13, 16, 18, 19] }, // Maestro
  { from: 220000, to: 220499, lengths: [16, 17, 18, 19] }, // Mir
  { from: 508500, to: 508999, lengths: [16] }, // RuPay
  { from: 606900, to: 608599, lengths: [16] }, // RuPay
];

/** Payment card numbers in a text. */
export function findCards(text: string): Span[] {
  const found: Span[] = [];
  for (const match of text.matchAll(CANDIDATE)) {
    const [written] = match;
    const digits = written.replace(/\D/g, "");
    if (isIssued(digits) && isGrouped(written, digits) && hasLuhn(digits))
      found.push({ start: match.index, end: match.index + written.length, label: "card" });
  }
  return found;
}

function isIssued(digits: string): boolean {
  const first = Number(digits.slice(0, 6));
  return NETWORKS.some(({ from, to, lengths }) => first >= from && first <= to && lengths.includes(digits.length));
}

/** Cards are printed in groups of three to six; "4 5 1 2 …" and "1.2.3.…" are lists of numbers. */
function isGrouped(written: string, digits: string): boolean {
  if (written.length === digits.length) return new Set(digits).size > 1;
  return written.split(/\D/).every((group) => group.length >= 3 && group.length <= 7);
}

function hasLuhn(digits: string): boolean {
  let sum = 0;
  for (let i = digits.length - 1, double = false; i >= 0; i--, double = !double) {
    const digit = digits.charCodeAt(i) - 48;
    sum += double ? (digit > 4 ? digit * 2 - 9 : digit * 2) : digit;
  }
  return sum % 10 === 0;
}
