import { appendFileSync, chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { startDatabase } from "#tests/support/database.ts";
import { startSystem } from "#tests/support/system.ts";
import { killRounds, lineOf, type Round, VICTIMS, type Victim } from "./kill.ts";
import { type Leak, leakRun } from "./leak.ts";

/**
 * npm run test:long -- [--rounds 200] [--seed n] [--victims worker,database] [--leak-minutes 5] [--no-keep]: hundreds of kills,
 * then minutes of load in which memory must not grow. The result is added to RESULTS.md.
 */
const { values } = parseArgs({
  allowNegative: true,
  options: {
    rounds: { type: "string" },
    seed: { type: "string" },
    victims: { type: "string" },
    "leak-minutes": { type: "string" },
    keep: { type: "boolean", default: true },
  },
});
const rounds = Number(values.rounds ?? 200);
const all: Victim[] = [...VICTIMS, "database"];
const victims = all.filter((one) => !values.victims || values.victims.split(",").includes(one));
const seed = Number(values.seed ?? Date.now() % 1_000_000);

const dir = mkdtempSync(join(tmpdir(), "omnimeter-long-"));
// As root the database runs as another user.
chmodSync(dir, 0o711);
const database = await startDatabase(dir);
const system = await startSystem({ database });
const from = Date.now();
let done: Round[];
let leaks: Leak[];
try {
  done = await killRounds(system, {
    rounds,
    seed,
    victims,
    restartDatabase: () => database.restart("SIGKILL"),
    say: console.log,
  });
  leaks = await leakRun(system, Number(values["leak-minutes"] ?? 5), console.log);
} finally {
  await system.stop();
  await database.stop();
  rmSync(dir, { recursive: true, force: true });
}

const broken = done.filter((one) => one.broken.length);
const table = tableOf();
console.log(table);
if (values.keep) appendFileSync(join(import.meta.dirname, "RESULTS.md"), `\n${table}`);
const failed = broken.length + leaks.filter((one) => one.leaks).length;
console.log(`${done.length + leaks.length - failed} passed, ${failed} failed`);
process.exitCode = failed ? 1 : 0;

function tableOf(): string {
  const sum = (rows: Round[], pick: (one: Round) => number) => rows.reduce((total, one) => total + pick(one), 0);
  const line = (name: string, rows: Round[]) =>
    `| ${[name, rows.length, sum(rows, (r) => r.calls), sum(rows, (r) => r.ended), sum(rows, (r) => r.interrupted), rows.filter((r) => r.broken.length).length].join(" | ")} |`;
  return [
    `### Killed, ${new Date().toISOString().slice(0, 16).replace("T", " ")} UTC, seed ${seed}, ${Math.round((Date.now() - from) / 1000)} s`,
    "",
    "| killed | rounds | calls | of them ended | interrupted | rounds with a broken promise |",
    "| --- | --- | --- | --- | --- | --- |",
    ...victims.map((victim) =>
      line(
        victim,
        done.filter((one) => one.victim === victim),
      ),
    ),
    line("all of them", done),
    "",
    `Resident memory under mixed load: ${leaks.map((one) => `${one.part} ${one.firstMb} MB after the warm-up, ${one.lastMb} MB after ${values["leak-minutes"] ?? 5} more${one.leaks ? " (leaks)" : ""}`).join("; ")}.`,
    "",
    ...broken.map((one) => `- ${lineOf(one)}`),
    ...(broken.length ? [""] : []),
  ].join("\n");
}
