/**
 * Asks a streaming chat or legacy completion for its usage by inserting `stream_options.include_usage` into the raw text:
 * everything else of the body stays byte for byte. Returns null when there is nothing to insert: no stream, the client
 * asks already, or the text is no JSON object.
 */
export function insertIncludeUsage(body: Buffer): Buffer | null {
  // Most bodies do not stream: one native search tells.
  if (body.indexOf('"stream"') < 0) return null;
  const members = readMembers(body, 0);
  if (!members) return null;
  const stream = members.get("stream");
  if (!stream || body.toString("latin1", stream.from, stream.to) !== "true") return null;

  const options = members.get("stream_options");
  if (!options) return splice(body, members.open + 1, members.open + 1, '"stream_options":{"include_usage":true},');
  const text = body.toString("latin1", options.from, options.to);
  if (text === "null") return splice(body, options.from, options.to, '{"include_usage":true}');
  const inner = readMembers(body, options.from);
  if (!inner) return null;
  const asked = inner.get("include_usage");
  if (!asked)
    return splice(body, inner.open + 1, inner.open + 1, inner.size ? '"include_usage":true,' : '"include_usage":true');
  if (body.toString("latin1", asked.from, asked.to) === "true") return null;
  return splice(body, asked.from, asked.to, "true");
}

interface Span {
  from: number;
  to: number;
}
interface Members {
  open: number;
  size: number;
  get(key: string): Span | undefined;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** The members of the object that starts at `at` (after white space); the last of equal keys counts. Null: not an object. */
function readMembers(body: Buffer, at: number): Members | null {
  const spans = new Map<string, Span>();
  const open = skipSpace(body, at);
  if (body[open] !== 0x7b) return null;
  let i = skipSpace(body, open + 1);
  if (body[i] === 0x7d) return { open, size: 0, get: () => undefined };
  for (;;) {
    if (body[i] !== QUOTE) return null;
    const keyEnd = skipString(body, i);
    if (keyEnd < 0) return null;
    const key = body.toString("utf8", i + 1, keyEnd - 1);
    i = skipSpace(body, keyEnd);
    if (body[i] !== 0x3a) return null;
    const from = skipSpace(body, i + 1);
    const to = skipValue(body, from);
    if (to < 0) return null;
    spans.set(key, { from, to });
    i = skipSpace(body, to);
    if (body[i] === 0x7d) return { open, size: spans.size, get: (name) => spans.get(name) };
    if (body[i] !== 0x2c) return null;
    i = skipSpace(body, i + 1);
  }
}

function skipSpace(body: Buffer, at: number): number {
  let i = at;
  while (body[i] === 0x20 || body[i] === 0x0a || body[i] === 0x0d || body[i] === 0x09) i++;
  return i;
}

/** Index behind the closing quote, or -1. */
function skipString(body: Buffer, at: number): number {
  for (let i = body.indexOf(QUOTE, at + 1); i >= 0; i = body.indexOf(QUOTE, i + 1)) {
    let slashes = 0;
    while (body[i - 1 - slashes] === BACKSLASH) slashes++;
    if (slashes % 2 === 0) return i + 1;
  }
  return -1;
}

/** Index behind the value, or -1. */
function skipValue(body: Buffer, at: number): number {
  const first = body[at];
  if (first === QUOTE) return skipString(body, at);
  if (first !== 0x7b && first !== 0x5b) {
    let i = at;
    while (i < body.length && !isDelimiter(body[i] as number)) i++;
    return i > at ? i : -1;
  }
  let depth = 0;
  for (let i = at; i < body.length; i++) {
    const byte = body[i];
    if (byte === QUOTE) {
      i = skipString(body, i) - 1;
      if (i < 0) return -1;
    } else if (byte === 0x7b || byte === 0x5b) depth++;
    else if ((byte === 0x7d || byte === 0x5d) && --depth === 0) return i + 1;
  }
  return -1;
}

const isDelimiter = (byte: number) =>
  byte === 0x2c || byte === 0x7d || byte === 0x5d || byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;

const splice = (body: Buffer, from: number, to: number, text: string): Buffer =>
  Buffer.concat([body.subarray(0, from), Buffer.from(text), body.subarray(to)]);
