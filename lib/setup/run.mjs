// `node lib/setup/run.mjs <entry.ts> [arguments]` installs what is missing, then runs the entry on the bundled Node.
// Plain JavaScript without dependencies: in a fresh clone the machine's own, older Node executes this file.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { constants } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { install, SetupError } from "./install.mjs";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const BUNDLED = join(ROOT, "node_modules", `node-${process.platform}-${process.arch}`, "bin", "node");
/** The first version with everything used here. */
const LEAST = [24, 7];

// Modules are compiled once, not by each process that starts: a third of the CPU of a start.
process.env.NODE_COMPILE_CACHE ??= join(ROOT, "node_modules", ".cache", "node");
try {
  await install(ROOT);
  const [entry, ...rest] = process.argv.slice(2);
  const file = resolve(ROOT, entry);
  if (isNewEnough(process.versions.node)) await runHere(file);
  else await runOnBundled(file, rest);
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}

function isNewEnough(version) {
  const [major, minor] = version.split(".").map(Number);
  return major > LEAST[0] || (major === LEAST[0] && minor >= LEAST[1]);
}

async function runHere(file) {
  process.argv.splice(1, 2, file);
  await import(pathToFileURL(file).href);
}

async function runOnBundled(file, args) {
  if (!existsSync(BUNDLED))
    throw new SetupError(
      `Node ${LEAST.join(".")} or later is needed. This is ${process.version}, and there is no bundled Node for ` +
        `${process.platform}-${process.arch}: install a current Node and run the same command again.`,
    );
  const env = { ...process.env, PATH: `${dirname(BUNDLED)}:${process.env.PATH ?? ""}` };
  // The channel tells the entry when this process is killed.
  const child = spawn(BUNDLED, [file, ...args], { stdio: ["inherit", "inherit", "inherit", "ipc"], env });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  await new Promise((settle, fail) => {
    child.once("error", (error) =>
      fail(
        new SetupError(
          `The bundled Node does not run on this machine (${error.message}); it needs glibc 2.28 or later. ` +
            `Install Node ${LEAST.join(".")} or later and run the same command again.`,
        ),
      ),
    );
    child.once("exit", (code, signal) => {
      process.exitCode = signal ? 128 + (constants.signals[signal] ?? 0) : (code ?? 1);
      settle();
    });
  });
}
