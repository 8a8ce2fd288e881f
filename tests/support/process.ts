import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const READY_MS = 15_000;
const STOP_MS = 15_000;

/** One of our real processes, as `npm start` runs it. */
export interface Running {
  readonly pid: number;
  /** What `ready` said; 0 for a process without a port. */
  readonly port: number;
  /** What it wrote, for the message of a failure. */
  output(): string;
  isAlive(): boolean;
  /** Over its channel, as the supervisor does. */
  tell(message: object): void;
  /** SIGTERM, and SIGKILL when that takes too long. Resolves with the exit code or the signal. */
  stop(): Promise<number | string | null>;
  kill(signal: NodeJS.Signals): Promise<void>;
}

/** Starts `entry` (from the project's root) and waits until it says that it is ready. */
export async function run(entry: string, env: Record<string, string>, execArgv: string[] = []): Promise<Running> {
  const child = fork(join(ROOT, entry), [], {
    cwd: ROOT,
    execArgv,
    env: { ...inherited(), ...env },
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (text) => {
      output = (output + text).slice(-20_000);
    });
  const port = await readyPort(child, () => output, entry);
  return {
    pid: child.pid as number,
    port,
    output: () => output,
    isAlive: () => child.exitCode === null && child.signalCode === null,
    tell: (message) => void child.send(message),
    async stop() {
      if (child.exitCode === null && child.signalCode === null) {
        const gone = once(child, "exit");
        child.kill("SIGTERM");
        const late = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
        await gone;
        clearTimeout(late);
      }
      return child.exitCode ?? child.signalCode;
    },
    async kill(signal) {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, "exit");
      child.kill(signal);
      await gone;
    },
  };
}

function readyPort(child: ChildProcess, output: () => string, entry: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const fail = (why: string) => {
      clearTimeout(late);
      child.kill("SIGKILL");
      reject(new Error(`${entry} ${why}\n${output().slice(-1500)}`));
    };
    const late = setTimeout(() => fail("was not ready in time"), READY_MS);
    child.once("exit", (code, signal) => fail(`ended with ${code ?? signal} before it was ready`));
    child.on("message", (message) => {
      const { type, port } = message as { type?: string; port?: number };
      if (type !== "ready") return;
      clearTimeout(late);
      child.removeAllListeners("exit");
      resolve(port ?? 0);
    });
  });
}

/** Nothing of the machine's own settings reaches the processes under test. */
function inherited(): NodeJS.ProcessEnv {
  const kept: NodeJS.ProcessEnv = { NODE_ENV: process.env.NODE_ENV };
  for (const [name, value] of Object.entries(process.env))
    if (value !== undefined && !/^(OMNIMETER_|OTEL_|DATABASE_URL|NODE_OPTIONS|OPENAI_|VITEST|NODE_V8)/.test(name))
      kept[name] = value;
  return kept;
}

/** The processes that `pid` started, read from /proc. */
export function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(/\s+/).filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

/** Resident bytes of a process and those it started. */
export function residentBytes(pid: number): number {
  return [pid, ...childrenOf(pid)].reduce((sum, one) => {
    const kilobytes = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${one}/status`, "utf8"))?.[1];
    return sum + Number(kilobytes ?? 0) * 1024;
  }, 0);
}
