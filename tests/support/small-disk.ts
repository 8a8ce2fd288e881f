import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, closeSync, mkdirSync, openSync, rmSync, statfsSync, writeSync } from "node:fs";
import { join } from "node:path";

/** A disk of a few megabytes in memory, which a test can fill to the last byte. */
export interface SmallDisk {
  readonly dir: string;
  /** Nearly all of it at first, by another process: this one has clients to serve. */
  fill(): Promise<void>;
  /** Gives back what `fill` took. */
  relieve(): void;
  remove(): void;
}

/** Left for whoever writes meanwhile: what does not fit is not taken at all. */
const SPARED_BYTES = 16 << 20;
const BLOCK = Buffer.alloc(1 << 16);

/** null: this user may not mount one. */
export function smallDisk(dir: string, megabytes: number): SmallDisk | null {
  mkdirSync(dir, { recursive: true });
  const { status } = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m`, "tmpfs", dir]);
  if (status !== 0) return null;
  // A database runs as another user.
  chmodSync(dir, 0o711);
  const filler = join(dir, "filler");
  const relieve = () => rmSync(filler, { force: true });
  return {
    dir,
    async fill() {
      await once(spawn("fallocate", ["-l", String(freeBytes(dir)), filler], { stdio: "ignore" }), "close").catch(
        () => {},
      );
      const file = openSync(filler, "a");
      try {
        // First by blocks, then by bytes, until there is no room for another one.
        for (const size of [BLOCK.length, 1]) while (hasRoom(() => writeSync(file, BLOCK, 0, size)));
      } finally {
        closeSync(file);
      }
    },
    relieve,
    remove() {
      relieve();
      spawnSync("umount", ["-l", dir]);
    },
  };
}

function freeBytes(dir: string): number {
  const { bavail, bsize } = statfsSync(dir);
  return Math.max(0, bavail * bsize - SPARED_BYTES);
}

function hasRoom(write: () => number): boolean {
  try {
    return write() > 0;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOSPC") return false;
    throw error;
  }
}
