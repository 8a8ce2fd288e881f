import { spawnSync } from "node:child_process";
import { appendFileSync, chmodSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Database, startDatabase } from "#tests/support/database.ts";
import { smallDisk } from "#tests/support/small-disk.ts";
import { type System, startSystem } from "#tests/support/system.ts";
import type { FakeRealtime } from "#tests/support/upstream/realtime.ts";
import { chaosRounds, killsOf, lineOf, type Round } from "./chaos.ts";
import { faultsOf } from "./faults.ts";
import { type Leak, leakRun } from "./leak.ts";
import { migrateUnderLoad } from "./migrate.ts";
import { longSessions, type Scene, lineOf as sceneLine } from "./sessions.ts";
import { startVoiceUpstream } from "./voices.ts";

/**
 * npm run test:long -- [--only versions,chaos,sessions,migrate,leak] [--rounds 200] [--seed n] [--blows "worker killed,torn batch"]
 * [--calls 2000000] [--leak-minutes 60] [--no-keep]: the store on every Postgres version, hundreds of kills and faults, hundreds of voice sessions at once, a migration of millions of
 * calls under load, then an hour in which memory must not grow. The results are added to RESULTS.md.
 */
const { values } = parseArgs({
  allowNegative: true,
  options: {
    only: { type: "string", default: "versions,chaos,sessions,migrate,leak" },
    rounds: { type: "string", default: "200" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    blows: { type: "string" },
    calls: { type: "string", default: "2000000" },
    "leak-minutes": { type: "string", default: "60" },
    keep: { type: "boolean", default: true },
  },
});
const parts: Record<string, () => Promise<Part>> = { chaos, leak, migrate, sessions, versions };
const wanted = values.only.split(",");
const unknown = wanted.filter((name) => !(name in parts));
if (unknown.length)
  throw new Error(`There is no ${unknown.join(", ")}: --only takes ${Object.keys(parts).join(", ")}.`);

/** What one part of the run has shown. */
interface Part {
  passed: number;
  failed: number;
  table: string;
}

let passed = 0;
let failed = 0;
for (const name of wanted) {
  const part = await (parts[name] as () => Promise<Part>)();
  console.log(part.table);
  if (values.keep) appendFileSync(join(import.meta.dirname, "RESULTS.md"), `\n${part.table}`);
  passed += part.passed;
  failed += part.failed;
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed ? 1 : 0;

function chaos(): Promise<Part> {
  return withSystem(async (system, database, disks, voice) => {
    const from = Date.now();
    const all = [...killsOf(system, database), ...faultsOf({ system, database, disks })];
    const blows = all.filter(({ name }) => !values.blows || values.blows.split(",").includes(name));
    if (!disks) console.log("full disks: skipped, this user may not mount a small one");
    const rounds = await chaosRounds(system, {
      rounds: Number(values.rounds),
      seed: Number(values.seed),
      blows,
      voice,
      say: console.log,
    });
    const broken = rounds.filter((one) => one.broken.length);
    return { passed: rounds.length - broken.length, failed: broken.length, table: chaosTable(rounds, from) };
  });
}

/** With their audio, which is the most that a session can hold. */
function sessions(): Promise<Part> {
  return withSystem(
    async (system, _database, _disks, voice) => {
      const scenes = await longSessions(system, voice, console.log);
      const failures = scenes.filter((one) => one.broken.length).length;
      return { passed: scenes.length - failures, failed: failures, table: scenesTable(scenes) };
    },
    { OMNIMETER_KEEP_AUDIO: "on" },
  );
}

function migrate(): Promise<Part> {
  return migrateUnderLoad({ calls: Number(values.calls), say: console.log });
}

/** The store's tests on every version of Postgres, and what of the processes' tests is too long for `npm test`. */
async function versions(): Promise<Part> {
  const report = join(tmpdir(), `omnimeter-versions-${process.pid}.json`);
  const { status } = spawnSync("vitest", ["run", "--project", "store", "--project", "processes"], {
    stdio: "inherit",
    env: { ...process.env, OMNIMETER_TEST_MAJORS: "all", OMNIMETER_TEST_REPORT: report },
  });
  if (status === null) throw new Error("the tests were ended");
  const { numPassedTests: passedTests, numFailedTests: failedTests } = JSON.parse(readFileSync(report, "utf8"));
  rmSync(report);
  const table = `### Store on PostgreSQL 18 and 15, and processes, ${new Date().toISOString().slice(0, 16).replace("T", " ")} UTC\n\n${passedTests} passed, ${failedTests} failed.\n`;
  return { passed: passedTests, failed: failedTests, table };
}

function leak(): Promise<Part> {
  const work = async (system: System, voice: FakeRealtime): Promise<Part> => {
    const minutes = Number(values["leak-minutes"]);
    const leaks = await leakRun(system, voice, minutes, console.log);
    const failures = leaks.filter((one) => one.leaks).length;
    return { passed: leaks.length - failures, failed: failures, table: leakTable(leaks, minutes) };
  };
  return withSystem((system, _database, _disks, voice) => work(system, voice), {}, false);
}

/** The spool and the database each on a small disk, where this user may make one; an hour's calls need more room. */
async function withSystem(
  work: (
    system: System,
    database: Database,
    disks: Parameters<typeof faultsOf>[0]["disks"],
    voice: FakeRealtime,
  ) => Promise<Part>,
  more: Record<string, string> = {},
  maySmall = true,
): Promise<Part> {
  const dir = mkdtempSync(join(tmpdir(), "omnimeter-long-"));
  // As root the database runs as another user.
  chmodSync(dir, 0o711);
  const spool = maySmall ? smallDisk(join(dir, "spool-disk"), 256) : null;
  const own = spool && smallDisk(join(dir, "database-disk"), 4096);
  const disks = spool && own && { spool, database: own };
  const database = await startDatabase(disks?.database.dir ?? dir);
  const { upstream: voice, env } = await startVoiceUpstream(Number(values.seed));
  const system = await startSystem({ database, env: { ...env, ...more }, ...(disks && { dataDir: disks.spool.dir }) });
  try {
    return await work(system, database, disks, voice);
  } finally {
    await system.stop();
    await voice.stop();
    await database.stop();
    disks?.spool.remove();
    disks?.database.remove();
    rmSync(dir, { recursive: true, force: true });
  }
}

function chaosTable(rounds: Round[], from: number): string {
  const sum = (rows: Round[], pick: (one: Round) => number) => rows.reduce((total, one) => total + pick(one), 0);
  const line = (name: string, rows: Round[]) =>
    `| ${[name, rows.length, sum(rows, (r) => r.calls), sum(rows, (r) => r.ended), sum(rows, (r) => r.interrupted), sum(rows, (r) => r.dropped), sum(rows, (r) => r.voices.sessions), sum(rows, (r) => r.voices.cut), sum(rows, (r) => r.voices.responses), sum(rows, (r) => r.voices.atEdge), rows.filter((r) => r.broken.length).length].join(" | ")} |`;
  const broken = rounds.filter((one) => one.broken.length);
  return [
    `### Chaos, ${new Date().toISOString().slice(0, 16).replace("T", " ")} UTC, seed ${values.seed}, ${Math.round((Date.now() - from) / 1000)} s`,
    "",
    "| what happened | rounds | calls | of them ended | interrupted | dropped and counted | voice sessions | of them cut | responses heard | done at the edge | rounds with a broken promise |",
    "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ...[...Map.groupBy(rounds, ({ blow }) => blow)].map(([blow, some]) => line(blow, some)),
    line("all of them", rounds),
    "",
    ...broken.map((one) => `- ${lineOf(one)}`),
    ...(broken.length ? [""] : []),
  ].join("\n");
}

function scenesTable(scenes: Scene[]): string {
  return [
    `### Voice sessions, ${new Date().toISOString().slice(0, 16).replace("T", " ")} UTC`,
    "",
    ...scenes.map((one) => `- ${sceneLine(one)}`),
    "",
  ].join("\n");
}

function leakTable(leaks: Leak[], minutes: number): string {
  return [
    `### Memory, ${new Date().toISOString().slice(0, 16).replace("T", " ")} UTC`,
    "",
    `Resident memory under mixed load: ${leaks.map((one) => `${one.part} ${one.firstMb} MB after the warm-up, ${one.lastMb} MB after ${minutes} min more${one.leaks ? " (leaks)" : ""}`).join("; ")}.`,
    "",
  ].join("\n");
}
