import { type SpawnOptions, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chownSync, cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { StoreError } from "../store-error.ts";

/** How to run Postgres as somebody other than root, which it refuses. */
export interface Launcher {
  readonly how: "direct" | "setuid" | "user namespace" | "copy";
  /** The binaries to use. */
  readonly native: string;
  /** Where the cluster lives. */
  readonly home: string;
  command(program: string, args: string[]): { file: string; args: string[]; options: SpawnOptions };
  /** Gives a file to the user that Postgres runs as. */
  own(path: string): void;
}

interface User {
  uid: number;
  gid: number;
}

const NOBODY = 65534;

/** Finds a way that needs nothing from the user and creates no account. */
export function launcher(native: string, dir: string): Launcher {
  mkdirSync(dir, { recursive: true });
  const root = process.getuid?.() === 0;
  // initdb looks its user up, so a number without a name (a container's --user) needs a namespace as well.
  if (!root && hasName()) return direct(native, dir);
  const user = passwd("postgres") ?? passwd("nobody") ?? { uid: NOBODY, gid: NOBODY };
  const program = join(native, "bin", "postgres");
  if (root && works(program, ["--version"], user) && works("test", ["-x", dir], user))
    return setuid("setuid", native, dir, user);
  // A clone in root's own home (0700) cannot be entered by anybody else. Inside a namespace Postgres sees another
  // user while the files stay root's.
  const namespace = ["--user", `--map-user=${user.uid}`, `--map-group=${user.gid}`, "--"];
  if (works("unshare", [...namespace, program, "--version"])) return namespaced(native, dir, namespace);
  if (!root) return direct(native, dir);
  return copied(native, dir, user);
}

const direct = (native: string, home: string): Launcher => ({
  how: "direct",
  native,
  home,
  command: (file, args) => ({ file, args, options: {} }),
  own() {},
});

const setuid = (how: "setuid" | "copy", native: string, home: string, user: User): Launcher => ({
  how,
  native,
  home,
  command: (file, args) => ({ file, args, options: { ...user } }),
  own: (path) => chownSync(path, user.uid, user.gid),
});

const namespaced = (native: string, home: string, namespace: string[]): Launcher => ({
  how: "user namespace",
  native,
  home,
  command: (file, args) => ({ file: "unshare", args: [...namespace, file, ...args], options: {} }),
  own() {},
});

/** Namespaces may be forbidden (Docker's default): then binaries and data move to where any user can reach them. */
function copied(native: string, dir: string, user: User): Launcher {
  if (existsSync(join(dir, "data")))
    throw new StoreError(
      "postgres_did_not_start",
      `The data in ${dir} was made with a user namespace, which this machine does not allow now: ` +
        "allow it again, or run Omnimeter as an ordinary user who owns that folder. The data was not touched.",
    );
  const home = `/var/lib/omnimeter-${createHash("sha256").update(dir).digest("hex").slice(0, 12)}`;
  const copy = join(home, "native");
  mkdirSync(home, { recursive: true, mode: 0o755 });
  if (!existsSync(copy)) {
    rmSync(`${copy}.new`, { recursive: true, force: true });
    cpSync(native, `${copy}.new`, { recursive: true, verbatimSymlinks: true });
    renameSync(`${copy}.new`, copy);
  }
  return setuid("copy", copy, home, user);
}

function hasName(): boolean {
  try {
    return userInfo().username !== "";
  } catch {
    return false;
  }
}

function passwd(name: string): User | null {
  if (!existsSync("/etc/passwd")) return null;
  const row = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .find((line) => line.startsWith(`${name}:`))
    ?.split(":");
  return row ? { uid: Number(row[2]), gid: Number(row[3]) } : null;
}

const works = (file: string, args: string[], user: User | object = {}): boolean =>
  spawnSync(file, args, { ...user, cwd: "/", stdio: "ignore" }).status === 0;
