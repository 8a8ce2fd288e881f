import { StringDecoder } from "node:string_decoder";

/** One server-sent event and the arrival of the chunk that completed it. */
export interface SseEvent {
  /** null: the event has no name. */
  readonly event: string | null;
  readonly data: string;
  readonly atMs: number;
  /** The body ended before the blank line that ends an event. */
  readonly unfinished?: true;
}

export interface SseParser {
  push(bytes: Buffer, atMs: number): void;
  /** Bytes are missing here: what was begun is given up, reading goes on at the next line. */
  gap(): void;
  /** The body is over; an event without its blank line is still given out, marked `unfinished`. */
  end(): void;
  /** Events beyond EVENT_CHARS_MAX: skipped. */
  readonly oversized: number;
}

export const EVENT_CHARS_MAX = 32 * 1024 * 1024;

/**
 * Reads an event stream from chunks as they arrived, which may split it at any byte: inside a character, a line end or
 * a name. Lines end in LF, CRLF or CR (https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream).
 */
export function createSseParser(onEvent: (event: SseEvent) => void): SseParser {
  let decoder = new StringDecoder("utf8");
  let atStart = true;
  /** The line that has begun; grows by appending, so that a long line in many chunks costs no more than its length. */
  let line = "";
  /** A CR ended the last line: an LF that comes next belongs to it. */
  let sawCr = false;
  let skipsLine = false;
  let event: string | null = null;
  let data: string | null = null;
  let chars = 0;
  let oversized = 0;
  let lastAtMs = 0;

  return {
    push,
    gap,
    end,
    get oversized() {
      return oversized;
    },
  };

  function push(bytes: Buffer, atMs: number): void {
    read(decoder.write(bytes), atMs);
  }

  function gap(): void {
    decoder = new StringDecoder("utf8");
    clear();
    line = "";
    sawCr = false;
    skipsLine = true;
    atStart = false;
  }

  function end(): void {
    read(decoder.end(), lastAtMs);
    if (line !== "" && !skipsLine) readLine(line, lastAtMs);
    if (data !== null && chars <= EVENT_CHARS_MAX) onEvent({ event, data, atMs: lastAtMs, unfinished: true });
    clear();
    line = "";
  }

  function read(text: string, atMs: number): void {
    lastAtMs = atMs;
    if (text === "") return;
    let from = 0;
    if (atStart) {
      atStart = false;
      if (text.charCodeAt(0) === BOM) from = 1;
    }
    if (sawCr) {
      sawCr = false;
      if (text.charCodeAt(from) === LF) from++;
    }
    let lf = text.indexOf("\n", from);
    let cr = text.indexOf("\r", from);
    while (lf >= 0 || cr >= 0) {
      const to = cr >= 0 && (lf < 0 || cr < lf) ? cr : lf;
      endLine(text.slice(from, to), atMs);
      from = to + 1;
      if (to === cr) {
        if (from === text.length) sawCr = true;
        else if (lf === from) from++;
      }
      // Each is looked for only once it is passed: a stream without CR is searched for one once per chunk.
      if (lf >= 0 && lf < from) lf = text.indexOf("\n", from);
      if (cr >= 0 && cr < from) cr = text.indexOf("\r", from);
    }
    if (from < text.length) keep(from === 0 ? text : text.slice(from));
  }

  function keep(text: string): void {
    chars += text.length;
    if (chars <= EVENT_CHARS_MAX) line += text;
  }

  function endLine(rest: string, atMs: number): void {
    chars += rest.length;
    const whole = line === "" ? rest : line + rest;
    line = "";
    if (skipsLine) {
      skipsLine = false;
      chars = 0;
    } else readLine(whole, atMs);
  }

  function readLine(text: string, atMs: number): void {
    if (text === "") {
      dispatch(atMs);
      return;
    }
    if (chars > EVENT_CHARS_MAX) {
      data = null;
      return;
    }
    if (text.startsWith("data:")) {
      const value = text.slice(text.charCodeAt(5) === SPACE ? 6 : 5);
      data = data === null ? value : `${data}\n${value}`;
    } else if (text.startsWith("event:")) event = text.slice(text.charCodeAt(6) === SPACE ? 7 : 6) || null;
    else if (text === "data") data = data === null ? "" : `${data}\n`;
    // id, retry, comments and unknown fields tell a recorder nothing.
  }

  function dispatch(atMs: number): void {
    if (chars > EVENT_CHARS_MAX) oversized++;
    else if (data !== null) onEvent({ event, data, atMs });
    clear();
  }

  function clear(): void {
    event = null;
    data = null;
    chars = 0;
  }
}

const BOM = 0xfeff;
const LF = 0x0a;
const SPACE = 0x20;
