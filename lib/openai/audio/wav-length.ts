import type { KeptFile } from "../bodies/kept-file.ts";
import type { FoundLength } from "./audio-length.ts";

/**
 * RIFF and RF64. Who writes into a pipe does not know the size of the data and writes 0 or 0xFFFFFFFF (OpenAI's speech does): then it
 * reaches to the end of the file.
 */
export function wavLength({ head, bytes }: KeptFile): FoundLength | null {
  let bytesPerSecond = 0;
  for (let at = 12; at + 8 <= head.length; ) {
    const kind = head.toString("latin1", at, at + 4);
    const size = head.readUInt32LE(at + 4);
    if (kind === "fmt ") bytesPerSecond = head.readUInt32LE(at + 16);
    if (kind === "data") {
      if (bytesPerSecond === 0) return null;
      const rest = (bytes ?? head.length) - at - 8;
      const isStated = size > 0 && size < rest;
      return { ms: ((isStated ? size : rest) / bytesPerSecond) * 1000, ofWhole: isStated || bytes !== null };
    }
    at += 8 + size + (size % 2);
  }
  return null;
}
