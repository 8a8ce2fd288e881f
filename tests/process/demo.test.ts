import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import postgres from "postgres";
import { afterAll, beforeAll, expect, test } from "vitest";
import { IS_LONG } from "#tests/support/majors.ts";
import { temporaryFolder } from "#tests/support/temporary-folder.ts";

const started: ChildProcess[] = [];
let dir: string;

beforeAll(() => {
  dir = mkdtempSync(join(temporaryFolder(), "omnimeter-demo-"));
});
afterAll(() => {
  for (const child of started) if (child.exitCode === null) child.kill("SIGKILL");
  rmSync(dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
});

function demo(words: string[] = [], folder = dir) {
  const child = spawn(process.execPath, ["tests/start/stand-in-demo.ts", ...words], {
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      PATH: process.env.PATH ?? "",
      OMNIMETER_DATA_DIR: folder,
      OMNIMETER_PROXY_PORT: "0",
      OMNIMETER_DASHBOARD_PORT: "0",
      OMNIMETER_TEST_EVENTS: join(dir, "events"),
      // Somebody's own: the demo must not touch it.
      DATABASE_URL: "postgres://nobody@127.0.0.1:1/nothing",
    } as never,
  });
  started.push(child);
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (text) => {
    stdout += text;
  });
  child.stderr.on("data", (text) => {
    stderr += text;
  });
  const ended = new Promise((resolve) => child.once("close", (code, signal) => resolve(code ?? signal)));
  const ready = () =>
    expect
      .poll(() => (child.exitCode === null ? stdout : `ended: ${stderr}`), { timeout: 90_000, interval: 50 })
      .toContain("Ctrl-C stops everything");
  return { child, ended, ready, stdout: () => stdout, stderr: () => stderr };
}

/** The demo's own database, found as its folder says. */
async function ask<T>(question: string): Promise<T | undefined> {
  const folder = join(dir, "postgres");
  const [port, password] = ["port", "password"].map((name) => readFileSync(join(folder, name), "utf8").trim());
  const sql = postgres(`postgres://omnimeter:${password}@127.0.0.1:${port}/omnimeter`, { max: 1, onnotice() {} });
  try {
    const [row] = await sql.unsafe<{ answer: T }[]>(question);
    return row?.answer;
  } finally {
    await sql.end({ timeout: 1 });
  }
}

test("the demo makes its data once, sends live calls, speaks, answers anybody, and stops whole", async () => {
  const first = demo();
  await first.ready();
  expect(first.stderr()).toContain("Demo data made");
  expect(await ask("select count(*)::int as answer from calls where run = 'seed'")).toBe(600);

  const live = "select count(*)::int as answer from calls where run <> 'seed' and template is not null";
  await expect.poll(() => ask<number>(live), { timeout: 20_000 }).toBeGreaterThan(0);
  expect(await ask("select count(*)::int as answer from usage_lines where cost_usd is not null")).toBeGreaterThan(600);

  const [, baseUrl = ""] = /Base URL +(\S+)/.exec(first.stdout()) ?? [];
  const answer = await fetch(`${baseUrl}/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: "Bearer sk-mine" },
    body: JSON.stringify({ model: "gpt-4o-mini-2024-07-18", messages: [{ role: "user", content: "Hello?" }] }),
  });
  expect(answer.status).toBe(200);
  expect(await answer.json()).toMatchObject({ object: "chat.completion", model: "gpt-4o-mini-2024-07-18" });

  const spoken = "select count(*)::int as answer from calls where run <> 'seed' and endpoint = 'realtime'";
  await expect.poll(() => ask<number>(spoken), { timeout: 40_000 }).toBeGreaterThan(0);

  first.child.kill("SIGINT");
  expect(await first.ended).toBe(0);
  expect(existsSync(join(dir, "instance.lock"))).toBe(false);
}, 120_000);

test.runIf(IS_LONG)(
  "old data is used and its age is said, an interrupted seeding begins anew",
  async () => {
    const note = (complete: boolean) =>
      writeFileSync(join(dir, "demo.json"), JSON.stringify({ untilMs: Date.parse("2026-01-05T10:00:00Z"), complete }));
    note(true);
    const old = demo();
    await old.ready();
    expect(old.stderr()).toContain("The demo data ends on 2026-01-05; npm run demo -- --renew makes it anew.");
    expect(old.stderr()).not.toContain("Demo data made");
    expect(await ask("select count(*)::int as answer from calls where run = 'seed'")).toBe(600);
    old.child.kill("SIGTERM");
    expect(await old.ended).toBe(0);
    note(false);
    const anew = demo();
    await anew.ready();
    expect(anew.stderr()).toContain("Demo data made");
    expect(await ask("select count(*)::int as answer from calls where run = 'seed'")).toBe(600);
    anew.child.kill("SIGTERM");
    expect(await anew.ended).toBe(0);
  },
  120_000,
);

test("an unknown argument, and a folder with somebody's own data, are refused in a sentence", async () => {
  const argument = demo(["--quick"]);
  expect(await argument.ended).toBe(1);
  expect(argument.stderr()).toBe("--quick is not an argument. Usage: npm run demo [-- --renew]\n");
  const own = join(dir, "own");
  mkdirSync(join(own, "postgres"), { recursive: true });
  const folder = demo([], own);
  expect(await folder.ended).toBe(1);
  expect(folder.stderr()).toContain("holds data that is not the demo's");
});
