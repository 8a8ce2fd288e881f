import { accessSync, constants, statfsSync } from "node:fs";
import { tmpdir } from "node:os";

/** Memory where there is plenty: a database is a thousand small files. */
export function temporaryFolder(): string {
  try {
    accessSync("/dev/shm", constants.W_OK);
    const { bavail, bsize } = statfsSync("/dev/shm");
    if (bavail * bsize > 2 * 2 ** 30) return "/dev/shm";
  } catch {
    // Not Linux, or not for us.
  }
  return tmpdir();
}
