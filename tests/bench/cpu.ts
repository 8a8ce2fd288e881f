import { readdirSync, readFileSync } from "node:fs";
import { childrenOf } from "#tests/support/process.ts";

/** Microseconds of CPU, user and system, that all threads of a process and of those it started have used so far. */
export function cpuUs(pid: number): number {
  return [pid, ...childrenOf(pid)].reduce((sum, one) => sum + ownCpuUs(one), 0);
}

/** From the scheduler, to the nanosecond: /proc/<pid>/stat counts in hundredths of a second. */
function ownCpuUs(pid: number): number {
  return readdirSync(`/proc/${pid}/task`).reduce((sum, thread) => {
    const [onCpuNs] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "latin1").split(" ");
    return sum + Number(onCpuNs) / 1000;
  }, 0);
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (sorted.length - 1) * q;
  const low = sorted[Math.floor(at)] ?? Number.NaN;
  const high = sorted[Math.ceil(at)] ?? Number.NaN;
  return low + (high - low) * (at - Math.floor(at));
}
