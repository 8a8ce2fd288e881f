import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runLoad } from "#tests/bench/load.ts";
import { type Database, startDatabase } from "#tests/support/database.ts";
import { type Running, run } from "#tests/support/process.ts";
import { type System, startSystem } from "#tests/support/system.ts";

/** Several of the largest batches: while one is stored the next one is decoded, and that is when the blows fall. */
const CALLS = 9_000;

let dir: string;
let upstream: Running;
let database: Database;
let system: System;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "omnimeter-backlog-"));
  // As root the database runs as another user.
  chmodSync(dir, 0o711);
  upstream = await run("tests/bench/upstream.ts", {});
  database = await startDatabase(dir);
  system = await startSystem({ database, upstreamUrl: `http://127.0.0.1:${upstream.port}` });
});
afterAll(async () => {
  await system?.stop();
  await database?.stop();
  await upstream?.stop();
  rmSync(dir, { recursive: true, force: true });
});

test("a spool that lies there full is stored once, however often its recorder and the database die over it", async () => {
  await system.kill("recorder");
  const port = Number(new URL(system.proxyUrl).port);
  await runLoad({ port, stream: false, connections: 32, calls: CALLS });
  const seen: number[] = [];
  const stored = async () => {
    const [row] = await database.sql<{ n: number }[]>`select count(*)::int as n from calls`;
    return row?.n ?? 0;
  };
  for (const blow of ["SIGKILL", "database", "SIGKILL", "SIGTERM"] as const) {
    await system.start("recorder");
    const before = await stored();
    await expect.poll(stored, { timeout: 20_000, interval: 10 }).toBeGreaterThan(before);
    // Somewhere in the middle of the next batch, which is another place each time.
    await sleep(seen.length * 60);
    seen.push(await stored());
    if (blow === "database") await database.restart("SIGKILL");
    await system.kill("recorder", blow === "SIGTERM" ? "SIGTERM" : "SIGKILL");
  }
  // It was met at work, not when all was done.
  expect(Math.min(...seen)).toBeLessThan(CALLS);
  await system.start("recorder");
  await system.drained(30_000);
  const [rows] = await database.sql<{ calls: number; numbers: number; lines: number; rolled: number }[]>`
    select
      (select count(*)::int from calls) as calls,
      (select count(distinct (run, seq))::int from calls) as numbers,
      (select count(distinct call_id)::int from usage_lines) as lines,
      (select sum(calls)::int from rollup_spend) as rolled`;
  expect(rows).toEqual({ calls: CALLS, numbers: CALLS, lines: CALLS, rolled: CALLS });
}, 120_000);
