import type { Span } from "./span.ts";

const BEGIN = /-----BEGIN[ A-Z0-9_-]{0,100}PRIVATE KEY(?: BLOCK)?-----/g;
const END = /-----END[ A-Z0-9_-]{0,100}-----/y;
/** Lines of base64, between real or escaped line ends. */
const LINES = /(?:(?:\\[nr]|\s){0,4}[A-Za-z0-9+/=]{16,}){1,400}/y;
/** An RSA key of 16,384 bits in PEM. */
const LONGEST = 16_384;

/** PEM and PGP private keys; of one whose end was cut off, the lines that look like a key's. */
export function findPrivateKeys(text: string): Span[] {
  const found: Span[] = [];
  if (!text.includes("PRIVATE KEY")) return found;
  for (const match of text.matchAll(BEGIN)) {
    const body = match.index + match[0].length;
    const end = endOf(text, body);
    if (match.index >= (found.at(-1)?.end ?? 0)) found.push({ start: match.index, end, label: "secret:private_key" });
  }
  return found;
}

function endOf(text: string, body: number): number {
  const marker = text.slice(body, body + LONGEST).indexOf("-----END");
  if (marker >= 0) {
    END.lastIndex = body + marker;
    if (END.test(text)) return END.lastIndex;
  }
  LINES.lastIndex = body;
  return LINES.test(text) ? LINES.lastIndex : body;
}
