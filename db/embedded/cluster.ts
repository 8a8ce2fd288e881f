import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { StoreError } from "../store-error.ts";
import type { Major } from "./binaries.ts";
import type { Launcher } from "./launcher.ts";

/** The files of one embedded Postgres. */
export interface Cluster {
  readonly data: string;
  readonly log: string;
  readonly pidFile: string;
  readonly portFile: string;
  readonly password: string;
}

export const DATABASE = "omnimeter";

/** Makes the cluster when there is none; refuses one that another major version made. */
export function cluster(launcher: Launcher, major: Major): Cluster {
  const data = join(launcher.home, "data");
  const passwordFile = join(launcher.home, "password");
  if (!existsSync(passwordFile)) writeFileSync(passwordFile, randomBytes(18).toString("base64url"), { mode: 0o600 });
  const password = readFileSync(passwordFile, "utf8");
  if (existsSync(join(data, "PG_VERSION"))) assertMajor(data, major);
  else create(launcher, major, data, password);
  return {
    data,
    log: join(launcher.home, "postgres.log"),
    pidFile: join(data, "postmaster.pid"),
    portFile: join(launcher.home, "port"),
    password,
  };
}

function assertMajor(data: string, major: Major) {
  const found = readFileSync(join(data, "PG_VERSION"), "utf8").trim();
  if (found === String(major)) return;
  throw new StoreError(
    "postgres_other_major",
    `The data in ${data} was written by PostgreSQL ${found}, and this version of Omnimeter brings PostgreSQL ${major}: ` +
      "go back to the version that wrote it, or set OMNIMETER_DATA_DIR to a new folder. The data was not touched.",
  );
}

/** In a folder beside, renamed at the end: a start that is killed here leaves nothing half made. */
function create(launcher: Launcher, major: Major, data: string, password: string) {
  const fresh = `${data}.new`;
  const passwordFile = `${data}.password`;
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(fresh, { mode: 0o700 });
  launcher.own(fresh);
  writeFileSync(passwordFile, password, { mode: 0o600 });
  launcher.own(passwordFile);
  const { file, args, options } = launcher.command(join(launcher.native, "bin", "initdb"), [
    ...["--pgdata", fresh, "--username", DATABASE, "--pwfile", passwordFile],
    ...["--auth=scram-sha-256", "--encoding=UTF8", "--no-sync", "--no-instructions"],
    // Nothing depends on the machine's locales. The built-in provider came with 17.
    ...(major >= 17 ? ["--locale-provider=builtin", "--locale=C.UTF-8"] : ["--no-locale"]),
  ]);
  const made = spawnSync(file, args, { ...options, cwd: "/", encoding: "utf8", env: bareEnv() });
  rmSync(passwordFile, { force: true });
  if (made.status !== 0) {
    rmSync(fresh, { recursive: true, force: true });
    throw new StoreError(
      "postgres_did_not_start",
      `The embedded PostgreSQL could not create its data folder ${data}: ${(made.stderr || String(made.error)).trim()}`,
    );
  }
  renameSync(fresh, data);
}

/** Variables such as PGDATA, PGPORT or LC_ALL must not reach the embedded Postgres. */
export const bareEnv = (): NodeJS.ProcessEnv => ({ PATH: "/usr/local/bin:/usr/bin:/bin", TZ: "UTC" }) as never;
