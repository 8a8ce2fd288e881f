import type { Piece } from "./content-encoding.ts";

/** A file as far as it was kept: all of it, or its beginning and perhaps its end. */
export interface KeptFile {
  /** As stated, without parameters and in lower case; null: not stated. */
  readonly mediaType: string | null;
  /** Length of the whole; null: not known. */
  readonly bytes: number | null;
  readonly head: Buffer;
  /** The last bytes, where something before them is missing; null: nothing is, or the end is missing too. */
  readonly tail: Buffer | null;
}

export const isWhole = ({ bytes, head, tail }: KeptFile): boolean => tail === null && bytes === head.length;

/** A body that is a file. `bytes`: its length as it was on the wire, known only when it was seen to its end. */
export function keptFile(pieces: readonly Piece[], mediaType: string | null, bytes: number | null): KeptFile {
  const runs = runsOf(pieces);
  const [first] = runs;
  const last = runs.length > 1 ? runs.at(-1) : undefined;
  return { mediaType, bytes, head: first?.bytes ?? Buffer.alloc(0), tail: last?.bytes ?? null };
}

/** Kept bytes without a gap. */
export interface Run {
  /** Where it begins; null: nobody counted what is missing before it. */
  readonly offset: number | null;
  readonly bytes: Buffer;
}

export function runsOf(pieces: readonly Piece[]): Run[] {
  const stretches: Piece[][] = [];
  for (const piece of pieces) {
    if (piece.afterGap || stretches.length === 0) stretches.push([]);
    stretches.at(-1)?.push(piece);
  }
  let offset: number | null = 0;
  return stretches.map((stretch) => {
    const [first] = stretch as [Piece];
    if (first.afterGap) offset = offset === null || first.missing === undefined ? null : offset + first.missing;
    const bytes: Buffer = stretch.length === 1 ? first.bytes : Buffer.concat(stretch.map((piece) => piece.bytes));
    const run = { offset, bytes };
    if (offset !== null) offset += bytes.length;
    return run;
  });
}

/** `audio/MPEG; x=y` → `audio/mpeg`. */
export function bareType(type: string | null): string | null {
  return type?.split(";", 1)[0]?.trim().toLowerCase() || null;
}
