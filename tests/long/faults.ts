import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { closeSync, ftruncateSync, openSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import postgres from "postgres";
import type { Database } from "#tests/support/database.ts";
import { childrenOf } from "#tests/support/process.ts";
import type { SmallDisk } from "#tests/support/small-disk.ts";
import type { System } from "#tests/support/system.ts";

/** What goes wrong under load, lasts for a moment, and is put right again. */
export interface Fault {
  name: string;
  /** Why a call that a client saw may be missing or unfinished in the store, if it is counted as dropped; null: none may. */
  loses: string | null;
  /** The proxy itself goes away for a moment. Otherwise every call must go on as if nothing was. */
  disturbs: boolean;
  strike(random: () => number): Promise<void>;
}

export interface FaultsOptions {
  system: System;
  database: Database;
  /** null: this user may not make one, and the disks stay as large as they are. */
  disks: { spool: SmallDisk; database: SmallDisk } | null;
}

/** How long something stays wrong: long enough that a recorder has met it, and has met it again. */
const LASTS_MS = 1200;
const SLOW_WRITE_US = 300_000;
const HOUR_MS = 3_600_000;

/** Everything but kills (tests/long/chaos.ts). */
export function faultsOf({ system, database, disks }: FaultsOptions): Fault[] {
  const faults: Fault[] = [
    { name: "database read-only", loses: null, disturbs: false, strike: () => readOnly(database) },
    { name: "database without connections", loses: null, disturbs: false, strike: () => withoutConnections(database) },
    { name: "database hangs", loses: null, disturbs: false, strike: () => hangs(database) },
    { name: "recorder hangs", loses: null, disturbs: false, strike: () => recorderHangs(system) },
    { name: "clock set back", loses: null, disturbs: true, strike: () => clockMoves(system, -2 * HOUR_MS) },
    { name: "clock set forward", loses: null, disturbs: true, strike: () => clockMoves(system, HOUR_MS / 4) },
    { name: "torn batch", loses: "torn", disturbs: true, strike: (random) => torn(system, random) },
  ];
  if (spawnSync("strace", ["-V"]).status === 0)
    faults.push({ name: "spool's disk slow", loses: "disk_slow", disturbs: false, strike: () => slow(system) });
  if (disks)
    faults.push(
      { name: "spool's disk full", loses: "disk_full", disturbs: false, strike: () => full(disks.spool) },
      { name: "database's disk full", loses: null, disturbs: false, strike: () => full(disks.database) },
    );
  return faults;
}

async function readOnly({ sql }: Database) {
  const own = await sql.reserve();
  try {
    await own`set default_transaction_read_only = off`;
    await own`alter system set default_transaction_read_only = on`;
    await own`select pg_reload_conf()`;
    await sleep(LASTS_MS);
    await own`alter system reset default_transaction_read_only`;
    await own`select pg_reload_conf()`;
    await own`reset default_transaction_read_only`;
  } finally {
    own.release();
  }
}

/** Takes every connection there is, the recorder's own first. */
async function withoutConnections({ url, sql }: Database) {
  const taken: ReturnType<typeof postgres>[] = [];
  try {
    await sql`select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and backend_type = 'client backend'`;
    for (;;) {
      const one = postgres(url, { max: 1, onnotice() {}, connect_timeout: 5, idle_timeout: 30 });
      taken.push(one);
      const answers = await one`select 1`.then(
        () => true,
        () => false,
      );
      if (!answers) break;
    }
    await sleep(LASTS_MS);
  } finally {
    await Promise.all(taken.map((one) => one.end({ timeout: 0 }).catch(() => {})));
  }
}

async function hangs(database: Database) {
  const all = [database.pid(), ...childrenOf(database.pid())];
  const signal = (name: NodeJS.Signals) => {
    for (const pid of all)
      try {
        process.kill(pid, name);
      } catch {
        // It has left meanwhile.
      }
  };
  signal("SIGSTOP");
  await sleep(LASTS_MS);
  signal("SIGCONT");
}

async function recorderHangs(system: System) {
  process.kill(system.pid("recorder"), "SIGSTOP");
  await sleep(LASTS_MS);
  process.kill(system.pid("recorder"), "SIGCONT");
}

async function clockMoves(system: System, offsetMs: number) {
  await system.kill("proxy");
  await system.start("proxy", { clockOffsetMs: offsetMs });
  await sleep(LASTS_MS / 2);
  await system.kill("proxy");
  await system.start("proxy");
}

/** A power cut that left the last batch half on the disk: its worker is dead, and nobody has read that far. */
async function torn(system: System, random: () => number) {
  process.kill(system.pid("recorder"), "SIGSTOP");
  try {
    const [spool] = readdirSync(join(system.dataDir, "spool")).map((name) => join(system.dataDir, "spool", name));
    if (!spool) return;
    await sleep(50);
    const segment = newestSegment(spool);
    await system.kill("worker");
    const file = openSync(segment, "r+");
    ftruncateSync(file, Math.max(0, statSync(segment).size - Math.ceil(random() * 200)));
    closeSync(file);
  } finally {
    process.kill(system.pid("recorder"), "SIGCONT");
  }
}

/** Every write to the spool takes a third of a second more. */
async function slow(system: System) {
  const [worker] = childrenOf(system.pid("proxy"));
  const paths = readdirSync(join(system.dataDir, "spool")).map((name) =>
    newestSegment(join(system.dataDir, "spool", name)),
  );
  const tracer = spawn(
    "strace",
    [
      ...["-f", "-qq", "-o", "/dev/null", "-p", String(worker), ...paths.flatMap((path) => ["-P", path])],
      ...["-e", `inject=write,pwrite64,writev:delay_enter=${SLOW_WRITE_US}`],
    ],
    { stdio: "ignore" },
  );
  await sleep(LASTS_MS);
  // It lets go of the worker before it leaves.
  tracer.kill("SIGINT");
  await once(tracer, "exit");
}

const newestSegment = (spool: string): string =>
  join(
    spool,
    readdirSync(spool)
      .filter((name) => name.endsWith(".seg"))
      .sort()
      .at(-1) as string,
  );

async function full(disk: SmallDisk) {
  await disk.fill();
  await sleep(LASTS_MS);
  disk.relieve();
}
