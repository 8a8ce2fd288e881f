import { Buffer } from "node:buffer";
import type { Transform } from "node:stream";
import zlib from "node:zlib";

/** A run of kept bytes, decoded, with the arrival of its chunk. */
export interface Piece {
  readonly atMs: number;
  readonly bytes: Buffer;
  /** Bytes are missing before this piece. */
  readonly afterGap: boolean;
  /** How many of them, on the wire. */
  readonly missing?: number;
}

/** A few kilobytes can unpack to gigabytes; beyond this the rest is left packed. */
export const DECODED_BYTES_MAX = 64 * 1024 * 1024;

/** `gzip, br` → the codings in the order in which they were applied. */
export function codings(encoding: string): string[] {
  return encoding
    .split(",")
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== "" && name !== "identity");
}

/**
 * Undoes content codings as far as the kept bytes allow; a damaged, cut or unknown coding is a problem, not an error.
 * A whole body is unpacked at once. Where the arrival of each part matters (`keepsTimes`), or where that fails, pieces
 * are fed one by one and what each gives out keeps its time.
 */
export function undoCodings(
  pieces: Piece[],
  names: readonly string[],
  keepsTimes: boolean,
  onProblem: (problem: string) => void,
): Piece[] | Promise<Piece[]> {
  if (names.length === 0) return pieces;
  if (names.some((name) => !(name in UNPACKERS))) {
    onProblem("encoding_unknown");
    return [];
  }
  const gapAt = pieces.findIndex((piece) => piece.afterGap);
  if (gapAt >= 0) onProblem("cut");
  const whole = gapAt >= 0 ? pieces.slice(0, gapAt) : pieces;
  if (!keepsTimes) {
    const unpacked = unpackAtOnce(whole, names);
    if (unpacked !== null) return unpacked;
  }
  return unpackPieceByPiece(whole, names, onProblem);
}

function unpackAtOnce(pieces: Piece[], names: readonly string[]): Piece[] | null {
  try {
    let bytes: Buffer = Buffer.concat(pieces.map((piece) => piece.bytes));
    for (const name of names.toReversed()) bytes = UNPACKERS[name as Coding].atOnce(bytes);
    return [{ atMs: pieces.at(-1)?.atMs ?? 0, bytes, afterGap: false }];
  } catch {
    return null;
  }
}

async function unpackPieceByPiece(
  pieces: Piece[],
  names: readonly string[],
  onProblem: (problem: string) => void,
): Promise<Piece[]> {
  let unpacked = pieces;
  for (const name of names.toReversed()) unpacked = await unpackStream(unpacked, name as Coding, onProblem);
  return unpacked;
}

async function unpackStream(pieces: Piece[], name: Coding, onProblem: (problem: string) => void): Promise<Piece[]> {
  const stream = UNPACKERS[name].stream(pieces[0]?.bytes ?? Buffer.alloc(0));
  const unpacked: Piece[] = [];
  let atMs = 0;
  let total = 0;
  stream.on("data", (bytes: Buffer) => {
    total += bytes.length;
    if (total <= DECODED_BYTES_MAX) unpacked.push({ atMs, bytes, afterGap: false });
    else stream.destroy(new Error("too much"));
  });
  const failed = new Promise<boolean>((resolve) => {
    stream.on("error", () => resolve(true));
    stream.on("close", () => resolve(true));
    stream.on("end", () => resolve(false));
  });
  for (const piece of pieces) {
    atMs = piece.atMs;
    const written = new Promise<boolean>((resolve) => stream.write(piece.bytes, (error) => resolve(Boolean(error))));
    if (await Promise.race([written, failed])) break;
  }
  if (!stream.destroyed) stream.end();
  if (await failed) onProblem(total > DECODED_BYTES_MAX ? "oversized" : "encoding_broken");
  stream.destroy();
  return unpacked;
}

type Coding = "gzip" | "x-gzip" | "deflate" | "br" | "zstd";

interface Unpacker {
  atOnce(bytes: Buffer): Buffer;
  stream(firstBytes: Buffer): Transform;
}

const limit = { maxOutputLength: DECODED_BYTES_MAX };

const gzip: Unpacker = {
  atOnce: (bytes) => zlib.gunzipSync(bytes, limit),
  stream: () => zlib.createGunzip({ finishFlush: zlib.constants.Z_SYNC_FLUSH }),
};

const UNPACKERS: Record<Coding, Unpacker> = {
  gzip,
  "x-gzip": gzip,
  deflate: {
    atOnce: (bytes) => (hasZlibHeader(bytes) ? zlib.inflateSync(bytes, limit) : zlib.inflateRawSync(bytes, limit)),
    stream: (firstBytes) =>
      hasZlibHeader(firstBytes)
        ? zlib.createInflate({ finishFlush: zlib.constants.Z_SYNC_FLUSH })
        : zlib.createInflateRaw({ finishFlush: zlib.constants.Z_SYNC_FLUSH }),
  },
  br: {
    atOnce: (bytes) => zlib.brotliDecompressSync(bytes, limit),
    stream: () => zlib.createBrotliDecompress({ finishFlush: zlib.constants.BROTLI_OPERATION_FLUSH }),
  },
  zstd: {
    atOnce: (bytes) => zlib.zstdDecompressSync(bytes, limit),
    stream: () => zlib.createZstdDecompress({ finishFlush: zlib.constants.ZSTD_e_flush }),
  },
};

/** `deflate` should be zlib's format, but some servers send the bare stream (RFC 9110, 8.4.1.2, note). */
function hasZlibHeader(bytes: Buffer): boolean {
  const [first = 0, second = 0] = bytes;
  return (first & 0x0f) === 8 && (first * 256 + second) % 31 === 0;
}
