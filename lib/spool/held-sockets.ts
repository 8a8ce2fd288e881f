/** What a reader knows of open sockets, measured. Its growth is bounded by what it was told, so that a look now and then is enough. */
export interface HeldSockets {
  /** It was told so many more bytes; 0 for one that another process has read before. Returns by how much what it holds seems to have changed. */
  grew(seq: number, state: unknown, bytes: number): number;
  /** Of one socket, as far as it is known. */
  bytes(seq: number): number;
  /** What it could give up at most. */
  spare(seq: number): number;
  /** It has given up what it can. Returns by how much it has become less. */
  gaveUp(seq: number, state: unknown): number;
  forget(seq: number): void;
}

interface Held {
  bytes: number;
  /** Told since the last look; they are among `bytes`. */
  told: number;
  /** What was left when it gave up all it could: there is no more to be had of that. */
  floor: number;
}

/** So much is told before it is looked at again: a look costs about as much as reading it did. */
const LOOK_BYTES = 64 << 10;

export function createHeldSockets(): HeldSockets {
  const sockets = new Map<number, Held>();
  const of = (seq: number): Held => {
    const known = sockets.get(seq) ?? { bytes: 0, told: 0, floor: 0 };
    sockets.set(seq, known);
    return known;
  };
  return {
    grew(seq, state, bytes) {
      const isNew = !sockets.has(seq);
      const one = of(seq);
      const before = one.bytes;
      one.told += bytes;
      if (isNew || one.told >= LOOK_BYTES) look(one, state);
      else one.bytes += bytes;
      return one.bytes - before;
    },
    bytes: (seq) => sockets.get(seq)?.bytes ?? 0,
    spare: (seq) => Math.max(0, of(seq).bytes - of(seq).floor),
    gaveUp(seq, state) {
      const one = of(seq);
      const before = one.bytes;
      look(one, state);
      one.floor = one.bytes;
      return before - one.bytes;
    },
    forget: (seq) => void sockets.delete(seq),
  };
}

function look(one: Held, state: unknown): void {
  one.bytes = bytesOf(state);
  one.told = 0;
  one.floor = Math.min(one.floor, one.bytes);
}

/** Of a value or a member, beside its text. */
const VALUE_BYTES = 16;

/** About what a JSON value takes: most of its text is Latin, one byte a character. */
export function bytesOf(value: unknown): number {
  if (typeof value === "string") return VALUE_BYTES + value.length;
  if (value === null || typeof value !== "object") return VALUE_BYTES;
  let bytes = VALUE_BYTES;
  if (Array.isArray(value)) for (const one of value) bytes += bytesOf(one);
  else for (const name in value) bytes += VALUE_BYTES + bytesOf((value as Record<string, unknown>)[name]);
  return bytes;
}
