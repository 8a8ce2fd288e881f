import { randomBytes } from "node:crypto";
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

const KEY_BYTES = 32;

export class KeyError extends Error {
  readonly code: "key_missing" | "key_damaged";

  constructor(code: KeyError["code"], sentence: string) {
    super(sentence);
    this.name = "KeyError";
    this.code = code;
  }
}

/** @throws KeyError */
export function readKey(path: string): Buffer {
  const key = readIfThere(path);
  if (!key)
    throw new KeyError(
      "key_missing",
      `There is no key at ${path}: restore it from a backup, what it sealed cannot be read without it.`,
    );
  return key;
}

/** Makes the key when there is none. Of two processes that start at once, both get the one that came first. */
export function ensureKey(path: string): Buffer {
  const found = readIfThere(path);
  if (found) return found;
  mkdirSync(dirname(path), { recursive: true });
  // Written beside and linked into place: nobody ever sees half a key, and linking fails where one is already.
  const fresh = `${path}.${randomBytes(6).toString("hex")}`;
  writeFileSync(fresh, randomBytes(KEY_BYTES), { mode: 0o600, flush: true });
  try {
    linkSync(fresh, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    rmSync(fresh, { force: true });
  }
  return readKey(path);
}

function readIfThere(path: string): Buffer | null {
  let key: Buffer;
  try {
    key = readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
  if (key.length !== KEY_BYTES)
    throw new KeyError(
      "key_damaged",
      `The key at ${path} has ${key.length} bytes instead of ${KEY_BYTES}: restore it from a backup.`,
    );
  return key;
}
