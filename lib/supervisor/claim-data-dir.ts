import { accessSync, constants, mkdirSync } from "node:fs";
import { join } from "node:path";
import { tryLock } from "#lib/setup/lock.mjs";
import { StartError } from "./start-error.ts";

/** One instance per data folder; what a killed one left behind is taken over. Returns the release. */
export function claimDataDir(dir: string): () => void {
  try {
    mkdirSync(dir, { recursive: true });
    accessSync(dir, constants.W_OK | constants.X_OK);
    const lock = tryLock(join(dir, "instance.lock"));
    if ("release" in lock) return lock.release;
    throw new StartError(
      "already_running",
      `Omnimeter is already running on ${dir} (process ${lock.owner}): stop it, or set OMNIMETER_DATA_DIR to another folder.`,
    );
  } catch (error) {
    if (error instanceof StartError) throw error;
    throw new StartError(
      "data_dir_not_writable",
      `The data folder ${dir} cannot be used (${(error as NodeJS.ErrnoException).code ?? error}): ` +
        "give this user the right to write there, or set OMNIMETER_DATA_DIR to another folder.",
    );
  }
}
