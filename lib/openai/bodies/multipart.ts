import type { Piece } from "./content-encoding.ts";
import type { JsonObject } from "./json.ts";
import type { KeptFile, Run } from "./kept-file.ts";
import { bareType, runsOf } from "./kept-file.ts";

/** A field of a form, or a file in it. */
export interface FormPart extends KeptFile {
  readonly name: string;
  /** null: a field. */
  readonly fileName: string | null;
  /** A field's value; null: a file, or a value that is too long or was not kept whole. */
  readonly text: string | null;
}

/** A form of more is not read on: the largest of OpenAI's has sixteen pictures. */
const PARTS_MAX = 1000;
const HEADER_BYTES_MAX = 16 * 1024;
const VALUE_BYTES_MAX = 256 * 1024;
/** The standard allows 70 (RFC 2046, 5.1.1). */
const BOUNDARY_CHARS_MAX = 200;

export const isForm = (contentType: string): boolean => /^\s*multipart\/form-data\b/i.test(contentType);

/**
 * The parts of a multipart form (RFC 7578) from what was kept of it: the file in it may have a hole, across which its part goes on.
 * Lines may end in LF alone. `isCut`: the end of the form need not be there. Never throws; time grows with the length alone.
 */
export function readForm(
  pieces: readonly Piece[],
  contentType: string,
  isCut: boolean,
  problems: string[],
): FormPart[] {
  if (pieces.length === 0) return [];
  const runs = runsOf(pieces);
  const boundary = boundaryOf(contentType);
  const { parts, closed } = boundary === null ? { parts: [], closed: false } : readParts(runs, `--${boundary}`);
  if (runs.length > 1 || (isCut && !closed)) problems.push("request_cut");
  else if (parts.length === 0) problems.push("multipart_unreadable");
  else if (!closed) problems.push("multipart_unfinished");
  return parts;
}

/** Fields by name; those of a list (`include[]`) as one. */
export function formValues(parts: readonly FormPart[]): JsonObject | null {
  const values = new Map<string, string | string[]>();
  for (const { name, text } of parts) {
    if (text === null) continue;
    const known = values.get(name);
    if (!name.endsWith("[]")) values.set(name, known ?? text);
    else if (Array.isArray(known)) known.push(text);
    else values.set(name, [text]);
  }
  return values.size === 0 ? null : Object.fromEntries(values);
}

function boundaryOf(contentType: string): string | null {
  const match = /;\s*boundary=(?:"([^"]+)"|([^\s;,]+))/i.exec(contentType);
  const boundary = match?.[1] ?? match?.[2] ?? "";
  return boundary === "" || boundary.length > BOUNDARY_CHARS_MAX ? null : boundary;
}

/** A part whose end has not been met. */
interface OpenPart extends Headers {
  readonly run: Run;
  /** Where its content begins in the run. */
  readonly from: number;
}

function readParts(runs: readonly Run[], delimiter: string): { parts: FormPart[]; closed: boolean } {
  const parts: FormPart[] = [];
  let open: OpenPart | null = null;
  let met = 0;
  for (const run of runs) {
    const { bytes } = run;
    for (let from = 0; met < PARTS_MAX; ) {
      const at = bytes.indexOf(delimiter, from, "latin1");
      if (at < 0) break;
      from = at + delimiter.length;
      const isFirst = at === 0 && run === runs[0];
      if (!isFirst && bytes[at - 1] !== LF) continue;
      if (open !== null) parts.push(closedPart(open, run, endOfContent(bytes, at)));
      open = null;
      if (bytes.toString("latin1", from, from + 2) === "--") return { parts, closed: true };
      open = openPart(run, from);
      met++;
      if (open !== null) from = open.from;
    }
  }
  if (open !== null) parts.push(endlessPart(open));
  return { parts, closed: false };
}

/** The line end before a delimiter is the delimiter's. */
function endOfContent(bytes: Buffer, at: number): number {
  return at >= 2 && bytes[at - 2] === CR ? at - 2 : Math.max(0, at - 1);
}

function openPart(run: Run, from: number): OpenPart | null {
  const text = run.bytes.toString("latin1", from, from + HEADER_BYTES_MAX);
  const blank = /\n\r?\n/.exec(text);
  if (blank === null) return null;
  // Names are UTF-8 in what clients send, whatever the standards said in their time.
  const end = from + blank.index + blank[0].length;
  return { run, from: end, ...readHeaders(run.bytes.toString("utf8", from, end)) };
}

function closedPart(open: OpenPart, run: Run, end: number): FormPart {
  if (open.run === run) {
    const head = run.bytes.subarray(open.from, Math.max(open.from, end));
    return part(open, head, null, head.length);
  }
  const head = open.run.bytes.subarray(open.from);
  const counted = open.run.offset !== null && run.offset !== null;
  const bytes = counted ? (run.offset ?? 0) + end - ((open.run.offset ?? 0) + open.from) : null;
  return part(open, head, run.bytes.subarray(0, end), bytes);
}

function endlessPart(open: OpenPart): FormPart {
  return part(open, open.run.bytes.subarray(open.from), null, null);
}

function part(
  { name, fileName, mediaType }: Headers,
  head: Buffer,
  tail: Buffer | null,
  bytes: number | null,
): FormPart {
  const isField = fileName === null && (mediaType === null || /^text\/|\bjson$/.test(mediaType));
  // Some clients send a file without saying that it is one.
  const isKept = bytes === head.length && bytes <= VALUE_BYTES_MAX && !head.includes(0);
  return { name, fileName, mediaType, text: isField && isKept ? head.toString("utf8") : null, head, tail, bytes };
}

interface Headers {
  readonly name: string;
  readonly fileName: string | null;
  readonly mediaType: string | null;
}

function readHeaders(text: string): Headers {
  const disposition = /^content-disposition:(.*)$/im.exec(text)?.[1] ?? "";
  const extended = /;\s*filename\*=[^';]*'[^';]*'([^;\s]*)/i.exec(disposition)?.[1];
  return {
    name: parameter(disposition, /;\s*name=(?:"((?:[^"\\]|\\.)*)"|([^;\s]*))/i) ?? "",
    fileName:
      (extended === undefined ? null : decoded(extended)) ??
      parameter(disposition, /;\s*filename=(?:"((?:[^"\\]|\\.)*)"|([^;\s]*))/i),
    mediaType: bareType(/^content-type:(.*)$/im.exec(text)?.[1] ?? null),
  };
}

/** Backslashes stand before quotes; clients on Windows also send them bare, in paths. */
function parameter(disposition: string, pattern: RegExp): string | null {
  const match = pattern.exec(disposition);
  const value = match?.[1]?.replace(/\\"/g, '"') ?? match?.[2] ?? null;
  return value === null ? null : value.slice(0, 500);
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text).slice(0, 500);
  } catch {
    return null;
  }
}

const LF = 0x0a;
const CR = 0x0d;
