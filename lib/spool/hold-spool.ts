import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface SpoolHold {
  /** Somebody held it before who is gone from this host: a lease of theirs in the database need not run out. */
  previousIsDead: boolean;
  release(): void;
}

/**
 * Takes a role in a spool's directory for this process, or returns null while another living process of this host has
 * it. One writes (the worker), one reads (the recorder): a second writer's segments would end the first one's.
 */
export function holdSpool(dir: string, role: "worker" | "recorder"): SpoolHold | null {
  const file = join(dir, `${role}.pid`);
  const mine = identity(process.pid) as string;
  const previous = read(file);
  if (previous && previous !== mine && isAlive(previous)) return null;
  try {
    writeFileSync(`${file}.${process.pid}`, mine);
    renameSync(`${file}.${process.pid}`, file);
  } catch {
    // A full disk keeps nobody from working: better no name there than that of somebody who is dead.
    rmSync(`${file}.${process.pid}`, { force: true });
    rmSync(file, { force: true });
  }
  return { previousIsDead: previous !== null, release: () => rmSync(file, { force: true }) };
}

/** Whoever had this role is known to be gone, and nobody has taken it since. */
export function isAbandoned(dir: string, role: "worker" | "recorder"): boolean {
  const holder = read(join(dir, `${role}.pid`));
  return holder !== null && !isAlive(holder);
}

const isAlive = (holder: string): boolean => identity(Number(holder.split(" ", 1)[0])) === holder;

/** Process id and, where the system tells, its start time: a number alone is given out again. Null: no such process. */
function identity(pid: number): string | null {
  const stat = read(`/proc/${pid}/stat`);
  // Behind the name in parentheses: state, then 18 fields, then the start time.
  const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
  if (fields) return fields[0] === "Z" ? null : `${pid} ${fields[19]}`;
  try {
    process.kill(pid, 0);
    return `${pid}`;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM" ? `${pid}` : null;
  }
}

function read(file: string): string | null {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return null;
  }
}
