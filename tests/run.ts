import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildDashboard } from "#lib/supervisor/build-dashboard.ts";
import { BROWSER_VARIABLE, findBrowser } from "./support/browser.ts";
import { startClusters } from "./support/clusters.ts";
import { check, counted, endSteps, type Result, step } from "./support/step.ts";

// `npm test`: every check and every test, at most five minutes. The last line of stdout is "N passed, N failed".

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const REPORTS = join(ROOT, "tests", ".report");
const LIMIT_MS = 240_000;

process.chdir(ROOT);
rmSync(REPORTS, { recursive: true, force: true });
mkdirSync(REPORTS, { recursive: true });
let stopClusters: () => Promise<void> = async () => {};
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => void interrupted());

const results: Result[] = [];
const note = async (running: Promise<Result>) => {
  const result = await running;
  results.push(result);
  show(result);
  return result;
};

const started = performance.now();
// Two cores: the build takes one, the quick checks the other. Tests that start processes come after, in two lanes, and two
// files at a time where they mostly wait for what they have started.
await Promise.all([prepareBrowserTests(), quickChecks()]);
const clusters = await note(step("databases", startServers));
if (clusters.failed === 0) {
  const inTurn = async (...steps: (() => Promise<Result>)[]) => {
    for (const one of steps) await note(one());
  };
  await Promise.all([
    inTurn(
      () => vitest("store", "--maxWorkers=2"),
      () => vitest("wire", "--maxWorkers=2"),
    ),
    inTurn(
      () => vitest("processes", "--maxWorkers=2"),
      () => step("browser tests", browserTests),
    ),
  ]);
}
await stopClusters();
closeWith(results);

async function prepareBrowserTests() {
  await note(step("dashboard build", () => buildDashboard({ root: ROOT }).then(ok)));
  // After the build, which writes the types of the routes.
  await note(step("types", () => check("tsc", ["-p", ".", "--noEmit"], LIMIT_MS)));
  await note(
    step("browser", async () => {
      process.env[BROWSER_VARIABLE] = JSON.stringify(await findBrowser());
      return ok();
    }),
  );
}

async function quickChecks() {
  await note(step("lint", () => check("biome", ["ci", "--colors=off", "--max-diagnostics=30", "."], LIMIT_MS)));
  await note(step("dead code", () => check("knip", ["--no-progress"], LIMIT_MS)));
  await note(vitest("unit"));
}

async function startServers() {
  stopClusters = await startClusters();
  return ok();
}

function vitest(project: string, ...more: string[]): Promise<Result> {
  const report = join(REPORTS, `${project}.json`);
  const args = ["run", "--passWithNoTests", "--project", project, ...more];
  const read = () => {
    const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(report, "utf8"));
    return { passed: numPassedTests, failed: numFailedTests };
  };
  return step(project, () => counted("vitest", args, LIMIT_MS, read, { OMNIMETER_TEST_REPORT: report }));
}

function browserTests() {
  const args = ["test", "--config", "tests/playwright.config.ts", "--pass-with-no-tests"];
  return counted("playwright", args, LIMIT_MS, () => {
    const { stats } = JSON.parse(readFileSync(join(REPORTS, "e2e.json"), "utf8"));
    return { passed: stats.expected + stats.flaky, failed: stats.unexpected };
  });
}

function ok() {
  return { counts: { passed: 1, failed: 0 }, output: "" };
}

function show({ name, passed, failed, seconds, output }: Result) {
  const counts = failed ? `${passed} passed, ${failed} failed` : `${passed} passed`;
  console.log(`${failed ? "✗" : "✓"} ${name.padEnd(16)} ${seconds.toFixed(1).padStart(6)} s   ${counts}`);
  if (failed) console.log(`\n${output.trim()}\n`);
}

function closeWith(all: Result[]) {
  const sum = (count: (one: Result) => number) => all.reduce((total, one) => total + count(one), 0);
  const failed = sum((one) => one.failed);
  console.log(`  ${"all".padEnd(16)} ${((performance.now() - started) / 1000).toFixed(1).padStart(6)} s\n`);
  console.log(`${sum((one) => one.passed)} passed, ${failed} failed`);
  process.exit(failed ? 1 : 0);
}

async function interrupted() {
  endSteps();
  await stopClusters();
  process.exit(130);
}
