import { spawn } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, expect, test } from "vitest";
import { open } from "#db/connect.ts";
import { isAlive } from "#db/embedded/is-alive.ts";
import { startEmbedded } from "#db/embedded.ts";
import { temporaryFolder } from "#tests/support/temporary-folder.ts";

/** Below the range that the system hands out: other tests' sockets must not take it between two starts. */
const PORT = 20_000 + (process.pid % 10_000);

// One cluster for all: making one takes longer than what is tested.
const dir = folder();
const other = folder();
afterAll(() => {
  for (const one of [dir, other]) rmSync(one, { recursive: true, force: true });
});

function folder(): string {
  const made = mkdtempSync(join(temporaryFolder(), "omnimeter-embedded-"));
  chmodSync(made, 0o711);
  return made;
}

const postmaster = () => Number.parseInt(readFileSync(join(dir, "data", "postmaster.pid"), "utf8"), 10);
const ask = async (url: string, statement: string) => {
  const sql = open(url, 1);
  try {
    return await sql.unsafe(statement);
  } finally {
    await sql.end({ timeout: 1 });
  }
};

const withoutPort = (url: string) => url.replace(/:\d+\//, "/");

test("it starts, stops, and keeps data, password and port", async () => {
  const first = await startEmbedded({ dir, port: PORT });
  await ask(first.url, "create table kept (n int); insert into kept values (7)");
  await first.stop();
  await first.exited;
  expect(existsSync(join(dir, "data", "postmaster.pid"))).toBe(false);
  const second = await startEmbedded({ dir });
  expect(second.url).toBe(first.url);
  expect(await ask(second.url, "select n from kept")).toEqual([{ n: 7 }]);
  expect(await ask(second.url, "show synchronous_commit")).toEqual([{ synchronous_commit: "on" }]);
  await second.stop();
});

test("killed outright, it recovers what was committed", async () => {
  const first = await startEmbedded({ dir, port: PORT });
  await ask(first.url, "create table many (n int); insert into many select generate_series(1, 1000)");
  process.kill(postmaster(), "SIGKILL");
  await first.exited;
  const second = await startEmbedded({ dir });
  expect(await ask(second.url, "select count(*) as n from many")).toEqual([{ n: 1000 }]);
  await second.stop();
});

test("it goes when its supervisor is killed, and the next start goes on", async () => {
  const script = `const { startEmbedded } = await import("#db/embedded.ts");
    console.log((await startEmbedded({ dir: process.argv[1], port: ${PORT} })).url); setInterval(() => {}, 1000)`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script, dir], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [url] = await new Promise<string[]>((resolve) =>
    child.stdout.once("data", (text) => resolve(String(text).split("\n"))),
  );
  const pid = postmaster();
  child.kill("SIGKILL");
  const next = await startEmbedded({ dir });
  expect(await ask(next.url, "select 1 as one")).toEqual([{ one: 1 }]);
  // The same data and password; the port may still be the dying server's.
  expect(withoutPort(next.url)).toBe(withoutPort(String(url)));
  await next.stop();
  await expect.poll(() => isAlive(pid)).toBe(false);
});

test("one that nobody supervises any more is used again, and can be stopped", async () => {
  const first = await startEmbedded({ dir, port: PORT });
  const said: string[] = [];
  const adopted = await startEmbedded({ dir, log: (sentence) => said.push(sentence) });
  expect(adopted.url).toBe(first.url);
  expect(said[0]).toContain("was still running");
  await adopted.stop();
  await first.exited;
});

test("data of another major version is refused and left alone, and a taken port is no obstacle", async () => {
  const first = await startEmbedded({ dir });
  const old = await startEmbedded({ dir: other, port: first.port, major: 15 });
  expect(old.port).not.toBe(first.port);
  await Promise.all([first.stop(), old.stop()]);
  await expect(startEmbedded({ dir: other })).rejects.toMatchObject({
    code: "postgres_other_major",
    message: expect.stringContaining("was written by PostgreSQL 15"),
  });
  await (await startEmbedded({ dir: other, major: 15 })).stop();
});

test("its log never repeats values", async () => {
  const server = await startEmbedded({ dir, port: PORT });
  await ask(server.url, "select 'hunter22'::int").catch(() => {});
  await ask(server.url, "create table t (n int primary key); insert into t values (424242), (424242)").catch(() => {});
  await sleep(50);
  await server.stop();
  const log = readFileSync(join(dir, "postgres.log"), "utf8");
  expect(log).toContain("duplicate key");
  expect(log).not.toMatch(/424242|insert into/);
});
