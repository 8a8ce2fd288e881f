import { closeSync, fdatasync, ftruncateSync, openSync, renameSync, rmSync, write, writevSync } from "node:fs";

/** A file that is there has its header: the reader takes an empty one for the end of the one before. */
export function createWhole(path: string, header: Buffer): number {
  const fd = openSync(`${path}.new`, "ax", 0o600);
  try {
    appendAll(fd, [header]);
    renameSync(`${path}.new`, path);
    return fd;
  } catch (error) {
    closeSync(fd);
    rmSync(`${path}.new`, { force: true });
    throw error;
  }
}

/** Writes all parts or, after a partial write, none of them: the file is cut back to where it was. */
export function appendAll(fd: number, parts: Buffer[]): void {
  const total = parts.reduce((sum, part) => sum + part.length, 0);
  const written = writevSync(fd, parts);
  if (written === total) return;
  const rest = Buffer.concat(parts).subarray(written);
  let done = 0;
  while (done < rest.length) done += writevSync(fd, [rest.subarray(done)]);
}

/** Takes away what a failed write left behind. What cannot be cut is found torn by the reader. */
export function cutBack(fd: number, bytes: number): void {
  try {
    ftruncateSync(fd, bytes);
  } catch {}
}

/** Like appendAll without blocking the loop; on an error the file is cut back to `from`, so that a retry starts clean. */
export function writeFully(
  fd: number,
  bytes: Buffer,
  from: number,
  fsync: boolean,
  done: (error: Error | null) => void,
): void {
  try {
    ftruncateSync(fd, from);
  } catch (error) {
    return done(error as Error);
  }
  const step = (at: number) =>
    write(fd, bytes, at, bytes.length - at, null, (error, count) => {
      if (error) return done(error);
      if (at + count < bytes.length) return step(at + count);
      if (fsync) fdatasync(fd, (e) => done(e));
      else done(null);
    });
  step(0);
}
