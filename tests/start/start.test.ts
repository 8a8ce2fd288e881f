import { chownSync, existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, expect, test } from "vitest";
import { allGone, canBeNobody, cleanUp, dataDir, NOBODY, pidsOf, start } from "./starter.ts";

// One data folder throughout, as one user would have it.
const dir = dataDir();
afterAll(cleanUp);

test("one command brings everything up, and Ctrl-C takes it down in order with exit code 0", async () => {
  const run = start(dir, { OMNIMETER_JOIN_CALLS_KEY: "sk-4711" });
  await run.ready();
  expect(run.stdout()).toMatch(
    /Base URL +http:\/\/127\.0\.0\.1:[1-9]\d*\/v1\n +Dashboard +http:\/\/127\.0\.0\.1:[1-9]\d*\n/,
  );
  expect(run.stdout()).toContain("curl http://127.0.0.1:");
  expect(run.stdout()).toContain("new OpenAI({ baseURL:");
  expect(run.stderr()).toBe("");
  const pids = pidsOf(dir, run.events());
  expect(Object.keys(pids).sort()).toEqual(["dashboard", "postgres", "proxy", "recorder"]);
  expect(run.events()).toContain(`proxy pid ${pids.proxy} database unknown`);
  expect(run.events()).toContain(`recorder pid ${pids.recorder} database known`);
  const [, port] = /Base URL +http:\/\/127\.0\.0\.1:(\d+)/.exec(run.stdout()) ?? [];
  await expect.poll(run.events).toContain(`recorder told {"type":"proxy","port":${port}}`);
  const keys = run.events().filter((event) => event.includes(" key "));
  expect(keys.sort()).toEqual(["dashboard key unknown", "proxy key unknown", "recorder key sk-4711"]);
  run.process.kill("SIGINT");
  // npm passes on what the terminal has sent already.
  run.process.kill("SIGINT");
  expect(await run.ended).toBe(0);
  expect(run.events().slice(-3)).toEqual(["proxy stopped", "recorder stopped", "dashboard stopped"]);
  await allGone(pids);
  expect(existsSync(join(dir, "instance.lock"))).toBe(false);
});

test("a second instance on the same data is refused and does not disturb the first", async () => {
  const [first, second] = [start(dir), start(dir)];
  const loser = await Promise.race([first.ended.then(() => first), second.ended.then(() => second)]);
  const winner = loser === first ? second : first;
  expect(loser.stderr()).toMatch(
    /^Omnimeter is already running on .* \(process \d+\): stop it, or set OMNIMETER_DATA_DIR .*\n$/,
  );
  expect(await loser.ended).toBe(1);
  await winner.ready();
  winner.process.kill("SIGTERM");
  expect(await winner.ended).toBe(0);
});

test("after kill -9 everything else exits by itself, and the next start recovers", async () => {
  const first = start(dir);
  await first.ready();
  const pids = pidsOf(dir, first.events());
  first.process.kill("SIGKILL");
  const second = start(dir);
  await second.ready();
  await allGone(pids);
  second.process.kill("SIGTERM");
  expect(await second.ended).toBe(0);
});

test("a part that dies is started again on its port, and so is the database", async () => {
  const run = start(dir);
  await run.ready();
  const before = pidsOf(dir, run.events());
  const [, proxyUrl = ""] = /Base URL +(\S+)/.exec(run.stdout()) ?? [];
  process.kill(before.proxy as number, "SIGKILL");
  process.kill(before.postgres as number, "SIGKILL");
  await expect.poll(() => pidsOf(dir, run.events()).proxy, { timeout: 10_000 }).not.toBe(before.proxy);
  await expect
    .poll(
      () =>
        fetch(proxyUrl).then(
          (answer) => answer.status,
          () => 0,
        ),
      { timeout: 10_000 },
    )
    .toBe(200);
  await expect.poll(() => pidsOf(dir, run.events()).postgres, { timeout: 10_000 }).not.toBe(before.postgres);
  expect(run.stderr()).toContain("The proxy stopped unexpectedly (it ended with SIGKILL); it is started again.");
  expect(run.stderr()).toContain("The embedded PostgreSQL stopped unexpectedly; it is started again.");
  run.process.kill("SIGTERM");
  expect(await run.ended).toBe(0);
  await allGone(pidsOf(dir, run.events()));
});

test("a start that is under way can be stopped", async () => {
  const run = start(dir, { OMNIMETER_TEST_BUILD_MS: "60000" });
  const before = pidsOf(dir, run.events());
  await expect.poll(() => pidsOf(dir, run.events()).proxy, { timeout: 20_000 }).not.toBe(before.proxy);
  run.process.kill("SIGTERM");
  expect(await run.ended).toBe(0);
  await allGone(pidsOf(dir, run.events()));
});

test("the second Ctrl-C is immediate", async () => {
  const run = start(dir, { OMNIMETER_TEST_SLOW_STOP: "proxy" });
  await run.ready();
  const pids = pidsOf(dir, run.events());
  run.process.kill("SIGINT");
  await sleep(700);
  expect(run.process.exitCode).toBe(null);
  run.process.kill("SIGINT");
  expect(await run.ended).toBe(0);
  await allGone(pids);
});

test.skipIf(!canBeNobody())("an ordinary user can start it", async () => {
  const own = dataDir();
  chownSync(own, NOBODY, NOBODY);
  const run = start(own, {}, { as: NOBODY });
  await run.ready();
  const { postgres } = pidsOf(own, run.events());
  expect(statSync(`/proc/${postgres}`).uid).toBe(NOBODY);
  run.process.kill("SIGTERM");
  expect(await run.ended).toBe(0);
});

test("--help prints every setting and starts nothing", async () => {
  const run = start(dir, {}, { args: ["--help"] });
  expect(await run.ended).toBe(0);
  for (const name of ["OMNIMETER_PROXY_PORT", "OMNIMETER_CAPTURE", "DATABASE_URL", "OTEL_*"])
    expect(run.stdout()).toContain(name);
});
