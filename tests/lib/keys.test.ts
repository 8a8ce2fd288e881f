import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ensureKey, readKey } from "#lib/keys.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "omnimeter-keys-"));
});
afterEach(() => rmSync(dir, { recursive: true }));

test("a key is made once, for its owner's eyes only", () => {
  const path = join(dir, "keys", "content");
  const key = ensureKey(path);
  expect(key).toHaveLength(32);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(ensureKey(path)).toEqual(key);
  expect(readKey(path)).toEqual(key);
});

test("processes that start at once get the same key", async () => {
  const script = `import("#lib/keys.ts").then(({ ensureKey }) => console.log(ensureKey(process.argv[1]).toString("hex")))`;
  const path = join(dir, "content");
  const runs = Array.from({ length: 4 }, () => promisify(execFile)(process.execPath, ["-e", script, path]));
  const keys = (await Promise.all(runs)).map(({ stdout }) => stdout.trim());
  expect(new Set(keys)).toEqual(new Set([readFileSync(path).toString("hex")]));
  expect(readdirSync(dir)).toEqual(["content"]);
});

test("a missing key is not silently replaced by the reader, a damaged one by nobody", () => {
  expect(() => readKey(join(dir, "none"))).toThrow("restore it");
  writeFileSync(join(dir, "short"), "abc");
  expect(() => ensureKey(join(dir, "short"))).toThrow("3 bytes instead of 32");
  expect(readFileSync(join(dir, "short"), "utf8")).toBe("abc");
});
