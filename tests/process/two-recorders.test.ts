import { afterAll, beforeAll, expect, test } from "vitest";
import { startClients } from "#tests/long/clients.ts";
import { type TestDatabase, testDatabase } from "#tests/support/postgres.ts";
import { type Running, run } from "#tests/support/process.ts";
import { seeded } from "#tests/support/split.ts";
import { type System, startSystem } from "#tests/support/system.ts";

let database: TestDatabase;
let system: System;
beforeAll(async () => {
  database = await testDatabase();
  system = await startSystem({ database, env: { OMNIMETER_WORKERS: "2" } });
});
afterAll(async () => {
  await system?.stop();
  await database?.drop();
});

const spare = () => run("lib/recorder/main.ts", { OMNIMETER_DATA_DIR: system.dataDir, DATABASE_URL: database.url });
const storedBy = async () =>
  Number((await database.sql`select coalesce(sum(stored), 0) as n from spool_runs`)[0]?.n ?? 0);

test("of two recorders on one folder, one takes over what the other leaves, killed or stopped or hung, and nothing is done twice", async () => {
  const clients = startClients(() => system.proxyUrl, 8, seeded(5));
  let second: Running | null = null;
  try {
    await expect.poll(storedBy, { timeout: 10_000 }).toBeGreaterThan(0);
    second = await spare();
    await goesOn();
    await system.kill("recorder");
    await goesOn();
    await system.start("recorder");
    // It takes none from a living one, and both are told of.
    await goesOn();
    await expect
      .poll(() => system.metric("omnimeter_database_away_seconds", 'recorder="1"'), { timeout: 5000 })
      .toBe(0);
    // What a hung one has taken waits for it; it stores once it goes on.
    process.kill(second.pid, "SIGSTOP");
    await new Promise((later) => setTimeout(later, 500));
    process.kill(second.pid, "SIGCONT");
    await goesOn();
    await second.stop();
    await goesOn();
  } finally {
    await clients.stop();
    await second?.stop();
  }
  await expect.poll(openCalls, { timeout: 20_000 }).toBe(0);
  const calls = await system.calls();
  const stored = new Map(calls.map((call) => [call.id, call]));
  expect(calls).toHaveLength(stored.size);
  const ended = clients.seen.filter((one) => one.ended);
  expect(ended.length).toBeGreaterThan(50);
  expect(ended.filter((one) => stored.get(String(one.callId))?.outcome !== "completed")).toEqual([]);
  const [counted] = await database.sql`select sum(calls)::int as n from rollup_calls`;
  expect(counted?.n).toBe(calls.length);
  expect((await system.equation()).every(({ holds }) => holds)).toBe(true);
}, 60_000);

async function goesOn() {
  const before = await storedBy();
  await expect.poll(storedBy, { timeout: 20_000 }).toBeGreaterThan(before + 20);
}

/** Accepted by the workers, which nobody has killed, and neither stored, set aside nor dropped. */
async function openCalls() {
  const accepted = await system.metric("omnimeter_accepted_calls_total");
  return (await system.equation()).reduce((left, one) => left - one.stored - one.setAside - one.dropped, accepted);
}
