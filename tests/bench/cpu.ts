import { readFileSync } from "node:fs";
import { childrenOf } from "#tests/support/process.ts";

/** Linux counts CPU time in hundredths of a second for every reader of /proc. */
const TICK_US = 10_000;

/** Microseconds of CPU, user and system, that a process and those it started have used so far. */
export function cpuUs(pid: number): number {
  return [pid, ...childrenOf(pid)].reduce((sum, one) => sum + ownCpuUs(one), 0);
}

function ownCpuUs(pid: number): number {
  // The name in parentheses may hold anything: fields count from behind it.
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * TICK_US;
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (sorted.length - 1) * q;
  const low = sorted[Math.floor(at)] ?? Number.NaN;
  const high = sorted[Math.ceil(at)] ?? Number.NaN;
  return low + (high - low) * (at - Math.floor(at));
}
