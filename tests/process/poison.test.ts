import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ask } from "#tests/support/http-client.ts";
import { testDatabase } from "#tests/support/postgres.ts";
import { run } from "#tests/support/process.ts";
import { startSystem } from "#tests/support/system.ts";

const ROOT = join(import.meta.dirname, "..", "..");

/** Takes the process down when it reads a body that says so: what no reader could catch. */
const DEADLY = `
  const parse = JSON.parse;
  JSON.parse = (text, ...rest) => {
    if (String(text).includes("deadly body")) process.kill(process.pid, "SIGKILL");
    return parse(text, ...rest);
  };`;

test("an exchange that kills every recorder that reads it is set aside; the calls behind it are stored", async () => {
  const database = await testDatabase();
  const system = await startSystem({ database });
  try {
    await system.kill("recorder");
    const send = (content: string) =>
      ask(`${system.proxyUrl}/v1/chat/completions`, {
        method: "POST",
        headers: ["Content-Type", "application/json"],
        body: JSON.stringify({ model: "gpt-4o", messages: [{ role: "user", content }] }),
      });
    // One after the other: each lies in a batch of its own, and care must last until the deadly one is reached.
    for (let i = 0; i < 6; i++) await send("before");
    const poison = String((await send("deadly body")).headers["x-omnimeter-call-id"]);
    await send("behind");
    const preload = join(system.dataDir, "deadly.mjs");
    writeFileSync(preload, DEADLY);
    let lives = 0;
    for (let done = false; !done; ) {
      expect(++lives).toBeLessThan(10);
      const env = { OMNIMETER_DATA_DIR: system.dataDir, DATABASE_URL: database.url };
      const recorder = await run("lib/recorder/main.ts", env, ["--import", preload]).catch(() => null);
      while (recorder?.isAlive() && !done) {
        done = (await system.calls()).length === 7;
        await new Promise((soon) => setTimeout(soon, 20));
      }
      await recorder?.stop();
    }
    expect(await database.sql`select id, reason from set_aside`).toEqual([
      { id: poison, reason: expect.stringContaining("the recorder died each time") },
    ]);
    expect((await system.equation()).map(({ accepted, stored, setAside }) => [accepted, stored, setAside])).toEqual([
      [8, 7, 1],
    ]);
  } finally {
    await system.stop();
    await database.drop();
  }
}, 60_000);

test("a recorder whose thread never comes back is killed, one that has nothing to do is not", async () => {
  const script = (then: string) =>
    `import { startWatchdog } from "./lib/recorder/watchdog.ts"; startWatchdog(2000); ${then}`;
  const life = async (then: string) => {
    const child = spawn(process.execPath, ["--input-type=module", "-e", script(then)], { cwd: ROOT, stdio: "ignore" });
    return once(child, "exit");
  };
  const [stuck, idle] = await Promise.all([
    life("setTimeout(() => { for (;;); }, 100)"),
    life("setTimeout(() => {}, 6000)"),
  ]);
  expect(stuck).toEqual([null, "SIGKILL"]);
  expect(idle).toEqual([0, null]);
}, 60_000);
