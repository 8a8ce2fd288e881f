import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { tryLock, withLock } from "#lib/setup/lock.mjs";
import { cleanUp, dataDir } from "./starter.ts";

const dir = dataDir();
afterAll(cleanUp);

test("a lock is held by one, named, and free again after its release", () => {
  const path = join(dir, "one");
  const first = tryLock(path);
  expect(tryLock(path)).toEqual({ owner: process.pid });
  if ("release" in first) first.release();
  expect(tryLock(path)).toHaveProperty("release");
});

test.each([
  ["a process that is gone", "4194000 123 abc"],
  ["a process whose number another one has now", `${process.pid} 1 abc`],
])("the lock of %s is taken over", (_whose, content) => {
  const path = join(dir, "stale");
  writeFileSync(path, content);
  const lock = tryLock(path);
  expect(lock).toHaveProperty("release");
  if ("release" in lock) lock.release();
});

test("of many processes that find a dead owner, one at a time gets the lock", async () => {
  const path = join(dir, "race");
  const log = join(dir, "race.log");
  writeFileSync(path, "4194000 123 abc");
  writeFileSync(log, "");
  const script = `import { appendFileSync } from "node:fs"; import { withLock } from "#lib/setup/lock.mjs";
    await withLock(process.argv[1], async () => {
      appendFileSync(process.argv[2], "in\\n"); await new Promise((r) => setTimeout(r, 5)); appendFileSync(process.argv[2], "out\\n");
    });`;
  const runs = Array.from({ length: 6 }, () =>
    spawn(process.execPath, ["--input-type=module", "-e", script, path, log]),
  );
  await Promise.all(runs.map((run) => new Promise((resolve) => run.once("exit", resolve))));
  expect(readFileSync(log, "utf8")).toBe("in\nout\n".repeat(6));
});

test("whoever waits is told whom it waits for", async () => {
  const path = join(dir, "wait");
  const lock = tryLock(path);
  const waitedFor: number[] = [];
  const work = withLock(
    path,
    () => "done",
    (owner) => waitedFor.push(owner),
  );
  if ("release" in lock) lock.release();
  expect(await work).toBe("done");
  expect(waitedFor).toEqual([process.pid]);
});
