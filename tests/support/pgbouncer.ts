import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort, isListening } from "#db/embedded/port.ts";

export interface PgBouncer {
  /** The same database, through the pooler. */
  url: string;
  stop(): Promise<void>;
}

/** The program and where its libraries are. */
interface Program {
  file: string;
  env: NodeJS.ProcessEnv;
}

/** Debian's own, unpacked and not installed: nothing on the machine changes. */
const PACKAGES = ["pgbouncer", "libevent-2.1-7", "libc-ares2"];
const FOLDER = "node_modules/.cache/omnimeter-pgbouncer";
const DOWNLOAD_MS = 20_000;
const NOBODY = 65_534;

/** The machine's PgBouncer, or Debian's; null: neither is to be had here. */
export function findPgBouncer(): Program | null {
  const installed = ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer", "/usr/local/bin/pgbouncer"];
  const unpacked = join(FOLDER, "usr/sbin/pgbouncer");
  if (!installed.some(existsSync) && !existsSync(unpacked)) download();
  return [...installed, unpacked].map(asProgram).find(runs) ?? null;
}

function download() {
  const packages = join(FOLDER, "packages");
  mkdirSync(packages, { recursive: true });
  spawnSync("apt-get", ["download", ...PACKAGES], { cwd: packages, timeout: DOWNLOAD_MS });
  for (const name of readdirSync(packages)) spawnSync("dpkg-deb", ["-x", join(packages, name), FOLDER]);
}

function asProgram(file: string): Program {
  const libraries = [`${process.arch === "x64" ? "x86_64" : "aarch64"}-linux-gnu`].flatMap((machine) =>
    ["usr/lib", "lib"].map((folder) => join(process.cwd(), FOLDER, folder, machine)),
  );
  return { file, env: { ...process.env, LD_LIBRARY_PATH: libraries.join(":") } };
}

const runs = ({ file, env }: Program) => spawnSync(file, ["--version"], { env }).status === 0;

/** In transaction mode, with two connections to the server for all clients; all else as PgBouncer comes. */
export async function startPgBouncer({ file, env }: Program, url: string): Promise<PgBouncer> {
  const server = new URL(url);
  const dir = mkdtempSync(join(tmpdir(), "omnimeter-pgbouncer-"));
  chmodSync(dir, 0o755);
  const port = await freePort(0);
  const settings = `[databases]
* = host=127.0.0.1 port=${server.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = ${join(dir, "users.txt")}
pool_mode = transaction
default_pool_size = 2
`;
  writeFileSync(join(dir, "users.txt"), `"${server.username}" "${decodeURIComponent(server.password)}"\n`);
  writeFileSync(join(dir, "pgbouncer.ini"), settings);
  // It does not run as root.
  const user = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
  const child = spawn(file, ["-q", join(dir, "pgbouncer.ini")], { env, stdio: ["ignore", "ignore", "pipe"], ...user });
  let said = "";
  child.stderr?.on("data", (text) => {
    said += text;
  });
  const gone = once(child, "exit");
  while (!(await isListening(port))) {
    if (child.exitCode !== null) throw new Error(`PgBouncer did not start: ${said}`);
    await sleep(20);
  }
  return {
    url: Object.assign(new URL(url), { port: String(port) }).href,
    async stop() {
      child.kill("SIGINT");
      const late = setTimeout(() => child.kill("SIGKILL"), 2000);
      await gone;
      clearTimeout(late);
      rmSync(dir, { recursive: true });
    },
  };
}
