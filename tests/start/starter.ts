import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { expect } from "vitest";
import { isAlive } from "#db/embedded/is-alive.ts";
import { temporaryFolder } from "#tests/support/temporary-folder.ts";

const READY_MS = 40_000;
const made: string[] = [];
const started: ChildProcess[] = [];

export interface Start {
  readonly process: ChildProcess;
  stdout(): string;
  stderr(): string;
  /** Exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>;
  /** Waits for the summary. */
  ready(): Promise<void>;
  /** Lines that the stand-ins wrote. */
  events(): string[];
}

/** A data folder of one's own; as root the database runs as another user, who must be able to enter it. */
export function dataDir(): string {
  const dir = mkdtempSync(join(temporaryFolder(), "omnimeter-start-"));
  made.push(dir);
  return dir;
}

interface Options {
  args?: string[];
  /** Runs as this user and group; only root may ask for it. */
  as?: number;
}

/** The one command, with stand-ins for the parts and free ports unless `env` says otherwise. */
export function start(dir: string, env: Record<string, string> = {}, { args = [], as }: Options = {}): Start {
  const child = spawn(process.execPath, ["tests/start/stand-in-start.ts", ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    ...(as === undefined ? {} : { uid: as, gid: as }),
    env: {
      PATH: process.env.PATH ?? "",
      OMNIMETER_DATA_DIR: dir,
      OMNIMETER_PROXY_PORT: "0",
      OMNIMETER_DASHBOARD_PORT: "0",
      OMNIMETER_TEST_EVENTS: join(dir, "events"),
      ...env,
    } as never,
  });
  started.push(child);
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (text) => {
    stdout += text;
  });
  child.stderr.on("data", (text) => {
    stderr += text;
  });
  const ended = new Promise<number | string>((resolve) =>
    child.once("close", (code, signal) => resolve(code ?? signal ?? "?")),
  );
  return {
    process: child,
    stdout: () => stdout,
    stderr: () => stderr,
    ended,
    ready: () =>
      expect
        .poll(() => (child.exitCode === null ? stdout : `ended: ${stderr}`), { timeout: READY_MS, interval: 20 })
        .toContain("Ctrl-C stops everything"),
    events: () => (existsSync(join(dir, "events")) ? readFileSync(join(dir, "events"), "utf8").trim().split("\n") : []),
  };
}

/** Process ids that the stand-ins and the database left in the data folder. */
export function pidsOf(dir: string, events: string[]): Record<string, number> {
  const parts = events.flatMap((line) => {
    const [, name = "", pid] = /^(\w+) pid (\d+)/.exec(line) ?? [];
    return pid ? [[name, Number(pid)] as const] : [];
  });
  const file = join(dir, "postgres", "data", "postmaster.pid");
  const postgres = existsSync(file) ? [["postgres", Number.parseInt(readFileSync(file, "utf8"), 10)] as const] : [];
  return Object.fromEntries([...parts, ...postgres]);
}

export const NOBODY = 65534;

/** Whether root may try things as somebody else, who can read this clone. */
export const canBeNobody = () =>
  process.getuid?.() === 0 &&
  spawnSync(process.execPath, ["--check", "lib/start.ts"], { uid: NOBODY, gid: NOBODY, stdio: "ignore" }).status === 0;

export const allGone = (pids: Record<string, number>) =>
  expect.poll(() => Object.entries(pids).filter(([, pid]) => isAlive(pid)), { timeout: 10_000 }).toEqual([]);

export async function listen(): Promise<{ port: number; server: Server }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { port: (server.address() as AddressInfo).port, server };
}

export async function cleanUp(): Promise<void> {
  for (const child of started.splice(0))
    if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
  for (const dir of made.splice(0)) rmSync(dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
}
