import type { JsonObject } from "./json.ts";
import { parseJson } from "./json.ts";

/**
 * What can still be read of a JSON object of which only the beginning and perhaps the end were kept: every top-level
 * member that is whole, and of a top-level list that broke off its whole elements. So a request with ten megabytes of
 * images still tells its model, and an answer too long to keep still tells its usage, which stands last.
 */
export function salvage(head: string, tail: string | null): JsonObject {
  const found: Record<string, unknown> = {};
  if (head.trimStart().startsWith("{")) keepMembers(scan(head, false), head, 1, found);
  if (tail !== null) keepEnd(tail, 1, found);
  return found;
}

/** `depth`: of the object, 1 for the outermost. */
function keepEnd(tail: string, depth: number, found: Record<string, unknown>): void {
  if (!tail.trimEnd().endsWith("}")) return;
  // Nobody knows whether the tail begins inside a string. The right guess ends outside of one; the wrong one does so by escaped quotes
  // alone, and then hardly finds anything that is a member.
  const guesses = [false, true].map((startsInString) => {
    const reading = scan(tail, startsInString);
    const members: Record<string, unknown> = {};
    if (!reading.endsInString) keepMembers(reading, tail, reading.depth + depth, members);
    return members;
  });
  const [outside = {}, inside = {}] = guesses;
  Object.assign(found, Object.keys(inside).length > Object.keys(outside).length ? inside : outside);
}

/** The same of an object that is the member `name` of the object; at the tail it is the last that holds anything. null: it is not there. */
export function salvageMember(head: string, tail: string | null, name: string): JsonObject | null {
  const reading = scan(head, false);
  const member = reading.members.find(({ depth, key }) => depth === 1 && key === name);
  if (member === undefined || !head.slice(member.start).trimStart().startsWith("{")) return null;
  const found: Record<string, unknown> = {};
  const members = reading.members.filter(({ start }) => start > member.start);
  keepMembers({ ...reading, members }, head, 2, found);
  if (tail !== null) keepEnd(tail, 2, found);
  return found;
}

interface Member {
  readonly key: string;
  readonly depth: number;
  readonly start: number;
  /** -1: broke off. */
  end: number;
  /** Ends of the whole elements, for a list that broke off. */
  readonly elementEnds: number[];
}

interface Scan {
  readonly members: Member[];
  /** Relative to the beginning of the text. */
  readonly depth: number;
  readonly endsInString: boolean;
}

function keepMembers(reading: Scan, text: string, depth: number, found: Record<string, unknown>): void {
  for (const member of reading.members) {
    if (member.depth !== depth) continue;
    const value =
      member.end >= 0
        ? parseJson(text.slice(member.start, member.end))
        : parseJson(`${text.slice(member.start, member.elementEnds.at(-1) ?? member.start + 1)}]`);
    if (value !== undefined) found[member.key] = value;
  }
}

/** One pass over the text: where members begin and end, at every depth. */
function scan(text: string, startsInString: boolean): Scan {
  const members: Member[] = [];
  const open: Member[] = [];
  let depth = 0;
  let inString = startsInString;
  let stringStart = 0;
  let key: string | null = null;

  function closeAt(end: number): void {
    const member = open.at(-1);
    if (member?.depth !== depth) return;
    member.end = end;
    open.pop();
  }

  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (inString) {
      if (code === BACKSLASH) i++;
      else if (code === QUOTE) {
        inString = false;
        key = i - stringStart <= KEY_CHARS_MAX ? text.slice(stringStart, i) : null;
      }
      continue;
    }
    if (code === QUOTE) {
      inString = true;
      stringStart = i + 1;
    } else if (code === COLON && key !== null) {
      const member = { key, depth, start: i + 1, end: -1, elementEnds: [] };
      members.push(member);
      open.push(member);
      key = null;
    } else if (code === COMMA) {
      closeAt(i);
      const list = open.at(-1);
      if (list?.depth === depth - 1 && depth - 1 <= 1) list.elementEnds.push(i);
    } else if (code === BRACE_OPEN || code === BRACKET_OPEN) depth++;
    else if (code === BRACE_CLOSE || code === BRACKET_CLOSE) {
      closeAt(i);
      depth--;
    }
  }
  return { members, depth, endsInString: inString };
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const COMMA = 0x2c;
const BRACE_OPEN = 0x7b;
const BRACE_CLOSE = 0x7d;
const BRACKET_OPEN = 0x5b;
const BRACKET_CLOSE = 0x5d;
const KEY_CHARS_MAX = 100;
