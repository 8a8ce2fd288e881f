/** Text of one message that comes in several pieces; it grows as the message does. */
const FIRST_BYTES = 2 << 10;

/** Where texts that come in one piece are written: most do, and each is over before the next one begins. */
let shared = Buffer.allocUnsafeSlow(FIRST_BYTES);

export interface KeptText {
  /** More was written than is kept: nothing is added any more. */
  readonly cut: boolean;
  /** Before the first `keep` of a text that is not over with it. */
  holdOn(): void;
  keep(bytes: Buffer, from: number, to: number): void;
  write(words: string): void;
  /** Ends the text. What it returns is good until anything is kept again, here or elsewhere. */
  take(): { bytes: Buffer; cut: boolean };
}

/** A text that is written piece by piece, up to `bytesMax`. Between two texts it holds nothing. */
export function createKeptText(bytesMax: number): KeptText {
  let own: Buffer | null = null;
  let used = 0;
  let cut = false;
  return {
    get cut() {
      return cut;
    },
    holdOn() {
      own ??= Buffer.allocUnsafeSlow(FIRST_BYTES);
    },
    keep,
    write(words) {
      const bytes = Buffer.from(words, "latin1");
      keep(bytes, 0, bytes.length);
    },
    take() {
      const taken = { bytes: (own ?? shared).subarray(0, used), cut };
      own = null;
      used = 0;
      cut = false;
      return taken;
    },
  };

  function keep(bytes: Buffer, from: number, to: number) {
    if (to <= from || cut) return;
    const wanted = to - from;
    const taken = Math.min(wanted, bytesMax - used);
    const into = makeRoom(taken);
    bytes.copy(into, used, from, from + taken);
    used += taken;
    cut = taken < wanted;
  }

  function makeRoom(bytes: number): Buffer {
    const into = own ?? shared;
    if (used + bytes <= into.length) return into;
    const larger = Buffer.allocUnsafeSlow(Math.min(bytesMax, 2 * (used + bytes)));
    into.copy(larger, 0, 0, used);
    if (own) own = larger;
    else shared = larger;
    return larger;
  }
}
