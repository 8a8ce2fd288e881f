import { type ChildProcess, spawn } from "node:child_process";

export interface Result {
  name: string;
  passed: number;
  failed: number;
  seconds: number;
  /** Shown when something failed. */
  output: string;
}

interface Counts {
  passed: number;
  failed: number;
}

const MOST_OUTPUT = 60_000;
const running = new Set<ChildProcess>();

/** Runs one step of `npm test`; whatever it throws is one failure. */
export async function step(name: string, work: () => Promise<{ counts: Counts; output: string }>): Promise<Result> {
  const started = performance.now();
  const seconds = () => (performance.now() - started) / 1000;
  try {
    const { counts, output } = await work();
    return { name, ...counts, seconds: seconds(), output };
  } catch (error) {
    const output = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { name, passed: 0, failed: 1, seconds: seconds(), output };
  }
}

/** A program that succeeds or fails as a whole. */
export async function check(file: string, args: string[], limitMs: number) {
  const { code, output } = await run(file, args, limitMs);
  return { counts: { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1 }, output };
}

/** A program that counts its tests itself; one that fails without a failed test is one failure. */
export async function counted(file: string, args: string[], limitMs: number, read: () => Counts, env = {}) {
  const { code, output } = await run(file, args, limitMs, env);
  let counts: Counts = { passed: 0, failed: 0 };
  try {
    counts = read();
  } catch {
    // It wrote no report: its exit code tells.
    if (code === 0) counts.failed = 1;
  }
  if (code !== 0 && counts.failed === 0) counts.failed = 1;
  return { counts, output };
}

/** Ends every program that a step has started, with all of its children. */
export function endSteps(): void {
  for (const child of running) end(child);
}

function run(
  file: string,
  args: string[],
  limitMs: number,
  env = {},
): Promise<{ code: number | null; output: string }> {
  // A group of its own, so that a step which hangs can be ended with everything it started.
  const child = spawn(file, args, {
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, NO_COLOR: "1", ...env },
  });
  running.add(child);
  let output = "";
  const keep = (text: Buffer) => {
    output = (output + text).slice(-MOST_OUTPUT);
  };
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  const late = setTimeout(() => {
    output += `\nIt took longer than ${limitMs / 1000} s and was ended.\n`;
    end(child);
  }, limitMs);
  return new Promise((resolve) => {
    const done = (code: number | null) => {
      clearTimeout(late);
      running.delete(child);
      resolve({ code, output });
    };
    child.once("error", (error) => {
      output += error.message;
      done(1);
    });
    child.once("close", done);
  });
}

function end(child: ChildProcess) {
  try {
    if (child.pid) process.kill(-child.pid, "SIGKILL");
  } catch {
    // It has ended meanwhile.
  }
}
