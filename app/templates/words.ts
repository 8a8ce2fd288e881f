import { join } from "node:path";
import { readKey } from "#lib/keys.ts";
import { openContent } from "#lib/privacy/seal.ts";

/** The first words of instructions by their hash. What cannot be opened here (another key, none) is left out. */
export function openWords(sealed: ReadonlyMap<string, Buffer>, dataDir: string): Map<string, string> {
  if (sealed.size === 0) return new Map();
  let key: Buffer;
  try {
    key = readKey(join(dataDir, "keys", "content.key"));
  } catch {
    return new Map();
  }
  return new Map([...sealed].flatMap(([hash, bytes]) => wordsOf(hash, bytes, key)));
}

function wordsOf(hash: string, bytes: Buffer, key: Buffer): [string, string][] {
  try {
    const part = openContent(bytes, key).input[0]?.parts[0];
    return part?.type === "text" && part.text ? [[hash, part.text]] : [];
  } catch {
    return [];
  }
}
