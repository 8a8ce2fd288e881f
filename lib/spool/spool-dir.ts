import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export const spoolRoot = (dataDir: string): string => join(dataDir, "spool");
export const spoolKeyFile = (dataDir: string): string => join(dataDir, "keys", "spool.key");
export const contentKeyFile = (dataDir: string): string => join(dataDir, "keys", "content.key");

/** Where stored segments go that are kept (OMNIMETER_KEEP_SPOOL): beside the others they would count as waiting. */
export const keptDir = (dir: string): string => join(dir, "kept");

/**
 * The directory of one worker's spool and its identity: a random name kept in the directory, so that two hosts (or a
 * deleted and recreated directory) never share a row of spool_positions.
 */
export function openSpoolDir(
  dataDir: string,
  worker: number,
  name: string = randomUUID(),
): { dir: string; spool: string } {
  const dir = join(spoolRoot(dataDir), `worker-${worker}`);
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const file = join(dir, "spool.json");
  if (readSpoolName(dir) === null) {
    writeFileSync(`${file}.new`, JSON.stringify({ spool: name }), { mode: 0o600 });
    renameSync(`${file}.new`, file);
  }
  return { dir, spool: readSpoolName(dir) as string };
}

/** Every spool below a data directory. */
export function listSpools(dataDir: string): { dir: string; spool: string }[] {
  const root = spoolRoot(dataDir);
  if (!existsSync(root)) return [];
  return readdirSync(root)
    .map((name) => ({ dir: join(root, name), spool: readSpoolName(join(root, name)) }))
    .filter((one): one is { dir: string; spool: string } => one.spool !== null);
}

function readSpoolName(dir: string): string | null {
  try {
    return JSON.parse(readFileSync(join(dir, "spool.json"), "utf8")).spool ?? null;
  } catch {
    return null;
  }
}
