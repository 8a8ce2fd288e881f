import { fork } from "node:child_process";
import { createHash } from "node:crypto";
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { withLock } from "#lib/setup/lock.mjs";
import { progress } from "#lib/setup/progress.mjs";
import { StartError } from "./start-error.ts";

/** Everything that ends up in the built dashboard or decides how it is built. */
const SOURCES = ["app", "lib", "db", "next.config.ts", "package.json", "package-lock.json", "tsconfig.json"];
const BUILDER = fileURLToPath(new URL("next-build.ts", import.meta.url));

interface Options {
  root: string;
  /** Ends a build that is under way. */
  signal?: AbortSignal;
}

/** Builds the dashboard when its sources have changed since the last build. Several processes may ask at once. */
export async function buildDashboard({ root, signal }: Options): Promise<void> {
  const stamp = join(root, ".next", ".omnimeter-stamp");
  const wanted = hashOf(root);
  const isBuilt = () => existsSync(stamp) && readFileSync(stamp, "utf8") === wanted;
  if (isBuilt()) return;
  const lock = join(root, "node_modules", ".cache", "omnimeter-build.lock");
  await withLock(
    lock,
    async () => {
      if (isBuilt() || signal?.aborted) return;
      rmSync(stamp, { force: true });
      await build(root, signal);
      writeFileSync(stamp, wanted);
    },
    (owner) => console.error(`Waiting for another process (${owner}) that is building the dashboard …`),
  ).catch((error: NodeJS.ErrnoException) => {
    if (!error.code || !["EACCES", "EROFS", "EPERM"].includes(error.code)) throw error;
    throw new StartError(
      "build_failed",
      `The dashboard must be built, but ${root} cannot be written by this user (${error.code}): ` +
        "give this user the folder, or run npm start once as its owner.",
    );
  });
}

async function build(root: string, signal?: AbortSignal) {
  const log = join(root, ".next", "build.log");
  mkdirSync(dirname(log), { recursive: true });
  const out = openSync(log, "w");
  const line = progress("Building the dashboard, once");
  const child = fork(BUILDER, {
    cwd: root,
    detached: true,
    execArgv: [],
    env: { ...process.env, NODE_ENV: "production", NEXT_TELEMETRY_DISABLED: "1" },
    stdio: ["ignore", out, out, "ipc"],
  });
  closeSync(out);
  // Closing the channel ends the build with all its workers.
  const abort = () => child.connected && child.disconnect();
  signal?.addEventListener("abort", abort, { once: true });
  const code = await new Promise<number | null>((resolve) => child.once("exit", resolve));
  signal?.removeEventListener("abort", abort);
  line.done(code === 0 ? "Dashboard built" : "Building the dashboard failed");
  if (code === 0) return;
  const said = readFileSync(log, "utf8").trim().split("\n").slice(-30).join("\n");
  throw new StartError("build_failed", `The dashboard could not be built; ${log} ends with:\n${said}`);
}

function hashOf(root: string): string {
  const hash = createHash("sha256");
  for (const file of SOURCES.flatMap((source) => filesOf(root, source)).sort())
    hash
      .update(file)
      .update("\0")
      .update(readFileSync(join(root, file)))
      .update("\0");
  return hash.digest("hex");
}

function filesOf(root: string, path: string): string[] {
  const full = join(root, path);
  if (!existsSync(full)) return [];
  const entries = /\.\w+$/.test(path) ? null : readdirSync(full, { withFileTypes: true, recursive: true });
  if (!entries) return [path];
  return entries.filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name).slice(root.length));
}
