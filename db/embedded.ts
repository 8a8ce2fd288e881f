import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { closeSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import postgres from "postgres";
import { binaries, type Major } from "./embedded/binaries.ts";
import { bareEnv, type Cluster, cluster, DATABASE } from "./embedded/cluster.ts";
import { isAlive, isZombie } from "./embedded/is-alive.ts";
import { type Launcher, launcher } from "./embedded/launcher.ts";
import { freePort, isListening } from "./embedded/port.ts";
import { StoreError } from "./store-error.ts";

export interface Embedded {
  readonly url: string;
  readonly port: number;
  /** It was running already; whoever only wants to use it leaves it running. */
  readonly adopted: boolean;
  /** Lets running statements be cancelled and Postgres write everything down; resolves when it is gone. */
  stop(): Promise<void>;
  /** Resolves when Postgres is gone, asked or not. */
  readonly exited: Promise<void>;
}

interface Options {
  /** Holds data, password, port and log; one Postgres per folder. */
  dir: string;
  /** Taken if free; else the one used last time, else any. */
  port?: number;
  major?: Major;
  settings?: Record<string, string>;
  log?: (sentence: string) => void;
}

const USUAL_PORT = 54329;
/** Recovery after a crash replays at most `max_wal_size`. */
const START_MS = 120_000;
const STOP_MS = 20_000;
const LOG_BYTES = 8 << 20;

/** Starts a real Postgres from the bundled binaries, for this machine only, as whoever runs this. */
export async function startEmbedded({
  dir,
  port,
  major = 18,
  settings = {},
  log = () => {},
}: Options): Promise<Embedded> {
  const how = launcher(binaries(major), dir);
  const files = cluster(how, major);
  const adopted = await adopt(files);
  if (adopted) {
    log(`The embedded PostgreSQL of an earlier start was still running on port ${adopted.port}; it is used again.`);
    return adopted;
  }
  const { child, bound } = await launch(how, files, port ?? portOf(files) ?? USUAL_PORT, settings);
  await ensureDatabase(files, bound);
  const exited = new Promise<void>((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve();
    else child.once("exit", () => resolve());
  });
  return running(files, bound, exited, false, (signal) => child.kill(signal));
}

/** A Postgres whose supervisor was killed and that nobody told to stop. */
async function adopt(files: Cluster): Promise<Embedded | null> {
  const port = portOf(files);
  const pid = pidOf(files);
  if (!port || !pid || !(await isListening(port)) || (await login(files, port)) !== "ok") return null;
  const exited = (async () => {
    while (isAlive(pid)) await sleep(250, undefined, { ref: false });
  })();
  return running(files, port, exited, true, (signal) => isAlive(pid) && process.kill(pid, signal));
}

async function launch(how: Launcher, files: Cluster, wanted: number, settings: Record<string, string>) {
  const deadline = Date.now() + START_MS;
  for (;;) {
    const bound = await freePort(wanted);
    const from = logSize(files.log);
    const child = spawnPostgres(how, files, bound, settings);
    if (await isUp(child, files, bound, deadline)) {
      writeFileSync(files.portFile, String(bound));
      return { child, bound };
    }
    const said = logSince(files.log, from);
    const retry = /lock file "postmaster.pid" already exists|pre-existing shared memory|could not bind/.test(said);
    if (!retry || Date.now() > deadline)
      throw new StoreError(
        "postgres_did_not_start",
        `The embedded PostgreSQL did not start; its log is ${files.log} and ends with: ${lastLine(said)}`,
      );
    clearZombie(files);
    await sleep(100);
  }
}

function spawnPostgres(how: Launcher, files: Cluster, port: number, settings: Record<string, string>): ChildProcess {
  const values = Object.entries({ ...SETTINGS, ...settings, port: String(port) });
  const program = [
    join(how.native, "bin", "postgres"),
    "-D",
    files.data,
    ...values.flatMap(([k, v]) => ["-c", `${k}=${v}`]),
  ];
  // Linux: when this process is killed, the kernel asks Postgres to shut down cleanly.
  const tied = hasDeathSignal() ? ["setpriv", "--pdeathsig", "INT", "--", ...program] : program;
  const { file, args, options } = how.command(tied[0] as string, tied.slice(1));
  const out = openSync(files.log, logSize(files.log) > LOG_BYTES ? "w" : "a", 0o600);
  try {
    // Detached: Ctrl-C in a terminal must not reach it before the recorder has written what it holds.
    return spawn(file, args, { ...options, cwd: "/", env: bareEnv(), stdio: ["ignore", out, out], detached: true });
  } finally {
    closeSync(out);
  }
}

/** For a small machine that does other things too. A call counts as stored when it is on disk. */
const SETTINGS: Record<string, string> = {
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
  timezone: "UTC",
  log_timezone: "UTC",
  max_connections: "80",
  shared_buffers: "128MB",
  work_mem: "16MB",
  maintenance_work_mem: "64MB",
  max_wal_size: "1GB",
  wal_compression: "on",
  synchronous_commit: "on",
  // The data lives on this machine alone: nothing replicates from it.
  wal_level: "minimal",
  max_wal_senders: "0",
  // Statements and rows may hold what people wrote: the log says that something failed, never with which values.
  log_error_verbosity: "terse",
  log_min_error_statement: "panic",
};

let deathSignal: boolean | null = null;
function hasDeathSignal(): boolean {
  deathSignal ??= spawnSync("setpriv", ["--pdeathsig", "INT", "--", "true"], { stdio: "ignore" }).status === 0;
  return deathSignal;
}

async function isUp(child: ChildProcess, files: Cluster, port: number, deadline: number): Promise<boolean> {
  let gone = false;
  child.once("exit", () => {
    gone = true;
  });
  child.once("error", () => {
    gone = true;
  });
  while (!gone) {
    if ((await isListening(port)) && (await login(files, port)) === "ok") return !gone;
    if (Date.now() > deadline) child.kill("SIGQUIT");
    await sleep(15);
  }
  return false;
}

async function login(files: Cluster, port: number): Promise<"ok" | "no"> {
  const sql = postgres(urlOf(files, port, "postgres"), { max: 1, connect_timeout: 5, onnotice() {} });
  try {
    await sql`select 1`;
    return "ok";
  } catch {
    return "no";
  } finally {
    await sql.end({ timeout: 1 });
  }
}

async function ensureDatabase(files: Cluster, port: number) {
  const sql = postgres(urlOf(files, port, "postgres"), { max: 1, onnotice() {} });
  try {
    const [found] = await sql`select 1 from pg_database where datname = ${DATABASE}`;
    if (!found) await sql.unsafe(`create database ${DATABASE}`);
  } finally {
    await sql.end({ timeout: 1 });
  }
}

function running(
  files: Cluster,
  port: number,
  exited: Promise<void>,
  adopted: boolean,
  kill: (signal: NodeJS.Signals) => void,
): Embedded {
  return {
    url: urlOf(files, port, DATABASE),
    port,
    adopted,
    exited,
    async stop() {
      kill("SIGINT");
      const late = setTimeout(() => kill("SIGQUIT"), STOP_MS);
      await exited;
      clearTimeout(late);
    },
  };
}

/** A killed predecessor that nobody reaps (process 1 of some containers) keeps its lock file for ever. */
function clearZombie(files: Cluster) {
  const pid = pidOf(files);
  if (pid && isZombie(pid)) rmSync(files.pidFile, { force: true });
}

const urlOf = (files: Cluster, port: number, database: string) =>
  `postgres://${DATABASE}:${files.password}@127.0.0.1:${port}/${database}`;

const portOf = (files: Cluster) => numberIn(files.portFile);
const pidOf = (files: Cluster) => numberIn(files.pidFile);

function numberIn(path: string): number | null {
  try {
    return Number.parseInt(readFileSync(path, "utf8"), 10) || null;
  } catch {
    return null;
  }
}

const logSize = (path: string) => statSync(path, { throwIfNoEntry: false })?.size ?? 0;
const logSince = (path: string, from: number) => readFileSync(path).subarray(from).toString("utf8");
function lastLine(text: string): string {
  const lines = text.trim().split("\n");
  return lines.findLast((line) => /FATAL|PANIC|error/.test(line)) ?? lines.at(-1) ?? "";
}
