import { afterDataUrlHead, BACKSLASH, closingQuote, endsEscaped, extraOf, looksBase64, QUOTE } from "./json-strings.ts";
import { createKeptText } from "./kept-text.ts";
import { createLastBytes, type LastBytes } from "./last-bytes.ts";

/** Audio and pictures of up to so many characters pass for text, unless the message says that they are audio. */
const SHORT_BYTES_MAX = 512;

const COLON = 0x3a;
const COMMA = 0x2c;
const EQUALS = 0x3d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

/** The event's key whose value is audio, of whatever length. */
const AUDIO_KEY = new Map([
  ["input_audio_buffer.append", "audio"],
  ["session.input_audio_buffer.append", "audio"],
  ["response.output_audio.delta", "delta"],
  ["response.audio.delta", "delta"],
  ["session.output_audio.delta", "delta"],
]);
/** Events that may hold audio somewhere within, under whatever key; and pictures. */
const MAY_HOLD_AUDIO = /audio(?![._]transcript)/;
const MAY_HOLD_PICTURES = /^conversation\.item\./;
/** Events that state what a call used, and with it its cost. */
const ENDS_CALL = /^response\.(?:done|completed|incomplete|failed)$|input_audio_transcription\.(?:completed|failed)$/;
const ELIDED = "elided:";
/** Of those the ones that repeat all of an answer, however long it is, and state its usage behind that: of them the end is kept, too. */
const STATES_USAGE_LAST = /^response\.(?:completed|incomplete|failed)$/;
const END_BYTES = 16 << 10;
/** Keys that mean something here; all others are one. */
const KEYS = new Set(["type", "audio", "delta", "image_url", "value", "client_secret"]);
const KEY_BYTES_MAX = Math.max(...[...KEYS].map(({ length }) => length));
const startsKey = new Uint8Array(256);
for (const one of KEYS) startsKey[one.charCodeAt(0)] = 1;

export interface MessageText {
  /** The next bytes of the message. `last`: there are no more. They may be overwritten afterwards. */
  push(bytes: Buffer, last: boolean): void;
  /**
   * Ends the message. `bytes` are good until the next `push` to anything here. `cut`: there was more text than is kept; where its end was kept
   * too, a NUL stands between them (JSON has none).
   */
  take(): { bytes: Buffer; cut: boolean; endsCall: boolean };
}

export interface MessageTextOptions {
  keepAudio: boolean;
  textBytesMax: number;
  /** What an ephemeral key becomes. */
  mask: (secret: string) => string;
}

/** Between two pushes of one message. */
const newState = () => ({
  begun: false,
  /** Bytes of a string that is not decided yet, from its opening quote. */
  undecided: null as Buffer | null,
  place: "structure" as "structure" | "copied" | "counted",
  /** In a long string: its last byte was a backslash that escapes the next one. */
  escaped: false,
  depth: 0,
  /** The next string is a value, of this key (empty: of no interest). */
  isValue: false,
  key: "",
  type: "",
  base64Bytes: 0,
  padding: 0,
  /** Of a text that was cut. */
  end: null as LastBytes | null,
});

/**
 * The text of a WebSocket message as it is kept: audio replaced by `elided:` and its number of base64 characters (padding included), followed
 * by the padding itself, so that `elided:1280==` stood for 1280 × 3 / 4 − 2 bytes. A picture's data URL keeps its head. Ephemeral keys are
 * masked. Nothing is parsed: strings are found by their quotes, a long one is counted while it streams by and never held.
 *
 *   structure ── a quote ──► string of at most 512 bytes: undecided until it is whole, then copied, replaced or masked
 *                            a longer one: copied, or counted ──► its closing quote ──► structure
 */
export function createMessageText({ keepAudio, textBytesMax, mask }: MessageTextOptions): MessageText {
  const kept = createKeptText(textBytesMax);
  let state = newState();
  /** Of the bytes being scanned: what lies before is kept, or replaced. */
  let keptTo = 0;

  return {
    push(bytes, last) {
      if (kept.cut) return void state.end?.add(bytes);
      if (!state.begun && !last) kept.holdOn();
      state.begun = true;
      const { undecided } = state;
      state.undecided = null;
      scan(undecided ? Buffer.concat([undecided, bytes]) : bytes);
      if (!kept.cut || !STATES_USAGE_LAST.test(state.type) || textBytesMax < 2 * END_BYTES) return;
      state.end = createLastBytes(END_BYTES);
      state.end.add(bytes);
    },
    take() {
      // Only of what is no JSON there is something left.
      if (state.place === "counted") kept.write(elided());
      if (state.undecided) kept.keep(state.undecided, 0, state.undecided.length);
      const endsCall = ENDS_CALL.test(state.type);
      const end = state.end?.read();
      state = newState();
      const taken = kept.take();
      if (end) {
        const from = taken.bytes.length - end.length;
        taken.bytes[from - 1] = 0;
        taken.bytes.set(end, from);
      }
      return { ...taken, endsCall };
    },
  };

  function scan(bytes: Buffer) {
    keptTo = 0;
    for (let at = 0; at < bytes.length && !kept.cut; ) at = advance(bytes, at);
    kept.keep(bytes, keptTo, bytes.length);
  }

  function advance(bytes: Buffer, at: number): number {
    if (state.place !== "structure") return longString(bytes, at);
    if (bytes[at] === QUOTE) return newString(bytes, at);
    step(bytes[at] as number);
    return at + 1;
  }

  /** From its opening quote. */
  function newString(bytes: Buffer, at: number): number {
    const from = at + 1;
    const end = closingQuote(bytes, from, false);
    if ((end < 0 ? bytes.length : end) - from > SHORT_BYTES_MAX) {
      if (!state.isValue) state.key = "";
      const audio = keepAudio || !state.isValue ? -1 : audioFrom(bytes, from);
      state.place = audio < 0 ? "copied" : "counted";
      if (audio < 0) return from;
      kept.keep(bytes, keptTo, audio);
      state.base64Bytes = 0;
      state.padding = 0;
      return audio;
    }
    if (end < 0) {
      kept.keep(bytes, keptTo, at);
      keptTo = bytes.length;
      // A copy: the bytes are somebody else's.
      state.undecided = Buffer.from(bytes.subarray(at));
      return bytes.length;
    }
    const instead = shortString(bytes, from, end);
    if (instead !== null) {
      kept.keep(bytes, keptTo, from);
      kept.write(instead);
      keptTo = end;
    }
    return end + 1;
  }

  /** Up to its closing quote, as far as it has come. */
  function longString(bytes: Buffer, at: number): number {
    const end = closingQuote(bytes, at, state.escaped);
    const to = end < 0 ? bytes.length : end;
    if (state.place === "counted") {
      count(bytes, at, to);
      if (end >= 0) kept.write(elided());
      keptTo = to;
    } else if (end < 0) state.escaped = endsEscaped(bytes, at, to, state.escaped);
    if (end < 0) return to;
    state.place = "structure";
    state.escaped = false;
    state.isValue = false;
    return end + 1;
  }

  function step(byte: number) {
    if (byte === COLON) state.isValue = true;
    else if (byte === COMMA) state.isValue = false;
    else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      state.depth++;
      state.isValue = false;
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      state.depth--;
      state.isValue = false;
    }
  }

  /** What stands for it, or null: it stays. */
  function shortString(bytes: Buffer, from: number, end: number): string | null {
    if (!state.isValue) {
      state.key = keyOf(bytes, from, end);
      return null;
    }
    state.isValue = false;
    switch (state.key) {
      case "":
        return null;
      case "type":
        if (state.depth === 1) state.type = bytes.toString("latin1", from, end);
        return null;
      case "value":
      case "client_secret": {
        const value = bytes.toString("latin1", from, end);
        return value.startsWith("ek_") ? mask(value) : null;
      }
    }
    if (end === from || state.key !== audioKey()) return null;
    // What stands for audio is believed when it is read: a client that writes it would be charged for what it never sent.
    if (bytes.toString("latin1", from, from + ELIDED.length) === ELIDED) return `${ELIDED}0`;
    if (keepAudio || !looksBase64(bytes, from, end)) return null;
    state.base64Bytes = 0;
    state.padding = 0;
    count(bytes, from, end);
    return elided();
  }

  /** At the top of a message of which nobody knows yet what it is, `audio` can be nothing else. */
  function audioKey(): string | undefined {
    return state.type === "" && state.depth === 1 ? "audio" : AUDIO_KEY.get(state.type);
  }

  /** Where in a long string audio or a picture begins; -1: it is neither. */
  function audioFrom(bytes: Buffer, from: number): number {
    const { key, type } = state;
    if (key === "image_url") {
      const start = MAY_HOLD_PICTURES.test(type) ? afterDataUrlHead(bytes, from) : -1;
      return start >= 0 && looksBase64(bytes, start, from + SHORT_BYTES_MAX) ? start : -1;
    }
    const mayBe = key === "audio" || (key === "delta" && type === "") || MAY_HOLD_AUDIO.test(type);
    return mayBe && looksBase64(bytes, from, from + SHORT_BYTES_MAX) ? from : -1;
  }

  function count(bytes: Buffer, from: number, to: number) {
    state.base64Bytes += to - from;
    let at = from;
    if (state.escaped && at < to) {
      state.base64Bytes -= extraOf(bytes[at++] as number);
      state.escaped = false;
    }
    const piece = bytes.subarray(0, to);
    for (let found = piece.indexOf(BACKSLASH, at); found >= 0; found = piece.indexOf(BACKSLASH, found + 2)) {
      if (found + 1 < to) state.base64Bytes -= extraOf(bytes[found + 1] as number);
      else state.escaped = true;
    }
    let end = to;
    while (end > from && bytes[end - 1] === EQUALS) end--;
    state.padding = (end === from ? state.padding : 0) + to - end;
  }

  function elided(): string {
    return `${ELIDED}${state.base64Bytes}${"=".repeat(Math.min(2, state.padding))}`;
  }
}

function keyOf(bytes: Buffer, from: number, end: number): string {
  if (startsKey[bytes[from] as number] === 0 || end - from > KEY_BYTES_MAX) return "";
  const name = bytes.toString("latin1", from, end);
  return KEYS.has(name) ? name : "";
}
