import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startClients } from "#tests/long/clients.ts";
import { type Database, startDatabase } from "#tests/support/database.ts";
import { seeded } from "#tests/support/split.ts";
import { type System, startSystem } from "#tests/support/system.ts";

let dir: string;
let database: Database;
let system: System;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "omnimeter-away-"));
  chmodSync(dir, 0o711);
  database = await startDatabase(dir);
  system = await startSystem({ database });
});
afterAll(async () => {
  await system?.stop();
  await database?.stop();
  rmSync(dir, { recursive: true, force: true });
});

test("while the database is away, calls go on and wait in the spool; when it is back, all of them are stored", async () => {
  const clients = startClients(() => system.proxyUrl, 12, seeded(7));
  // The recorder follows the spool: before that nobody knows how far it is stored.
  await expect.poll(() => system.metric("omnimeter_stored_calls_total"), { timeout: 10_000 }).toBeGreaterThan(0);
  const spooledBefore = await system.metric("omnimeter_spool_bytes");
  const before = clients.seen.length;
  await database.halt("SIGTERM");
  const droppedBefore = await system.metric("omnimeter_dropped_calls_total");
  await sleep(2000);
  const during = clients.seen.slice(before);
  expect(during.length).toBeGreaterThan(100);
  expect(during.every((one) => one.callId && one.status === 200)).toBe(true);
  expect(await system.metric("omnimeter_spool_bytes")).toBeGreaterThan(spooledBefore);
  for (const figure of ["database_away_seconds", "recorder_lag_seconds", "spool_waiting_bytes", "spooled_calls"])
    await expect
      .poll(() => system.metric(`omnimeter_${figure}`), { message: figure, timeout: 10_000 })
      .toBeGreaterThan(0);
  await database.resume();
  await clients.stop();
  await system.drained(30_000);
  expect(await system.metric("omnimeter_dropped_calls_total")).toBe(droppedBefore);
  const stored = new Map((await system.calls()).map((call) => [call.id, call]));
  expect(clients.seen.filter((one) => !stored.has(String(one.callId)))).toEqual([]);
  const ended = clients.seen.filter((one) => one.ended);
  expect(ended.filter((one) => stored.get(String(one.callId))?.outcome !== "completed")).toEqual([]);
}, 60_000);
