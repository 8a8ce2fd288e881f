// Plain JavaScript without dependencies: the setup runs before anything is installed, on the machine's own Node.
import { randomBytes } from "node:crypto";
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** An owner that has created its file but not yet written its name into it gets this long. */
const WRITING_MS = 5_000;

/**
 * A lock between processes: a file that names its owner. What a killed process left behind is taken over.
 * @param {string} path
 * @returns {{ release: () => void } | { owner: number }} the lock, or the process that holds it
 */
export function tryLock(path) {
  mkdirSync(dirname(path), { recursive: true });
  const mine = `${process.pid} ${startOf(process.pid)} ${randomBytes(6).toString("hex")}`;
  for (;;) {
    try {
      writeFileSync(path, mine, { flag: "wx" });
      return { release: () => void (read(path) === mine && rmSync(path, { force: true })) };
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
    const theirs = read(path);
    if (theirs === null) continue;
    if (holds(theirs, path)) return { owner: Number.parseInt(theirs, 10) || 0 };
    takeAway(path, theirs);
  }
}

/**
 * Waits until the lock is free, then runs `work` under it.
 * @template T
 * @param {string} path
 * @param {() => T | Promise<T>} work
 * @param {(owner: number) => void} [onWait] called once when another process holds it
 * @returns {Promise<T>}
 */
export async function withLock(path, work, onWait) {
  for (let waited = false; ; waited = true) {
    const lock = tryLock(path);
    if ("release" in lock) {
      try {
        return await work();
      } finally {
        lock.release();
      }
    }
    if (!waited) onWait?.(lock.owner);
    await sleep(200);
  }
}

/** A process number alone may have been given to another process since, so the file also has the owner's start. */
function holds(content, path) {
  const [pid, start] = content.split(" ");
  if (!pid) return Date.now() - modified(path) < WRITING_MS;
  return isAlive(Number(pid)) && startOf(Number(pid)) === start;
}

/** Two processes may find the same dead owner: each moves the file aside, and puts it back if it was a newer one. */
function takeAway(path, expected) {
  const aside = `${path}.${randomBytes(6).toString("hex")}`;
  try {
    renameSync(path, aside);
    if (read(aside) !== expected) linkSync(aside, path);
  } catch {
    // Gone already, or a newer owner is in place: the next round sees it.
  }
  rmSync(aside, { force: true });
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return stat(pid)[0] !== "Z";
  } catch (error) {
    return error.code === "EPERM";
  }
}

/** Clock ticks from boot to the start of a process; "-" where there is no /proc. */
const startOf = (pid) => stat(pid)[19] ?? "-";

function stat(pid) {
  const line = read(`/proc/${pid}/stat`) ?? "";
  return line.slice(line.lastIndexOf(")") + 2).split(" ");
}

function read(path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}

function modified(path) {
  try {
    return statSync(path).mtimeMs;
  } catch {
    return 0;
  }
}
